#include "mxp/otlp.h"

#include <boost/test/unit_test.hpp>
#include <map>
#include <nlohmann/json.hpp>
#include <sstream>

#include "support/temporary_folder.h"
#include "support/trace_events.h"

using namespace mxp;
using namespace mxp::test;
using Json = nlohmann::json;

namespace {

// Ids that count up.
class CountingRandom final : public Random {
 public:
  void fill(MutableBytes out) override {
    for (std::uint8_t& byte : out) byte = 0;
    out.back() = ++count_;
  }

 private:
  std::uint8_t count_ = 0;
};

struct Spans {
  std::vector<Json> all;
  std::string text;

  explicit Spans(const std::string& text_) : text(text_) {
    std::istringstream lines(text);
    for (std::string line; std::getline(lines, line);)
      all.push_back(Json::parse(line)["resourceSpans"][0]["scopeSpans"][0]["spans"][0]);
  }
  std::vector<Json> named(std::string_view name) const {
    std::vector<Json> found;
    for (const Json& span : all)
      if (span["name"] == name) found.push_back(span);
    return found;
  }
};

Json attribute(const Json& span, std::string_view key) {
  for (const Json& one : span["attributes"])
    if (one["key"] == key) return one["value"].begin().value();
  return {};
}

template <typename Tell>
Spans write_spans(const std::optional<TraceContext>& parent, Tell tell) {
  const TemporaryFolder folder;
  CountingRandom random;
  {
    auto file = OtlpFile::open((folder.path / "spans").string(), random,
                               {.clock = {Timestamp(1s), 1'700'000'000'000'000'000}, .parent = parent});
    BOOST_REQUIRE(file.has_value());
    tell(**file);
    BOOST_TEST((*file)->dropped() == 0u);
  }
  return Spans(folder.read("spans"));
}

}  // namespace

BOOST_AUTO_TEST_SUITE(otlp)

BOOST_AUTO_TEST_CASE(a_connection_is_a_span_with_its_handshake_losses_and_decisions_below_it) {
  const Spans spans = write_spans(std::nullopt, [](OtlpFile& file) {
    Timestamp now(1s);
    for (const TraceEvent& event : every_event(Role::server)) file.on(now += 1ms, kLocalId, event);
  });
  BOOST_TEST(spans.all.size() == 4u);
  BOOST_TEST(!holds_secret(spans.text));
  const Json connection = spans.named("mxp.connection").at(0);
  BOOST_TEST(connection["kind"] == 2);
  BOOST_TEST(!connection.contains("parentSpanId"));
  BOOST_TEST(connection["startTimeUnixNano"] == "1700000000002000000");
  BOOST_TEST(connection["status"]["code"] == 2);
  BOOST_TEST(connection["status"]["message"] == "protocol violation");
  BOOST_TEST(attribute(connection, "mxp.connection.id") == "1122334455667788");
  BOOST_TEST(attribute(connection, "mxp.packets.lost") == "1");
  BOOST_TEST(attribute(connection, "mxp.unfinished").is_null());
  for (const char c : attribute(connection, "mxp.close.reason").get<std::string>())
    BOOST_TEST(static_cast<unsigned char>(c) >= 0x20);
  for (const char* name : {"mxp.handshake", "mxp.loss_burst", "mxp.schedule"}) {
    const Json child = spans.named(name).at(0);
    BOOST_TEST(child["parentSpanId"] == connection["spanId"]);
    BOOST_TEST(child["traceId"] == connection["traceId"]);
  }
  BOOST_TEST(attribute(spans.named("mxp.schedule")[0], "mxp.because.preempts") == "1");
}

