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

// The parameters that we announce. Only message 2 has a `connection_id`.
TransportParameters local_parameters(const TransportConfig& config, std::span<const Suite> suites,
                                     std::optional<ConnectionId> connection_id);

// Writes the payload and pads it until it fills `out`. A greased parameter is made from `grease`, unless it is null.
// False if the payload does not fit.
bool write_handshake_payload(MutableBytes out, const TransportParameters& parameters,
                             const std::optional<CloseFrame>& close, Random* grease);

// Errors: TRANSPORT_PARAMETER_ERROR, FRAME_ENCODING_ERROR, PROTOCOL_VIOLATION (a frame that is not allowed here).
std::expected<HandshakePayload, TransportError> parse_handshake_payload(ByteView payload, Role sender);

// Whether the version and the suite in use are the best that both sides have: the first of the client's list that the
// server's list holds as well. Nobody can take a better one off a list unnoticed, because the lists travel inside the
// Noise payloads.
bool is_best_common_choice(const TransportParameters& client, const TransportParameters& server,
                           std::uint8_t suite_in_use);

}  // namespace mxp
