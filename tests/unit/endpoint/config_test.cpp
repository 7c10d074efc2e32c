// Each setting at the ends of its range, and one step beyond: refused by name, with its value and what is allowed.
#include "mxp/config.h"

#include <boost/test/unit_test.hpp>
#include <chrono>
#include <functional>
#include <string>
#include <vector>

#include "mxp/message_options.h"

namespace mxp::test {

namespace {

using namespace std::chrono_literals;
using Change = std::function<void(EndpointConfig&)>;

const std::array<std::uint8_t, 32> kScalar{1};
EndpointConfig defaults() { return {.identity = PrivateKey::from_bytes(kScalar)}; }

constexpr std::uint64_t k2To60 = std::uint64_t{1} << 60, k2To62 = std::uint64_t{1} << 62;
constexpr std::uint64_t k2To40 = std::uint64_t{1} << 40;
constexpr Duration k2To32Ms = std::chrono::milliseconds(std::uint64_t{1} << 32);

struct Row {
  std::string field;
  std::vector<Change> good;
  std::vector<std::pair<Change, std::string>> bad;  // with the value as it is said
};

template <typename Set, typename Value>
Change setting(Set set, Value value) {
  return [=](EndpointConfig& config) { set(config) = value; };
}

template <typename Set, typename Value>
Row row(std::string field, Set set, std::vector<Value> good, std::vector<std::pair<Value, std::string>> bad) {
  Row made{std::move(field), {}, {}};
  for (const Value& value : good) made.good.push_back(setting(set, value));
  for (const auto& [value, said] : bad) made.bad.emplace_back(setting(set, value), said);
  return made;
}

#define MXP_FIELD(member) #member, [](EndpointConfig& config) -> auto& { return config.member; }

std::vector<Row> rows() {
  using Times = std::vector<Duration>;
  using BadTimes = std::vector<std::pair<Duration, std::string>>;
  using Counts = std::vector<std::uint64_t>;
  using BadCounts = std::vector<std::pair<std::uint64_t, std::string>>;
  const BadTimes beyond{
      {k2To32Ms + 1ns, "4294967296000001 ns"}, {1194h, "4298400000 ms"}, {-1ms, "-1 ms"}, {1us, "1 us"}};
  BadTimes beyond_or_none = beyond;
  beyond_or_none.emplace_back(0ms, "0 ms");
  const Counts windows{0, 1, k2To62 - 1}, streams{0, 1, k2To60}, buffers{1, k2To40};
  const BadCounts bad_windows{{k2To62, "4611686018427387904"}}, bad_streams{{k2To60 + 1, "1152921504606846977"}},
      bad_buffers{{0, "0"}, {k2To40 + 1, "1099511627777"}};
  const Counts memories{std::uint64_t{1} << 20, std::uint64_t{1} << 50};
  const BadCounts bad_memories{{(std::uint64_t{1} << 20) - 1, "1048575"},
                               {(std::uint64_t{1} << 50) + 1, "1125899906842625"}};
  const BadCounts bad_message_windows{{2047, "2047"}, {k2To40 + 1, "1099511627777"}};
  const Counts weights{1, 1000};
  const BadCounts bad_weights{{0, "0"}, {1001, "1001"}};
  const Counts datagrams{1200, 65507};
  const BadCounts bad_datagrams{{1199, "1199"}, {65508, "65508"}};
  return {
      row(MXP_FIELD(transport.idle_timeout), Times{0ms, 1ms, k2To32Ms}, beyond),
      row(MXP_FIELD(transport.keepalive), Times{0ms, 1ms, k2To32Ms}, beyond),
      row(MXP_FIELD(transport.handshake_timeout), Times{1ms, k2To32Ms}, beyond_or_none),
      row(MXP_FIELD(transport.recovery.initial_rtt), Times{1us, 60s},
          BadTimes{{0ms, "0 ms"}, {999ns, "999 ns"}, {60001ms, "60001 ms"}}),
      row(MXP_FIELD(transport.recovery.max_ack_delay), Times{0ms, 16383ms},
          BadTimes{{-1ns, "-1 ns"}, {16383ms + 1ns, "16383000001 ns"}}),
      row(MXP_FIELD(transport.recovery.receive_times_per_ack), Counts{0, 1, 64}, BadCounts{{65, "65"}}),
      row(MXP_FIELD(transport.scheduler.coalescing_delay), Times{0ms, 1ns, 10ms},
          BadTimes{{-1ns, "-1 ns"}, {10ms + 1ns, "10000001 ns"}}),
      row(MXP_FIELD(transport.key_update.interval), Times{1ns, Duration::max()},
          BadTimes{{0ns, "0 ms"}, {-1s, "-1000 ms"}}),
      row(MXP_FIELD(transport.key_update.packets), Counts{1, UINT64_MAX}, BadCounts{{0, "0"}}),
      row(MXP_FIELD(transport.max_udp_payload), datagrams, bad_datagrams),
      row(MXP_FIELD(transport.max_receive_udp_payload), datagrams, bad_datagrams),
      row(MXP_FIELD(transport.flow_control.connection_window), windows, bad_windows),
      row(MXP_FIELD(transport.flow_control.max_connection_window), windows, bad_windows),
      row(MXP_FIELD(transport.flow_control.stream_window), windows, bad_windows),
      row(MXP_FIELD(transport.flow_control.max_stream_window), windows, bad_windows),
      row(MXP_FIELD(transport.flow_control.max_streams_bidirectional), streams, bad_streams),
      row(MXP_FIELD(transport.flow_control.max_streams_unidirectional), streams, bad_streams),
      row(MXP_FIELD(transport.flow_control.stream_send_buffer), buffers, bad_buffers),
      row(MXP_FIELD(transport.flow_control.connection_send_buffer), buffers, bad_buffers),
      row(MXP_FIELD(transport.flow_control.max_reassembly_spans), Counts{1, 65536},
          BadCounts{{0, "0"}, {65537, "65537"}}),
      row(MXP_FIELD(transport.messages.window), Counts{0, 1, 1u << 20}, BadCounts{{(1u << 20) + 1, "1048577"}}),
      row(MXP_FIELD(transport.messages.receive_window), Counts{2048, k2To40}, bad_message_windows),
      row(MXP_FIELD(transport.messages.max_receive_window), Counts{2048, k2To40}, bad_message_windows),
      row(MXP_FIELD(transport.messages.max_message), Counts{kMaxShortMessage, kMaxMessagePayload},
          BadCounts{{kMaxShortMessage - 1, "1099"}, {kMaxMessagePayload + 1, "16777217"}}),
      row(MXP_FIELD(transport.messages.send_buffer), Counts{2048, k2To40}, bad_message_windows),
      row(MXP_FIELD(transport.messages.max_decompressed), Counts{0, 16u << 20},
          BadCounts{{(16u << 20) + 1, "16777217"}}),
      row(MXP_FIELD(transport.calls.max_waiting), Counts{1, 65536}, BadCounts{{0, "0"}, {65537, "65537"}}),
      row(MXP_FIELD(transport.calls.max_incoming), Counts{1, 65536}, BadCounts{{0, "0"}, {65537, "65537"}}),
      row(MXP_FIELD(transport.scheduler.class_weights[0]), weights, bad_weights),
      row(MXP_FIELD(transport.scheduler.class_weights[1]), weights, bad_weights),
      row(MXP_FIELD(transport.scheduler.class_weights[2]), weights, bad_weights),
      row(MXP_FIELD(transport.scheduler.class_weights[3]), weights, bad_weights),
      row(MXP_FIELD(transport.scheduler.critical_burst), Counts{0, k2To40}, BadCounts{{k2To40 + 1, "1099511627777"}}),
      row(MXP_FIELD(transport.datagrams.max_payload), Counts{0, 65507}, BadCounts{{65508, "65508"}}),
      row(MXP_FIELD(transport.datagrams.queue_bytes), Counts{1, 1u << 30},
          BadCounts{{0, "0"}, {(1u << 30) + 1, "1073741825"}}),
      row(MXP_FIELD(transport.datagrams.queue_datagrams), Counts{1, 1u << 20},
          BadCounts{{0, "0"}, {(1u << 20) + 1, "1048577"}}),
      row(MXP_FIELD(transport.datagrams.burst_bytes), Counts{1, 1u << 30},
          BadCounts{{0, "0"}, {(1u << 30) + 1, "1073741825"}}),
      row(MXP_FIELD(transport.datagrams.rate),
          std::vector<ByteRate>{ByteRate(), ByteRate::bytes_per_second(1000), ByteRate::bytes_per_second(UINT64_MAX)},
          std::vector<std::pair<ByteRate, std::string>>{{ByteRate::bytes_per_second(999), "999"}}),
      row(MXP_FIELD(limits.max_connections_per_key), Counts{1, SIZE_MAX}, BadCounts{{0, "0"}}),
      row(MXP_FIELD(limits.memory), memories, bad_memories),
      row(MXP_FIELD(limits.memory_per_key), memories, bad_memories),
      row(MXP_FIELD(limits.max_fruitless_handshakes), Counts{1, 1'000'000},
          BadCounts{{0, "0"}, {1'000'001, "1000001"}}),
      row(MXP_FIELD(limits.max_opened_payloads), Counts{1, 1'000'000}, BadCounts{{0, "0"}, {1'000'001, "1000001"}}),
      row(MXP_FIELD(suites),
          std::vector<std::vector<Suite>>{{Suite::aes_256_gcm}, {Suite::chacha20_poly1305, Suite::aes_256_gcm}},
          std::vector<std::pair<std::vector<Suite>, std::string>>{
              {{}, "empty"}, {{Suite{3}}, "number 3"}, {{Suite::aes_256_gcm, Suite::aes_256_gcm}, "number 2, twice"}}),
  };
}

}  // namespace

BOOST_AUTO_TEST_SUITE(config)

BOOST_AUTO_TEST_CASE(the_defaults_are_good) {
  BOOST_TEST(validate(defaults()).has_value());
  BOOST_TEST(validate(TransportConfig{}).has_value());
}

BOOST_AUTO_TEST_CASE(each_setting_is_taken_to_the_ends_of_its_range_and_no_further) {
  for (const Row& it : rows()) {
    BOOST_TEST_CONTEXT(it.field) {
      for (const Change& change : it.good) {
        EndpointConfig config = defaults();
        change(config);
        BOOST_TEST(validate(config).has_value());
      }
      for (const auto& [change, said] : it.bad) {
        EndpointConfig config = defaults();
        change(config);
        const auto result = validate(config);
        BOOST_TEST_REQUIRE(!result.has_value());
        BOOST_TEST(result.error().field == it.field);
        BOOST_TEST(result.error().value == said);
        BOOST_TEST(!result.error().range.empty());
      }
    }
  }
}

BOOST_AUTO_TEST_CASE(an_error_reads_as_one_sentence) {
  EndpointConfig config = defaults();
  config.transport.idle_timeout = 1194h;
  BOOST_TEST(to_string(validate(config).error()) ==
             "transport.idle_timeout is 4298400000 ms; allowed: 0 (none), or 1 ms to 4294967296 ms");
  BOOST_TEST(validate(config.transport).error().field == "idle_timeout");
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace mxp::test
