// What a client may ask of an mxp-perf server, and what it may not: a stranger's line must never be half believed.
#include <boost/test/unit_test.hpp>

#include "mxp-perf/control.h"
#include "mxp-perf/histograms/hdr_payload.h"

using namespace mxp;
using namespace mxp::perf;

namespace {

ByteView bytes_of(const std::string& text) { return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()}; }

HdrHistogram some_latencies() {
  HdrHistogram latencies(kReportFigures);
  for (const std::uint64_t ns : {1000u, 20'000u, 1'000'000u}) latencies.record(ns);
  return latencies;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(perf_control)

BOOST_AUTO_TEST_CASE(a_request_comes_back_as_it_was_made) {
  Workload workload;
  workload.test = Test::rr;
  workload.size = 777;
  workload.connections = 9;
  workload.streams = 3;
  workload.omit = std::chrono::milliseconds(5);
  const auto read = parse_request(request_of(workload).dump());
  BOOST_REQUIRE(read.has_value());
  BOOST_TEST((read->test == Test::rr && read->size == 777 && read->connections == 9 && read->streams == 3 &&
              read->omit == workload.omit && read->duration == workload.duration));
}

BOOST_AUTO_TEST_CASE(requests_that_are_refused) {
  const nlohmann::json good = request_of(Workload{});
  BOOST_TEST(parse_request(good.dump()).has_value());
  const auto with = [&](const char* key, nlohmann::json value) {
    nlohmann::json changed = good;
    changed[key] = std::move(value);
    return changed.dump();
  };
  const auto of_datagrams = [&](std::uint64_t size) {
    nlohmann::json changed = good;
    changed["test"] = "datagrams";
    changed["size"] = size;
    return changed.dump();
  };
  BOOST_TEST(parse_request(of_datagrams(8)).has_value());
  BOOST_TEST((parse_request(of_datagrams(1170))->test == Test::datagrams));
  for (const std::string& line : {std::string(""),
                                  std::string("{"),
                                  std::string("[]"),
                                  std::string("null"),
                                  with("perf", 1),
                                  with("perf", "two"),
                                  with("perf", nullptr),
                                  with("connections", 0),
                                  with("connections", 1001),
                                  with("test", "launch"),
                                  with("test", 7),
                                  with("flow", "sideways"),
                                  with("streams", 0),
                                  with("streams", 1001),
                                  with("streams", "many"),
                                  with("streams", 1.5),
                                  with("streams", true),
                                  with("streams", (1ull << 32) + 1),
                                  with("size", 1e300),
                                  with("size", 0),
                                  with("size", (1 << 20) + 1),
                                  of_datagrams(7),
                                  of_datagrams(1171),
                                  with("per_second", -1),
                                  with("per_second", "fast"),
                                  with("run", -1),
                                  with("omit_ns", -1),
                                  with("omit_ns", 10'000'000'000),
                                  with("duration_ns", 0),
                                  with("duration_ns", 3'600'000'000'001)}) {
    BOOST_TEST_CONTEXT(line) BOOST_TEST(!parse_request(line).has_value());
  }
  for (const char* key :
       {"perf", "test", "flow", "connections", "streams", "size", "per_second", "run", "omit_ns", "duration_ns"}) {
    nlohmann::json missing = good;
    missing.erase(key);
    BOOST_TEST_CONTEXT(key) BOOST_TEST(!parse_request(missing.dump()).has_value());
  }
}

BOOST_AUTO_TEST_CASE(a_mark_is_that_word_and_nothing_else) {
  BOOST_TEST(is_mark(R"({"ready":true})", Mark::ready));
  BOOST_TEST(is_mark(R"({"begin":true})", Mark::begin));
  BOOST_TEST(is_mark(R"({"end":true})", Mark::end));
  for (const char* line : {"", "ready", R"({"ready":false})", R"({"ready":true,"more":1})", R"({"begin":true})"})
    BOOST_TEST_CONTEXT(line) BOOST_TEST(!is_mark(line, Mark::ready));
}

BOOST_AUTO_TEST_CASE(reports_that_are_refused) {
  const nlohmann::json good = to_json(ServerReport{.bytes = 1,
                                                   .first_ns = 2,
                                                   .last_ns = 3,
                                                   .datagrams = 5,
                                                   .overtaken = 4,
                                                   .handshakes = 6,
                                                   .answers = 7,
                                                   .held_seconds = 0.25,
                                                   .process = {.cpu_seconds = 0.5, .send_calls = 9}});
  const auto read = parse_report(good.dump());
  BOOST_REQUIRE(read.has_value());
  BOOST_TEST((read->bytes == 1 && read->first_ns == 2 && read->last_ns == 3 && read->datagrams == 5 &&
              read->overtaken == 4 && read->handshakes == 6 && read->answers == 7 && read->held_seconds == 0.25 &&
              read->process.cpu_seconds == 0.5 && read->process.send_calls == 9));
  const auto with = [&](const char* key, nlohmann::json value) {
    nlohmann::json changed = good;
    changed[key] = std::move(value);
    return changed.dump();
  };
  const auto with_process = [&](const char* key, nlohmann::json value) {
    nlohmann::json changed = good;
    changed["process"][key] = std::move(value);
    return changed.dump();
  };
  for (const std::string& line :
       {std::string(""), std::string("[]"), std::string("{}"), with("bytes", "x"), with("bytes", -1),
        with("bytes", 1e300), with("first_ns", INT64_MIN), with("last_ns", std::uint64_t{1} << 63), with("first_ns", 4),
        with("datagrams", -1), with("overtaken", true), with("handshakes", -1), with("answers", "x"),
        with("held_seconds", -1), with("held_seconds", 1e300), with("process", 7), with_process("cpu_seconds", -1),
        with_process("send_calls", 1e300), with_process("waited_seconds", "long")})
    BOOST_TEST_CONTEXT(line) BOOST_TEST(!parse_report(line).has_value());
  for (const auto& [key, value] : good.items()) {
    nlohmann::json missing = good;
    missing.erase(key);
    BOOST_TEST_CONTEXT(key) BOOST_TEST(!parse_report(missing.dump()).has_value());
  }
}

BOOST_AUTO_TEST_CASE(what_a_sending_server_reports_comes_back_and_nonsense_does_not) {
  SenderReport sender{.packets_sent = 10, .packets_lost = 1, .smoothed_rtt = Duration(5000)};
  sender.blocked[static_cast<std::size_t>(BlockedBy::pacing)] = Duration(77);
  const nlohmann::json good = to_json(ServerReport{.sender = sender});
  const auto read = parse_report(good.dump());
  BOOST_REQUIRE((read && read->sender));
  BOOST_TEST((read->sender->packets_lost == 1 && read->sender->smoothed_rtt == Duration(5000)));
  BOOST_TEST((read->sender->blocked == sender.blocked));
  const auto refused = [&](const char* path, const nlohmann::json& value) {
    nlohmann::json changed = good;
    changed["sender"][nlohmann::json::json_pointer(path)] = value;
    BOOST_TEST_CONTEXT(changed.dump()) BOOST_TEST(!parse_report(changed.dump()).has_value());
  };
  refused("/packets_lost", -1);
  refused("/rtt_ns", 1e300);
  refused("/blocked_ns", nlohmann::json::array({1, 2}));
  refused("/blocked_ns/2", -5);
  refused("/blocked_ns/2", std::uint64_t{1} << 62);
}

BOOST_AUTO_TEST_CASE(a_report_of_messages_comes_back_as_it_was_made) {
  ServerReport report{.last_ns = 1, .messages = MessageReport{.received = 9, .counted = 8, .latencies = {}}};
  BOOST_TEST(!parse_report(to_json(report).dump())->messages->latencies.has_value());
  report.messages->latencies = some_latencies();
  const auto read = parse_report(to_json(report).dump());
  BOOST_REQUIRE(read.has_value());
  BOOST_TEST((read->messages->received == 9 && read->messages->counted == 8));
  BOOST_TEST((*read->messages->latencies == some_latencies()));
}

BOOST_AUTO_TEST_CASE(reports_of_messages_that_are_refused) {
  nlohmann::json good = to_json(ServerReport{
      .last_ns = 1, .messages = MessageReport{.received = 9, .counted = 8, .latencies = some_latencies()}});
  BOOST_TEST(parse_report(good.dump()).has_value());
  const auto refused = [&](const char* path, const nlohmann::json& value) {
    nlohmann::json changed = good;
    changed["messages"][nlohmann::json::json_pointer(path)] = value;
    BOOST_TEST_CONTEXT(changed.dump()) BOOST_TEST(!parse_report(changed.dump()).has_value());
  };
  refused("/received", -1);
  refused("/counted", 10);
  refused("/latencies", 7);
  refused("/latencies", "HISTFAAA");
  refused("/latencies", encode_histogram(HdrHistogram(kReportFigures)));  // of nothing
  HdrHistogram other(3);
  other.record(1000);
  refused("/latencies", encode_histogram(other));  // bins that do not add up with those of other connections
  HdrHistogram many(kReportFigures);
  many.record(1000, 10);
  refused("/latencies", encode_histogram(many));  // more than were received
}

BOOST_AUTO_TEST_CASE(a_report_claims_no_more_than_was_sent_and_no_more_time_than_there_was) {
  using namespace std::chrono_literals;
  constexpr std::int64_t kSecond = 1'000'000'000;
  const ReportBounds bounds{.sent = 1000, .counted = 9s, .passed = 10s};
  const auto refused = [&](const ServerReport& report) { return why_impossible(report, bounds).has_value(); };
  BOOST_TEST(!refused({}));
  const ReportBounds of_datagrams{.sent = 1000, .datagrams = 10, .counted = 9s, .passed = 10s};
  BOOST_TEST(!why_impossible({.datagrams = 10, .overtaken = 10}, of_datagrams));
  BOOST_TEST(why_impossible({.datagrams = 11}, of_datagrams).has_value());
  BOOST_TEST(why_impossible({.datagrams = 5, .overtaken = 6}, of_datagrams).has_value());
  BOOST_TEST(refused({.datagrams = 1}));  // of a test without any
  BOOST_TEST(
      !refused({.bytes = 1000, .first_ns = 5 * kSecond, .last_ns = 14 * kSecond, .process = {.cpu_seconds = 10}}));
  BOOST_TEST(
      refused({.bytes = 1001, .first_ns = 5 * kSecond, .last_ns = 14 * kSecond, .process = {.cpu_seconds = 10}}));
  BOOST_TEST(
      refused({.bytes = 1000, .first_ns = 5 * kSecond, .last_ns = 14 * kSecond + 1, .process = {.cpu_seconds = 10}}));
  BOOST_TEST(
      refused({.bytes = 1000, .first_ns = 5 * kSecond, .last_ns = 14 * kSecond, .process = {.cpu_seconds = 11.1}}));
  BOOST_TEST(refused({.messages = MessageReport{.received = 1, .counted = 0, .latencies = {}}}));
  BOOST_TEST(why_impossible({.bytes = 1001}, bounds).value() == "1001 bytes arrived, of 1000 that were sent");
}

BOOST_AUTO_TEST_CASE(lines_are_cut_and_their_length_is_bounded) {
  ControlReader reader;
  BOOST_TEST(reader.add(bytes_of("one\ntw")));
  BOOST_TEST(reader.poll_line().value() == "one");
  BOOST_TEST(!reader.poll_line().has_value());
  BOOST_TEST(reader.add(bytes_of("o\n")));
  BOOST_TEST(reader.poll_line().value() == "two");
  BOOST_TEST(reader.add(bytes_of(std::string(kMaxControlLine, 'x'))));
  BOOST_TEST(!reader.add(bytes_of("x")));
}

BOOST_AUTO_TEST_SUITE_END()
