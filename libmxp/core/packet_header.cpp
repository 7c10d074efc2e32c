#include "core/packet_header.h"

#include <algorithm>

#include "mxp/version.h"

namespace mxp {
namespace {

constexpr std::unexpected<DropReason> kMalformed(DropReason::malformed_header);

ConnectionId read_connection_id(ByteView bytes) {
  ConnectionId::Bytes id;
  std::copy_n(bytes.begin(), id.size(), id.begin());
  return ConnectionId(id);
}

std::expected<PacketHeader, DropReason> parse_initial_rest(ByteView datagram, Reader in, InitialHeader header) {
  const auto token_size = in.le<std::uint16_t>();
  if (!token_size || *token_size > kMaxTokenSize) return kMalformed;
  const auto token = in.bytes(*token_size);
  if (!token) return kMalformed;
  const auto ticket_size = in.le<std::uint16_t>();
  if (!ticket_size || *ticket_size > kMaxTicketSize) return kMalformed;
  const auto ticket = in.bytes(*ticket_size);
  if (!ticket || in.remaining() < kMac1Size) return kMalformed;
  header.token = *token;
  header.ticket = *ticket;
  header.prologue = datagram.first(datagram.size() - in.remaining());
  header.noise_message = in.rest().first(in.remaining() - kMac1Size);
  header.mac1 = in.rest().last(kMac1Size);
  return header;
}

bool write_handshake_header(Writer& out, std::uint8_t first_byte, Suite suite, ConnectionId client_id) {
  if (out.space() < kHandshakeHeaderSize) return false;
  out.u8(first_byte);
  out.le(kWireVersion);
  out.u8(static_cast<std::uint8_t>(suite));
  return out.bytes(client_id.bytes());
}

}  // namespace

std::expected<PacketHeader, DropReason> parse_packet_header(ByteView datagram) {
  if (datagram.empty()) return kMalformed;
  const std::uint8_t first_byte = datagram.front();
  if ((first_byte & packet_bits::kForm) == 0) {
    if ((first_byte & packet_bits::kFixed) == 0 || datagram.size() < kMinShortPacket) return kMalformed;
    return ShortHeader{read_connection_id(datagram.subspan(1, ConnectionId::kSize))};
  }
  if (first_byte != packet_bits::kInitial && first_byte != packet_bits::kResponse) return kMalformed;
  if (datagram.size() < kHandshakeHeaderSize) return kMalformed;
  Reader in(datagram.subspan(1));
  const std::uint32_t version = *in.le<std::uint32_t>();
  if (version != kWireVersion) return std::unexpected(DropReason::unknown_version);
  const std::uint8_t suite = *in.u8();
  const ConnectionId client_id = read_connection_id(*in.bytes(ConnectionId::kSize));
  if (first_byte == packet_bits::kResponse) return ResponseHeader{version, suite, client_id, in.rest()};
  InitialHeader header;
  header.version = version;
  header.suite = suite;
  header.client_id = client_id;
  return parse_initial_rest(datagram, in, header);
}

bool write_initial_header(Writer& out, Suite suite, ConnectionId client_id, ByteView token, ByteView ticket) {
  if (token.size() > kMaxTokenSize || ticket.size() > kMaxTicketSize) return false;
  if (out.space() < kHandshakeHeaderSize + 2 + token.size() + 2 + ticket.size()) return false;
  write_handshake_header(out, packet_bits::kInitial, suite, client_id);
  out.le(static_cast<std::uint16_t>(token.size()));
  out.bytes(token);
  out.le(static_cast<std::uint16_t>(ticket.size()));
  return out.bytes(ticket);
}

bool write_response_header(Writer& out, Suite suite, ConnectionId client_id) {
  return write_handshake_header(out, packet_bits::kResponse, suite, client_id);
}

bool write_short_header(Writer& out, ConnectionId destination, bool key_phase, PacketNumber number,
                        std::size_t number_size) {
  if (out.space() < kShortHeaderSize + number_size) return false;
  out.u8(static_cast<std::uint8_t>(packet_bits::kFixed | (key_phase ? packet_bits::kKeyPhase : 0) | (number_size - 1)));
  out.bytes(destination.bytes());
  for (std::size_t i = number_size; i-- > 0;)
    out.u8(static_cast<std::uint8_t>(number.value() >> (8 * i)));  // big-endian
  return true;
}

}  // namespace mxp