BOOST_AUTO_TEST_CASE(connections_belong_to_the_trace_that_asked_for_them) {
  const auto parent = TraceContext::parse("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00");
  const auto tell = [](OtlpFile& file) {
    for (std::uint8_t i = 1; i <= 2; ++i) {
      file.on(Timestamp(2s), ConnectionId({i}), TraceStarted{Role::client});
      file.on(Timestamp(3s), ConnectionId({i}), TraceForgotten{});
    }
  };
  const auto below = write_spans(parent, tell).named("mxp.connection");
  BOOST_REQUIRE(below.size() == 2u);
  for (const Json& span : below) {
    BOOST_TEST(span["traceId"] == "0af7651916cd43dd8448eb211c80319c");
    BOOST_TEST(span["parentSpanId"] == "b7ad6b7169203331");
    BOOST_TEST(span["flags"] == 0);
    BOOST_TEST(span["kind"] == 3);
  }
  const auto alone = write_spans(std::nullopt, tell).named("mxp.connection");
  BOOST_TEST(alone[0]["traceId"] != alone[1]["traceId"]);
}

BOOST_AUTO_TEST_CASE(losses_close_after_each_other_are_one_burst) {
  const Spans spans = write_spans(std::nullopt, [](OtlpFile& file) {
    Timestamp now(2s);
    file.on(now, kLocalId, TraceStarted{Role::client});
    for (const Duration gap : {0ms, 10ms, 500ms, 501ms, 1ms})
      file.on(now += gap, kLocalId, TracePacketLost{PacketNumber(1), 1000, LossReason::reordering});
  });
  const auto bursts = spans.named("mxp.loss_burst");
  BOOST_REQUIRE(bursts.size() == 2u);
  BOOST_TEST(attribute(bursts[0], "mxp.packets") == "3");
  BOOST_TEST(attribute(bursts[0], "mxp.bytes") == "3000");
  BOOST_TEST(attribute(bursts[1], "mxp.packets") == "2");
  BOOST_TEST(bursts[0]["endTimeUnixNano"] == "1700000001510000000");
  // What has not ended is written too, and says so.
  BOOST_TEST(attribute(spans.named("mxp.connection").at(0), "mxp.unfinished") == true);
}

BOOST_AUTO_TEST_CASE(spans_of_a_long_connection_are_bounded) {
  const Spans spans = write_spans(std::nullopt, [](OtlpFile& file) {
    Timestamp now(2s);
    file.on(now, kLocalId, TraceStarted{Role::client});
    for (int i = 0; i < 1200; ++i) {
      file.on(now += 2s, kLocalId, TracePacketLost{PacketNumber(1), 1000, LossReason::reordering});
      file.on(now, kLocalId, TraceScheduled{});
    }
  });
  BOOST_TEST(spans.named("mxp.loss_burst").size() == 1000u);
  BOOST_TEST(spans.named("mxp.schedule").size() == 600u);
  const Json connection = spans.named("mxp.connection").at(0);
  BOOST_TEST(attribute(connection, "mxp.loss_bursts_left_out") == "200");
  BOOST_TEST(attribute(connection, "mxp.schedules_left_out") == "600");
}

BOOST_AUTO_TEST_CASE(time_by_reason_is_told) {
  const Spans spans = write_spans(std::nullopt, [](OtlpFile& file) {
    file.on(Timestamp(2s), kLocalId, TraceStarted{Role::client});
    file.on(Timestamp(3s), kLocalId, TraceBlocked{BlockedBy::stream_credit});
    file.on(Timestamp(5s), kLocalId, TraceForgotten{});
  });
  const Json connection = spans.named("mxp.connection").at(0);
  BOOST_TEST(attribute(connection, "mxp.blocked_ms.handshake") == 1000.0);
  BOOST_TEST(attribute(connection, "mxp.blocked_ms.stream_credit") == 2000.0);
}

BOOST_AUTO_TEST_CASE(a_file_that_cannot_be_opened_is_an_error) {
  CountingRandom random;
  BOOST_TEST(!OtlpFile::open("/no/such/folder/spans", random, {}).has_value());
  std::vector<IoError> errors;
  {
    auto full = OtlpFile::open("/dev/full", random, {.on_error = [&](const IoError& e) { errors.push_back(e); }});
    BOOST_REQUIRE(full.has_value());
    (*full)->on(Timestamp(2s), kLocalId, TraceStarted{Role::client});
  }
  BOOST_REQUIRE(errors.size() == 1u);
  BOOST_TEST(errors[0].code == ENOSPC);
}

BOOST_AUTO_TEST_SUITE_END()
