#include "connection/handshake_payload.h"

#include <algorithm>

#include "connection/peer_ids.h"
#include "core/frame_reader.h"
#include "core/frame_writer.h"
#include "mxp/version.h"
#include "reliability/ack_tracker.h"
#include "scheduler/messages.h"
#include "scheduler/streams.h"

namespace mxp {

namespace {

template <typename List, typename Value>
bool contains(const List& list, const Value& value) {
  return std::find(list.begin(), list.end(), value) != list.end();
}

template <typename List>
auto best_common(const List& client, const List& server) {
  return std::find_if(client.begin(), client.end(), [&](const auto& value) { return contains(server, value); });
}

}  // namespace

TransportParameters local_parameters(const TransportConfig& config, std::span<const Suite> suites,
                                     std::optional<ConnectionId> connection_id) {
  TransportParameters parameters;
  parameters.max_idle_timeout = std::chrono::floor<std::chrono::milliseconds>(config.idle_timeout);
  parameters.max_udp_payload =
      std::clamp<std::uint64_t>(config.max_receive_udp_payload, kMinInitialSize, kMaxUdpPayload);
  Streams::announce(config.flow_control, parameters);
  Messages::announce(config.messages, parameters);
  // Rounded up: nobody may be told that we are prompter than we are.
  parameters.max_ack_delay = std::chrono::ceil<std::chrono::milliseconds>(config.recovery.max_ack_delay);
  parameters.min_ack_delay = AckTracker::announced_min_delay(config.recovery.max_ack_delay);
  parameters.max_receive_timestamps_per_ack = config.recovery.receive_times_per_ack;
  if (config.migration) parameters.active_connection_id_limit = PeerIds::kLimit;
  parameters.max_datagram_payload = config.datagrams.max_payload;
  parameters.connection_id = connection_id;
  parameters.versions = {kWireVersion};
  for (const Suite suite : suites) parameters.suites.push_back(static_cast<std::uint8_t>(suite));
  return parameters;
}

bool write_handshake_payload(MutableBytes out, const TransportParameters& parameters,
                             const std::optional<CloseFrame>& close, Random* grease) {
  // The size is bounded: two lists of at most 16 entries, twelve integers, one connection id and one greased entry.
  std::array<std::uint8_t, 512> block;
  Writer block_writer(block);
  if (!write_transport_parameters(block_writer, parameters, grease)) return false;
  Writer writer(out);
  if (!writer.varint(block_writer.written()) || !writer.bytes(block_writer.so_far())) return false;
  if (close && !write_frame(writer, *close)) return false;
  return write_padding(writer, writer.space());
}

std::expected<HandshakePayload, TransportError> parse_handshake_payload(ByteView payload, Role sender) {
  Reader reader(payload);
  const auto size = reader.varint();
  const auto block = size ? reader.bytes(*size) : std::nullopt;
  if (!block)
    return std::unexpected(TransportError{TransportErrorCode::transport_parameter_error, 0, "parameters are cut off"});
  auto parameters = parse_transport_parameters(*block, sender);
  if (!parameters) return std::unexpected(parameters.error());

  HandshakePayload result{std::move(*parameters), std::nullopt};
  FrameReader frames(reader.rest());
  for (;;) {
    const auto frame = frames.next();
    if (!frame) return std::unexpected(frame.error());
    if (!frame->has_value()) return result;
    if (std::holds_alternative<PaddingFrame>(**frame)) continue;
    const auto* close = std::get_if<CloseFrame>(&**frame);
    if (close == nullptr || sender != Role::server)
      return std::unexpected(TransportError{TransportErrorCode::protocol_violation, frames.last_type(),
                                            "frame not allowed in a handshake message"});
    result.close = *close;
    return result;  // what follows a CLOSE is ignored (docs/protocol.md §2.2)
  }
}

bool is_best_common_choice(const TransportParameters& client, const TransportParameters& server,
                           std::uint8_t suite_in_use) {
  const auto version = best_common(client.versions, server.versions);
  const auto suite = best_common(client.suites, server.suites);
  return version != client.versions.end() && *version == kWireVersion && suite != client.suites.end() &&
         *suite == suite_in_use;
}

}  // namespace mxp
