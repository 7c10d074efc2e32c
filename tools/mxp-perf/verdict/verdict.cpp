#include "mxp-perf/verdict/verdict.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <numeric>
#include <optional>

#include "common/units.h"

namespace mxp::perf {

namespace {

// A thread that ran or was ready to run for so much of the time could not do more.
constexpr double kFull = 0.85;
// What holds a sender for so much of the time is what holds it.
constexpr double kMost = 0.5;
// Datagrams are not sent again: more than that would be missing from a rate.
constexpr double kLost = kRateTolerance - 1;

long percent(double share) { return std::lround(share * 100); }

double us(Duration span) { return std::chrono::duration<double, std::micro>(span).count(); }

// The share of a sender's time, but for the handshake, that these reasons held it.
double held_share(const TransportTotals& sender, std::initializer_list<BlockedBy> reasons) {
  const auto of = [&](BlockedBy reason) { return us(sender.blocked[static_cast<std::size_t>(reason)]); };
  const double all = std::accumulate(sender.blocked.begin(), sender.blocked.end(), 0.0,
                                     [](double sum, Duration time) { return sum + us(time); }) -
                     of(BlockedBy::handshake);
  double sum = 0;
  for (const BlockedBy reason : reasons) sum += of(reason);
  return all > 0 ? sum / all : 0;
}

// 0 where nothing is known: a thread that spins is always busy.
double busy_share(const ProcessFigures& figures, double wall_seconds) {
  if (figures.spins) return 0;
  return (figures.cpu_seconds + figures.waited_seconds.value_or(0)) / wall_seconds;
}

bool a_thread_spins(const Result& result) { return result.client->spins || result.server->spins; }

bool kept_its_rate(const Result& result) {
  // A test of isolation has a rate, and bulk data beside it that go as fast as they can.
  if (result.test == Test::isolation) return false;
  if (result.datagrams && result.datagrams->not_sent > 0) return false;
  return result.rate_kept() == true;
}

// The share of the datagrams that the path lost: what a full socket of the server dropped had come there.
double lost_on_the_way(const Result& result) {
  if (!result.datagrams) return 0;
  const std::uint64_t sent = result.datagrams->sent;
  const std::uint64_t came = result.datagrams->delivered + result.server->receive_overflows;
  return came >= sent ? 0 : 1 - static_cast<double>(came) / static_cast<double>(sent);
}

bool is_asked_and_answered(const Result& result) { return result.service_time_us && !result.goodput_bits_per_second; }

std::optional<Judgement> by_held_answers(const Result& result) {
  if (result.answers == 0 || !result.service_time_us) return std::nullopt;
  const double held = result.held_seconds * 1e6 / static_cast<double>(result.answers);
  if (held < kMost * result.service_time_us->p50) return std::nullopt;
  return Judgement{Verdict::peer, fmt::format("the server's application took {:.0f} us for an answer, of {:.0f} us",
                                              held, result.service_time_us->p50)};
}

std::optional<Judgement> by_flow_control(const Result& result, const Setting& setting) {
  const double credit = held_share(setting.server_sends ? result.server_transport : result.transport,
                                   {BlockedBy::connection_credit, BlockedBy::stream_credit, BlockedBy::message_credit});
  if (credit < kMost || is_asked_and_answered(result)) return std::nullopt;
  if (setting.server_sends)
    return Judgement{Verdict::tool, fmt::format("the client's flow control held the server back for {}% of the time",
                                                percent(credit))};
  return Judgement{setting.server == Setting::Server::ours ? Verdict::tool : Verdict::peer,
                   fmt::format("the server's flow control held the client back for {}% of the time: its application "
                               "takes no more",
                               percent(credit))};
}

std::optional<Judgement> by_a_busy_thread(const Result& result, const Setting& setting) {
  const double client = busy_share(*result.client, result.wall_seconds);
  const double server = busy_share(*result.server, result.wall_seconds);
  if (std::max(client, server) < kFull) return std::nullopt;
  if (result.noise.too_noisy()) return Judgement{Verdict::none, "too noisy to judge: " + result.noise.reason};
  const bool ours = client >= server || setting.server == Setting::Server::ours;
  return Judgement{ours ? Verdict::tool : Verdict::peer,
                   fmt::format("the thread of the {} was busy for {}% of the time",
                               client >= server ? "client" : "server", percent(std::max(client, server)))};
}

std::optional<Judgement> by_the_path(const Result& result, const Setting& setting) {
  const TransportTotals& sender = setting.server_sends ? result.server_transport : result.transport;
  const double held = held_share(sender, {BlockedBy::congestion, BlockedBy::pacing});
  const double lost = sender.packets_sent == 0
                          ? 0
                          : static_cast<double>(sender.packets_lost) / static_cast<double>(sender.packets_sent);
  std::string what;
  if (is_asked_and_answered(result)) {
    if (us(sender.min_rtt) < kMost * result.service_time_us->p50) return std::nullopt;
    what = fmt::format("the round trip of {} is {}% of what an answer takes", tools::format_duration(sender.min_rtt),
                       std::min(100L, percent(us(sender.min_rtt) / result.service_time_us->p50)));
  } else if (held >= kMost && !a_thread_spins(result)) {  // a busy receiver holds its sender in the same way
    what = fmt::format(
        "congestion control held the sender for {}% of the time, with {:.1f}% of the packets lost and "
        "round trips of {}",
        percent(held), 100 * lost, tools::format_duration(sender.smoothed_rtt));
  } else if (const double share = lost_on_the_way(result); share > kLost) {
    what = fmt::format("{:.1f}% of the datagrams were lost on the way", 100 * share);
  } else {
    return std::nullopt;
  }
  if (setting.between == Setting::Between::a_network) return Judgement{Verdict::network, what};
  if (result.noise.too_noisy()) return Judgement{Verdict::none, "too noisy to judge: " + result.noise.reason};
  return Judgement{Verdict::tool, what + ", and there is no network in between: that is the two programs' own time"};
}

}  // namespace

std::string_view to_string(Verdict verdict) {
  switch (verdict) {
    case Verdict::none: return "none";
    case Verdict::tool: return "tool";
    case Verdict::network: return "network";
    case Verdict::peer: return "peer";
  }
  return "none";
}

Judgement judge(const Result& result, const Setting& setting) {
  if (result.wall_seconds <= 0 || !result.client || !result.server)
    return {Verdict::none, "the test has no report of the server"};
  if (kept_its_rate(result)) return {Verdict::none, "the rate that was asked for was kept"};
  if (auto held = by_held_answers(result)) return *std::move(held);
  if (auto busy = by_a_busy_thread(result, setting)) return *std::move(busy);
  if (auto credit = by_flow_control(result, setting)) return *std::move(credit);
  if (auto path = by_the_path(result, setting)) return *std::move(path);
  if (setting.server_sends && held_share(result.server_transport, {BlockedBy::application}) >= kMost)
    return {Verdict::peer, "the server had nothing to send for most of the time"};
  if (result.noise.too_noisy()) return {Verdict::none, "too noisy to judge: " + result.noise.reason};
  if (result.sender_late_us && result.latency_us && result.sender_late_us->p50 >= kMost * result.latency_us->p50)
    return {Verdict::tool, "the client was late with most calls by itself"};
  if (setting.between == Setting::Between::nothing)
    return {Verdict::tool, "there is no network in between: what is left is the two programs' own time"};
  if (a_thread_spins(result))
    return {Verdict::none, "nothing stands out, and how busy a thread was that spins (--busy-poll) cannot be told"};
  return {Verdict::none, "nothing stands out: no thread was busy for most of the time, and nothing held the sender"};
}

}  // namespace mxp::perf
