// What both handshake messages carry inside their encryption (docs/protocol.md §2.2): parameters, then frames.
#pragma once

#include <expected>
#include <optional>
#include <span>

#include "core/frames.h"
#include "core/transport_parameters.h"
#include "mxp/config.h"
#include "mxp/random.h"

namespace mxp {

struct HandshakePayload {
  TransportParameters parameters;
  std::optional<CloseFrame> close;  // message 2 only; its reason is a view into the payload
};

// Our side's parameters. `connection_id` is for message 2 alone.
TransportParameters local_parameters(const TransportConfig& config, std::span<const Suite> suites,
                                     std::optional<ConnectionId> connection_id);

// Writes the payload and pads it until exactly `size` bytes are used. False if it does not fit.
bool write_handshake_payload(MutableBytes out, const TransportParameters& parameters,
                             const std::optional<CloseFrame>& close, Random* grease);

// Errors: TRANSPORT_PARAMETER_ERROR, FRAME_ENCODING_ERROR, PROTOCOL_VIOLATION (a frame that has no place here).
std::expected<HandshakePayload, TransportError> parse_handshake_payload(ByteView payload, Role sender);

// Whether version and suite in use are the best that both sides have: the first of the client's list that the server's
// list holds. What an attacker cut out of a list shows here, because the lists travel inside the Noise payloads.
bool is_best_common_choice(const TransportParameters& client, const TransportParameters& server,
                           std::uint8_t suite_in_use);

}  // namespace mxp
