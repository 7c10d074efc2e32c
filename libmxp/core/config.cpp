// The ranges of mxp/config.h, one row for each setting.
#include "mxp/config.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <optional>

#include "core/frames.h"
#include "core/transport_parameters.h"
#include "mxp/message_options.h"

namespace mxp {

namespace {

using Found = std::optional<ConfigError>;

constexpr std::uint64_t kLargestBuffer = std::uint64_t{1} << 40;
constexpr std::size_t kMostSpans = 65536;

struct Counted {
  std::string_view field;
  std::uint64_t value, lowest, highest;
  std::string_view range;
};

Found check(const Counted& it) {
  if (it.value >= it.lowest && it.value <= it.highest) return std::nullopt;
  return ConfigError{it.field, std::to_string(it.value), it.range};
}

struct Timed {
  enum class Zero : std::uint8_t { refused, means_none };
  std::string_view field;
  Duration value, lowest, highest;
  Zero zero;
  std::string_view range;
};

// In the largest unit that loses nothing.
std::string in_words(Duration value) {
  const auto nanoseconds = value.count();
  if (nanoseconds % 1'000'000 == 0) return fmt::format("{} ms", nanoseconds / 1'000'000);
  if (nanoseconds % 1'000 == 0) return fmt::format("{} us", nanoseconds / 1'000);
  return fmt::format("{} ns", nanoseconds);
}

Found check(const Timed& it) {
  if (it.zero == Timed::Zero::means_none && it.value == Duration::zero()) return std::nullopt;
  if (it.value >= it.lowest && it.value <= it.highest) return std::nullopt;
  return ConfigError{it.field, in_words(it.value), it.range};
}

Found find(const FlowControlConfig& config) {
  constexpr std::string_view kWindow = "0 to 4611686018427387903 bytes", kStreams = "0 to 1152921504606846976 streams",
                             kBuffer = "1 to 1099511627776 bytes";
  const Counted rows[] = {
      {"transport.flow_control.connection_window", config.connection_window, 0, kMaxVarint, kWindow},
      {"transport.flow_control.max_connection_window", config.max_connection_window, 0, kMaxVarint, kWindow},
      {"transport.flow_control.stream_window", config.stream_window, 0, kMaxVarint, kWindow},
      {"transport.flow_control.max_stream_window", config.max_stream_window, 0, kMaxVarint, kWindow},
      {"transport.flow_control.max_streams_bidirectional", config.max_streams_bidirectional, 0, kMaxStreamCount,
       kStreams},
      {"transport.flow_control.max_streams_unidirectional", config.max_streams_unidirectional, 0, kMaxStreamCount,
       kStreams},
      {"transport.flow_control.stream_send_buffer", config.stream_send_buffer, 1, kLargestBuffer, kBuffer},
      {"transport.flow_control.connection_send_buffer", config.connection_send_buffer, 1, kLargestBuffer, kBuffer},
      {"transport.flow_control.max_reassembly_spans", config.max_reassembly_spans, 1, kMostSpans, "1 to 65536 gaps"},
  };
  for (const Counted& row : rows)
    if (Found found = check(row)) return found;
  return std::nullopt;
}

Found find(const DatagramConfig& config) {
  constexpr std::uint64_t kLargestQueue = std::uint64_t{1} << 30, kMostDatagrams = std::uint64_t{1} << 20;
  constexpr std::string_view kBytes = "1 to 1073741824 bytes";
  const Counted rows[] = {
      {"transport.datagrams.max_payload", config.max_payload, 0, kMaxUdpPayload, "0 (none) to 65507 bytes"},
      {"transport.datagrams.queue_bytes", config.queue_bytes, 1, kLargestQueue, kBytes},
      {"transport.datagrams.queue_datagrams", config.queue_datagrams, 1, kMostDatagrams, "1 to 1048576 datagrams"},
      {"transport.datagrams.burst_bytes", config.burst_bytes, 1, kLargestQueue, kBytes},
  };
  for (const Counted& row : rows)
    if (Found found = check(row)) return found;
  // Slower rates would make times that do not fit into a Duration.
  constexpr std::uint64_t kLeastRate = 1000;
  if (config.rate.is_zero()) return std::nullopt;
  return check(Counted{"transport.datagrams.rate", config.rate.bytes_per_second(), kLeastRate, UINT64_MAX,
                       "0 (no limit), or at least 1000 bytes a second"});
}

Found find(const TransportConfig& config) {
  using namespace std::chrono_literals;
  using Zero = Timed::Zero;
  constexpr std::string_view kNoneOr = "0 (none), or 1 ms to 4294967296 ms", kAtLeast1 = "1 ms to 4294967296 ms";
  const Timed times[] = {
      {"transport.idle_timeout", config.idle_timeout, kShortestSetting, kLongestSetting, Zero::means_none, kNoneOr},
      {"transport.keepalive", config.keepalive, kShortestSetting, kLongestSetting, Zero::means_none, kNoneOr},
      {"transport.handshake_timeout", config.handshake_timeout, kShortestSetting, kLongestSetting, Zero::refused,
       kAtLeast1},
      {"transport.recovery.initial_rtt", config.recovery.initial_rtt, 1us, 60s, Zero::refused, "1 us to 60000 ms"},
      {"transport.recovery.max_ack_delay", config.recovery.max_ack_delay, 0ms, kLongestAckDelay, Zero::means_none,
       "0 to 16383 ms"},
      {"transport.scheduler.coalescing_delay", config.scheduler.coalescing_delay, Duration(1), 10ms, Zero::means_none,
       "0 (none) to 10 ms"},
      {"transport.key_update.interval", config.key_update.interval, Duration(1), Duration::max(), Zero::refused,
       "more than 0"},
  };
  for (const Timed& row : times)
    if (Found found = check(row)) return found;

  constexpr std::string_view kDatagram = "1200 to 65507 bytes", kWeight = "1 to 1000",
                             kMessageWindow = "2048 to 2^40 bytes";
  const Counted counts[] = {
      {"transport.max_udp_payload", config.max_udp_payload, kMinInitialSize, kMaxUdpPayload, kDatagram},
      {"transport.max_receive_udp_payload", config.max_receive_udp_payload, kMinInitialSize, kMaxUdpPayload, kDatagram},
      {"transport.recovery.receive_times_per_ack", config.recovery.receive_times_per_ack, 0, kMaxReceiveTimes,
       "0 (none) to 64"},
      {"transport.key_update.packets", config.key_update.packets, 1, UINT64_MAX, "at least 1"},
      {"transport.messages.window", config.messages.window, 0, kMaxMessageWindow, "0 (none) to 1048576"},
      {"transport.messages.receive_window", config.messages.receive_window, 2048, kLargestBuffer, kMessageWindow},
      {"transport.messages.max_receive_window", config.messages.max_receive_window, 2048, kLargestBuffer,
       kMessageWindow},
      {"transport.messages.max_message", config.messages.max_message, kMaxShortMessage, kMaxMessagePayload,
       "1100 to 16777216 bytes"},
      {"transport.messages.send_buffer", config.messages.send_buffer, 2048, kLargestBuffer, kMessageWindow},
      {"transport.messages.max_decompressed", config.messages.max_decompressed, 0, kMaxMessagePayload,
       "0 to 16777216 bytes"},
      {"transport.calls.max_waiting", config.calls.max_waiting, 1, 65536, "1 to 65536 calls"},
      {"transport.calls.max_incoming", config.calls.max_incoming, 1, 65536, "1 to 65536 calls"},
      {"transport.scheduler.class_weights[0]", config.scheduler.class_weights[0], 1, 1000, kWeight},
      {"transport.scheduler.class_weights[1]", config.scheduler.class_weights[1], 1, 1000, kWeight},
      {"transport.scheduler.class_weights[2]", config.scheduler.class_weights[2], 1, 1000, kWeight},
      {"transport.scheduler.class_weights[3]", config.scheduler.class_weights[3], 1, 1000, kWeight},
      {"transport.scheduler.critical_burst", config.scheduler.critical_burst, 0, kLargestBuffer, "0 to 2^40 bytes"},
  };
  for (const Counted& row : counts)
    if (Found found = check(row)) return found;
  if (Found found = find(config.datagrams)) return found;
  return find(config.flow_control);
}

Found find(const EndpointLimits& limits) {
  constexpr std::string_view kMemory = "1048576 to 1125899906842624 bytes";
  constexpr std::uint64_t kLeastMemory = std::uint64_t{1} << 20, kMostMemory = std::uint64_t{1} << 50;
  const Counted rows[] = {
      {"limits.max_connections_per_key", limits.max_connections_per_key, 1, UINT64_MAX, "at least 1"},
      {"limits.memory", limits.memory, kLeastMemory, kMostMemory, kMemory},
      {"limits.memory_per_key", limits.memory_per_key, kLeastMemory, kMostMemory, kMemory},
      {"limits.max_fruitless_handshakes", limits.max_fruitless_handshakes, 1, 1'000'000, "1 to 1000000 in a second"},
      {"limits.max_opened_payloads", limits.max_opened_payloads, 1, 1'000'000, "1 to 1000000 in a second"},
  };
  for (const Counted& row : rows)
    if (Found found = check(row)) return found;
  return std::nullopt;
}

Found find(const std::vector<Suite>& suites) {
  constexpr std::string_view kField = "suites";
  constexpr std::string_view kRange = "aes256 and chacha20, at least one and each at most once";
  if (suites.empty()) return ConfigError{kField, "empty", kRange};
  for (auto it = suites.begin(); it != suites.end(); ++it) {
    if (*it != Suite::aes_256_gcm && *it != Suite::chacha20_poly1305)
      return ConfigError{kField, fmt::format("number {}", static_cast<unsigned>(*it)), kRange};
    if (std::find(suites.begin(), it, *it) != it)
      return ConfigError{kField, fmt::format("number {}, twice", static_cast<unsigned>(*it)), kRange};
  }
  return std::nullopt;
}

}  // namespace

std::string to_string(const ConfigError& error) {
  return fmt::format("{} is {}; allowed: {}", error.field, error.value, error.range);
}

std::expected<void, ConfigError> validate(const TransportConfig& config) {
  Found found = find(config);
  if (!found) return {};
  constexpr std::string_view kPrefix = "transport.";
  found->field.remove_prefix(kPrefix.size());
  return std::unexpected(std::move(*found));
}

std::expected<void, ConfigError> validate(const EndpointConfig& config) {
  Found found = find(config.transport);
  if (!found) found = find(config.suites);
  if (!found) found = find(config.limits);
  if (!found) return {};
  return std::unexpected(std::move(*found));
}

}  // namespace mxp
