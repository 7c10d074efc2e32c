// Who limited a run, and whether the machine was too noisy to say so: constructed cases with a known answer.
#include <boost/test/unit_test.hpp>

#include "mxp-perf/verdict/noise.h"
#include "mxp-perf/verdict/verdict.h"

using namespace mxp;
using namespace mxp::perf;
using namespace std::chrono_literals;

namespace {

constexpr Setting kPeer{.server = Setting::Server::a_peer, .between = Setting::Between::a_network};
constexpr Setting kRun{.server = Setting::Server::ours, .between = Setting::Between::nothing};
constexpr Setting kReverse{
    .server = Setting::Server::a_peer, .between = Setting::Between::a_network, .server_sends = true};

// A bulk test of ten seconds in which nothing stands out.
Result idle_bulk() {
  Result result;
  result.test = Test::bulk;
  result.wall_seconds = 10;
  result.goodput_bits_per_second = 1e9;
  result.client = result.server = ProcessFigures{.cpu_seconds = 2, .waited_seconds = 0.1};
  result.transport.packets_sent = 1000;
  return result;
}

// A test of calls that take 100 us each.
Result idle_calls() {
  Result result = idle_bulk();
  result.test = Test::rr;
  result.goodput_bits_per_second.reset();
  result.latency_us = result.service_time_us = Percentiles{100, 110, 120, 130, 140};
  result.answers = 1000;
  return result;
}

void hold(TransportTotals& sender, BlockedBy reason, Duration time) {
  sender.blocked[static_cast<std::size_t>(BlockedBy::nothing)] = 10s - time;
  sender.blocked[static_cast<std::size_t>(reason)] += time;
}

Verdict verdict_of(const Result& result, const Setting& setting = kPeer) {
  const Judgement judgement = judge(result, setting);
  BOOST_TEST(!judgement.reason.empty());
  return judgement.verdict;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(perf_verdict)

BOOST_AUTO_TEST_CASE(without_the_servers_figures_there_is_none) {
  Result result = idle_bulk();
  result.client->cpu_seconds = 9.9;
  result.server.reset();
  BOOST_TEST((verdict_of(result) == Verdict::none));
}

BOOST_AUTO_TEST_CASE(a_thread_that_spins_is_not_taken_for_a_busy_one) {
  Result result = idle_bulk();
  result.client->cpu_seconds = result.server->cpu_seconds = 10;
  result.client->spins = true;
  BOOST_TEST((verdict_of(result) == Verdict::peer));  // whose server does not spin, and never slept
  result.server->spins = true;
  BOOST_TEST(judge(result, kPeer).reason.starts_with("nothing stands out, and how busy"));
  // Nor does the window prove that it was the path.
  result.transport.blocked[static_cast<std::size_t>(BlockedBy::congestion)] = 100s;
  BOOST_TEST((verdict_of(result) == Verdict::none));
  result.client->spins = result.server->spins = false;
  result.client->cpu_seconds = result.server->cpu_seconds = 1;
  BOOST_TEST((verdict_of(result) == Verdict::network));
}

BOOST_AUTO_TEST_CASE(datagrams_keep_their_rate_if_they_came_and_came_in_time) {
  const auto kept = [](std::uint64_t sent, std::uint64_t delivered, std::uint64_t not_sent, double span, double asked) {
    return keeps_rate({.asked_per_second = asked, .sent = sent, .delivered = delivered, .not_sent = not_sent}, span);
  };
  BOOST_TEST(kept(1000, 1000, 0, 9.99, 100));
  BOOST_TEST(kept(1000, 985, 0, 9.99, 100));
  BOOST_TEST(!kept(1000, 970, 0, 9.99, 100));  // lost
  BOOST_TEST(!kept(1000, 1000, 0, 12, 100));   // they waited in a queue
  BOOST_TEST(!kept(970, 970, 30, 9.99, 100));
  // A loss at the end makes the span shorter, and one in the middle of few leaves it as it is.
  BOOST_TEST(!kept(100, 80, 0, 0.79, 100));
  BOOST_TEST(!kept(10, 9, 0, 1.8, 5));
  // Of a single one there is no span.
  BOOST_TEST(kept(1, 1, 0, 0, 1));
  BOOST_TEST(!kept(1, 0, 0, 0, 1));
}

BOOST_AUTO_TEST_CASE(a_thread_that_never_slept_is_that_ends) {
  Result result = idle_bulk();
  result.client->cpu_seconds = 9.5;
  BOOST_TEST((verdict_of(result) == Verdict::tool));
  result.server->cpu_seconds = 9.9;
  BOOST_TEST((verdict_of(result) == Verdict::peer));
  BOOST_TEST((verdict_of(result, kRun) == Verdict::tool));  // the server is this program's own
  BOOST_TEST(judge(result, kRun).reason == "the thread of the server was busy for 100% of the time");
}

BOOST_AUTO_TEST_CASE(a_thread_that_waited_for_a_processor_is_no_verdict_where_others_had_it) {
  Result result = idle_bulk();
  result.client = ProcessFigures{.cpu_seconds = 3, .waited_seconds = 6.5};
  BOOST_TEST((verdict_of(result) == Verdict::tool));  // the two ends shared one processor
  result.noise.reason = "others were busy";
  BOOST_TEST((verdict_of(result) == Verdict::none));
  BOOST_TEST(judge(result, kPeer).reason == "too noisy to judge: others were busy");
}

BOOST_AUTO_TEST_CASE(congestion_control_that_holds_the_sender_is_the_network) {
  for (const BlockedBy reason : {BlockedBy::congestion, BlockedBy::pacing}) {
    Result result = idle_bulk();
    hold(result.transport, reason, 6s);
    result.transport.packets_lost = 25;
    BOOST_TEST((verdict_of(result) == Verdict::network));
    BOOST_TEST(judge(result, kPeer).reason.find("60% of the time, with 2.5% of the packets lost") != std::string::npos);
    result.noise.reason = "others were busy";  // that does not hold a sender
    BOOST_TEST((verdict_of(result) == Verdict::network));
    result.noise.reason.clear();
    BOOST_TEST((verdict_of(result, kRun) == Verdict::tool));  // there is none
    Result little = idle_bulk();
    hold(little.transport, reason, 4s);
    BOOST_TEST((verdict_of(little) == Verdict::none));
  }
}

BOOST_AUTO_TEST_CASE(of_a_server_that_sends_its_own_transport_counts) {
  Result result = idle_bulk();
  hold(result.server_transport, BlockedBy::pacing, 9s);
  BOOST_TEST((verdict_of(result, kReverse) == Verdict::network));
  BOOST_TEST((verdict_of(result) == Verdict::none));
  result = idle_bulk();
  hold(result.server_transport, BlockedBy::application, 9s);
  BOOST_TEST((verdict_of(result, kReverse) == Verdict::peer));
  result = idle_bulk();
  hold(result.server_transport, BlockedBy::stream_credit, 9s);
  BOOST_TEST((verdict_of(result, kReverse) == Verdict::tool));
}

BOOST_AUTO_TEST_CASE(credit_that_is_not_given_is_the_peers_application) {
  for (const BlockedBy reason : {BlockedBy::connection_credit, BlockedBy::stream_credit, BlockedBy::message_credit}) {
    Result result = idle_bulk();
    hold(result.transport, reason, 6s);
    BOOST_TEST((verdict_of(result) == Verdict::peer));
  }
}

BOOST_AUTO_TEST_CASE(answers_that_the_servers_application_holds_are_the_peers) {
  Result result = idle_calls();
  result.held_seconds = 0.06;  // 60 us for each
  BOOST_TEST((verdict_of(result) == Verdict::peer));
  BOOST_TEST(judge(result, kPeer).reason == "the server's application took 60 us for an answer, of 100 us");
  result.held_seconds = 0.04;
  BOOST_TEST((verdict_of(result) == Verdict::none));
}

BOOST_AUTO_TEST_CASE(calls_whose_time_is_the_round_trip_are_the_networks) {
  Result result = idle_calls();
  result.transport.min_rtt = 80us;
  BOOST_TEST((verdict_of(result) == Verdict::network));
  BOOST_TEST((verdict_of(result, kRun) == Verdict::tool));
  result.transport.min_rtt = 40us;
  BOOST_TEST((verdict_of(result) == Verdict::none));
}

BOOST_AUTO_TEST_CASE(a_rate_that_was_kept_had_no_limit_and_a_late_sender_is_the_tool) {
  Result result = idle_calls();
  result.transport.min_rtt = 80us;
  result.calls = CallCounts{.asked_per_second = 10, .rate_kept = true};
  BOOST_TEST((verdict_of(result) == Verdict::none));
  result.calls->rate_kept = false;
  BOOST_TEST((verdict_of(result) == Verdict::network));
  result.transport.min_rtt = 1us;
  result.sender_late_us = Percentiles{90, 90, 90, 90, 90};
  BOOST_TEST((verdict_of(result) == Verdict::tool));
}

BOOST_AUTO_TEST_CASE(datagrams_that_the_path_lost_are_the_networks_and_those_of_a_full_socket_are_not) {
  Result result = idle_bulk();
  result.test = Test::datagrams;
  result.datagrams = DatagramCounts{.asked_per_second = 100, .rate_kept = true, .sent = 1000, .delivered = 990};
  BOOST_TEST(judge(result, kPeer).reason == "the rate that was asked for was kept");
  result.datagrams->not_sent = 1;
  BOOST_TEST(judge(result, kPeer).reason.starts_with("nothing stands out"));
  result.datagrams = DatagramCounts{.asked_per_second = 100, .rate_kept = false, .sent = 1000, .delivered = 670};
  BOOST_TEST((verdict_of(result) == Verdict::network));
  BOOST_TEST(judge(result, kPeer).reason == "33.0% of the datagrams were lost on the way");
  BOOST_TEST((verdict_of(result, kRun) == Verdict::tool));  // there is no network
  result.server->receive_overflows = 320;
  BOOST_TEST((verdict_of(result) == Verdict::none));
}

BOOST_AUTO_TEST_CASE(times_of_the_machine_are_those_of_its_first_line) {
  const auto times = parse_machine_times("cpu  100 20 30 400 5 6 7 50 9 9", 100);
  BOOST_REQUIRE(times.has_value());
  BOOST_TEST(times->busy == 1.5);
  BOOST_TEST(times->stolen == 0.5);
  BOOST_TEST(times->all == 6.18);
  for (const char* text : {"", "cpu", "cpu 1 2 3", "cpu0 1 2 3 4 5 6 7 8", "cpu a b c d e f g h"})
    BOOST_TEST_CONTEXT(text) BOOST_TEST(!parse_machine_times(text, 100).has_value());
  BOOST_TEST(!parse_machine_times("cpu  100 20 30 400 5 6 7 50", 0).has_value());
}

BOOST_AUTO_TEST_CASE(noise_is_what_others_took_and_what_the_ends_waited_for_it) {
  const auto reading = [](double busy, double stolen, double all, double partners = 0) {
    return MachineReading{.times = MachineTimes{busy, stolen, all}, .partners_cpu_seconds = partners};
  };
  const OwnTimes own{.wall_seconds = 10, .cpu_seconds = 8, .client_waited_seconds = 2, .server_waited_seconds = 0.5};
  // Ten of twenty seconds were busy: eight of our own, one of the link, and one of others.
  Noise noise = noise_between(reading(100, 0, 1000, 3), reading(110, 0, 1020, 4), own);
  BOOST_TEST(*noise.others_cpus == 0.1);
  BOOST_TEST(*noise.client_waited == 0.2);
  BOOST_TEST(noise.too_noisy());
  BOOST_TEST(noise.reason ==
             "the client waited for a processor for 20% of the time, while other processes kept 0.1 of them busy");
  // The same wait, and nobody else: the ends waited for each other.
  noise = noise_between(reading(100, 0, 1000, 3), reading(109, 0, 1020, 4), own);
  BOOST_TEST(!noise.too_noisy());
  // Others were busy on processors that the test did not need.
  const OwnTimes free{.wall_seconds = 10, .cpu_seconds = 8, .client_waited_seconds = 0.5, .server_waited_seconds = 0.5};
  BOOST_TEST(!noise_between(reading(100, 0, 1000), reading(119, 0, 1020), free).too_noisy());
  BOOST_TEST(noise_between(reading(100, 0, 1000), reading(108, 1, 1020), free).too_noisy());  // 5 % were stolen
  BOOST_TEST(!noise_between({}, {}, free).too_noisy());
}

BOOST_AUTO_TEST_SUITE_END()
