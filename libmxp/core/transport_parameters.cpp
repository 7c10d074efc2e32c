#include "core/transport_parameters.h"

#include <algorithm>
#include <chrono>
#include <limits>

#include "core/frames.h"
#include "mxp/config.h"

namespace mxp {
namespace {

namespace id {
constexpr std::uint64_t kMaxIdleTimeout = 0x01, kMaxUdpPayload = 0x03, kMaxData = 0x04, kStreamDataBidiLocal = 0x05,
                        kStreamDataBidiRemote = 0x06, kStreamDataUni = 0x07, kStreamsBidi = 0x08, kStreamsUni = 0x09,
                        kMaxAckDelay = 0x0b, kActiveConnectionIds = 0x0e, kConnectionId = 0x10, kVersions = 0x11,
                        kSuites = 0x12, kMinAckDelay = 0x13, kReceiveTimes = 0x14, kMessages = 0x15,
                        kMaxDatagramPayload = 0x16, kMessageData = 0x17, kCompactMessages = 0x18,
                        kMaxMessageSize = 0x19, kOrderedMessages = 0x1a;
}  // namespace id

// Ids of the form 31 N + 27 mean nothing and never will.
constexpr std::uint64_t kGreaseStep = 31, kGreaseOffset = 27;
constexpr std::size_t kMaxGreaseSize = 16;

// The parameters that are one varint, with their bounds. Reading and writing both follow this table.
struct Number {
  std::uint64_t id;
  std::uint64_t TransportParameters::* member;
  std::uint64_t lowest, highest;
};
constexpr Number kNumbers[] = {
    {id::kMaxUdpPayload, &TransportParameters::max_udp_payload, kMinInitialSize, kMaxUdpPayload},
    {id::kMaxData, &TransportParameters::initial_max_data, 0, kMaxVarint},
    {id::kStreamDataBidiLocal, &TransportParameters::initial_max_stream_data_bidi_local, 0, kMaxVarint},
    {id::kStreamDataBidiRemote, &TransportParameters::initial_max_stream_data_bidi_remote, 0, kMaxVarint},
    {id::kStreamDataUni, &TransportParameters::initial_max_stream_data_uni, 0, kMaxVarint},
    {id::kStreamsBidi, &TransportParameters::initial_max_streams_bidi, 0, kMaxStreamCount},
    {id::kStreamsUni, &TransportParameters::initial_max_streams_uni, 0, kMaxStreamCount},
    {id::kMessages, &TransportParameters::initial_max_messages, 0, kMaxMessageWindow},
    {id::kMessageData, &TransportParameters::initial_max_message_data, 0, kMaxVarint},
    {id::kMaxMessageSize, &TransportParameters::max_message_size, kMaxShortMessage, kMaxMessagePayload},
    {id::kCompactMessages, &TransportParameters::takes_compact_messages, 0, 1},
    {id::kOrderedMessages, &TransportParameters::takes_ordered_messages, 0, 1},
    {id::kActiveConnectionIds, &TransportParameters::active_connection_id_limit, 1, kMaxVarint},
    {id::kReceiveTimes, &TransportParameters::max_receive_timestamps_per_ack, 0, kMaxReceiveTimes},
    {id::kMaxDatagramPayload, &TransportParameters::max_datagram_payload, 0, kMaxUdpPayload},
};
constexpr std::uint64_t whole_ms(Duration value) {
  return static_cast<std::uint64_t>(std::chrono::duration_cast<std::chrono::milliseconds>(value).count());
}
constexpr std::uint64_t whole_us(Duration value) {
  return static_cast<std::uint64_t>(std::chrono::duration_cast<std::chrono::microseconds>(value).count());
}
struct Delay {
  std::uint64_t id;
  Duration TransportParameters::* member;
  Duration highest;
  std::uint64_t highest_ms() const { return whole_ms(highest); }
};
constexpr Delay kDelays[] = {
    {id::kMaxIdleTimeout, &TransportParameters::max_idle_timeout, kLongestSetting},
    {id::kMaxAckDelay, &TransportParameters::max_ack_delay, kLongestAckDelay},
};

bool write_number(Writer& out, std::uint64_t parameter, std::uint64_t value) {
  return out.varint(parameter) && out.varint(varint_size(value)) && out.varint(value);
}

bool write_bytes(Writer& out, std::uint64_t parameter, ByteView value) {
  return out.varint(parameter) && out.varint(value.size()) && out.bytes(value);
}

bool write_grease(Writer& out, Random& random) {
  std::array<std::uint8_t, 5 + kMaxGreaseSize> chance;
  random.fill(chance);
  Reader in(chance);
  const std::uint64_t n = *in.le<std::uint32_t>();
  const std::size_t size = *in.u8() % (kMaxGreaseSize + 1);
  return write_bytes(out, kGreaseStep * n + kGreaseOffset, in.rest().first(size));
}

bool write_all(Writer& out, const TransportParameters& parameters, Random* random) {
  const TransportParameters defaults;
  for (const Delay& delay : kDelays) {
    const Duration value = parameters.*delay.member;
    if (value < Duration::zero() || whole_ms(value) > delay.highest_ms()) return false;
    if (value != defaults.*delay.member && !write_number(out, delay.id, whole_ms(value))) return false;
  }
  for (const Number& number : kNumbers) {
    const std::uint64_t value = parameters.*number.member;
    if (value < number.lowest || value > number.highest) return false;
    if (value != defaults.*number.member && !write_number(out, number.id, value)) return false;
  }
  if (parameters.min_ack_delay) {
    const Duration value = *parameters.min_ack_delay;
    if (value < Duration::zero() || value > parameters.max_ack_delay) return false;
    if (!write_number(out, id::kMinAckDelay, whole_us(value))) return false;
  }
  if (parameters.connection_id && !write_bytes(out, id::kConnectionId, parameters.connection_id->bytes())) return false;

  if (parameters.versions.empty() || parameters.versions.size() > kMaxListedVersions) return false;
  if (!out.varint(id::kVersions) || !out.varint(4 * parameters.versions.size())) return false;
  for (const std::uint32_t version : parameters.versions) {
    if (!out.le(version)) return false;
  }
  if (parameters.suites.empty() || parameters.suites.size() > kMaxListedSuites) return false;
  if (!write_bytes(out, id::kSuites, parameters.suites)) return false;
  return random == nullptr || write_grease(out, *random);
}

std::unexpected<TransportError> refused(std::string_view reason) {
  return std::unexpected(TransportError{TransportErrorCode::transport_parameter_error, 0, reason});
}

// A varint that fills `value` exactly and lies in [lowest, highest].
std::expected<std::uint64_t, TransportError> read_number(ByteView value, std::uint64_t lowest, std::uint64_t highest) {
  Reader in(value);
  const auto number = in.varint();
  if (!number || !in.empty()) return refused("parameter does not fill its length");
  if (*number < lowest || *number > highest) return refused("parameter out of bounds");
  return *number;
}

std::expected<void, TransportError> read_parameter(TransportParameters& out, std::uint64_t parameter, ByteView value,
                                                   Role sender) {
  for (const Number& number : kNumbers) {
    if (number.id != parameter) continue;
    const auto read = read_number(value, number.lowest, number.highest);
    if (!read) return std::unexpected(read.error());
    out.*number.member = *read;
    return {};
  }
  for (const Delay& delay : kDelays) {
    if (delay.id != parameter) continue;
    const auto read = read_number(value, 0, delay.highest_ms());
    if (!read) return std::unexpected(read.error());
    out.*delay.member = std::chrono::milliseconds(*read);
    return {};
  }
  Reader in(value);
  switch (parameter) {
    case id::kConnectionId: {
      if (sender == Role::client) return refused("connection_id from a client");
      if (value.size() != ConnectionId::kSize) return refused("connection_id is not 8 bytes");
      ConnectionId::Bytes bytes;
      std::copy(value.begin(), value.end(), bytes.begin());
      out.connection_id = ConnectionId(bytes);
      return {};
    }
    case id::kMinAckDelay: {
      const auto read = read_number(value, 0, whole_us(kLongestAckDelay));
      if (!read) return std::unexpected(read.error());
      out.min_ack_delay = std::chrono::microseconds(*read);
      return {};
    }
    case id::kVersions:
      if (value.empty() || value.size() % 4 != 0 || value.size() > 4 * kMaxListedVersions) {
        return refused("versions is not a list of 1 to 16 entries");
      }
      while (const auto version = in.le<std::uint32_t>()) out.versions.push_back(*version);
      return {};
    case id::kSuites:
      if (value.empty() || value.size() > kMaxListedSuites) return refused("suites is not a list of 1 to 16 entries");
      out.suites.assign(value.begin(), value.end());
      return {};
    default: return {};  // an unknown parameter is ignored
  }
}

}  // namespace

bool write_transport_parameters(Writer& out, const TransportParameters& parameters, Random* random) {
  Writer whole(out.free_space());
  if (!write_all(whole, parameters, random)) return false;
  out.commit(whole.written());
  return true;
}

std::expected<TransportParameters, TransportError> parse_transport_parameters(ByteView bytes, Role sender) {
  TransportParameters out;
  std::vector<std::uint64_t> seen;  // at most one for every two bytes of a handshake payload
  Reader in(bytes);
  while (!in.empty()) {
    const auto parameter = in.varint();
    if (!parameter) return refused("parameter id cut off");
    const auto size = in.varint();
    if (!size) return refused("parameter length cut off");
    const auto value = in.bytes(*size);
    if (!value) return refused("parameter value cut off");
    if (const auto read = read_parameter(out, *parameter, *value, sender); !read) return std::unexpected(read.error());
    seen.push_back(*parameter);
  }
  // Sorted once at the end, so that a peer cannot make this quadratic. Lists that came twice are refused here as well.
  std::sort(seen.begin(), seen.end());
  if (std::adjacent_find(seen.begin(), seen.end()) != seen.end()) return refused("parameter sent twice");
  if (out.min_ack_delay && *out.min_ack_delay > out.max_ack_delay) return refused("min_ack_delay above max_ack_delay");
  if (out.versions.empty()) return refused("versions is missing");
  if (out.suites.empty()) return refused("suites is missing");
  return out;
}

}  // namespace mxp
