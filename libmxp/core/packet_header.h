// The clear part of every datagram (docs/protocol.md §2.1, §3).
#pragma once

#include <expected>
#include <variant>

#include "core/cursor.h"
#include "mxp/error.h"
#include "mxp/ids.h"
#include "mxp/keys.h"

namespace mxp {

namespace packet_bits {
inline constexpr std::uint8_t kForm = 0x80, kFixed = 0x40, kReserved = 0x38, kKeyPhase = 0x04, kNumberSize = 0x03;
inline constexpr std::uint8_t kInitial = 0xc0, kResponse = 0xc1;
}  // namespace packet_bits

inline constexpr std::size_t kShortHeaderSize = 1 + ConnectionId::kSize;  // what precedes the packet number
inline constexpr std::size_t kTagSize = 16;
inline constexpr std::size_t kMac1Size = 16;
inline constexpr std::size_t kHandshakeHeaderSize = 1 + 4 + 1 + ConnectionId::kSize;  // the same in messages 1 and 2
inline constexpr std::size_t kMaxTokenSize = 256;
inline constexpr std::size_t kMaxTicketSize = 512;
// The smallest 1-RTT datagram: header, four bytes for number and plaintext together, and tag.
inline constexpr std::size_t kMinShortPacket = kShortHeaderSize + 4 + kTagSize;

// Message 1. All views point into the datagram.
struct InitialHeader {
  std::uint32_t version = 0;
  std::uint8_t suite = 0;  // as on the wire, not checked here
  ConnectionId client_id;
  ByteView token;
  ByteView ticket;
  ByteView prologue;       // from the first byte to the end of the ticket
  ByteView noise_message;  // what lies between the prologue and mac1
  ByteView mac1;           // the last 16 bytes
};
// Message 2.
struct ResponseHeader {
  std::uint32_t version = 0;
  std::uint8_t suite = 0;
  ConnectionId client_id;
  ByteView noise_message;
};
// A 1-RTT packet: only what can be read without keys.
struct ShortHeader {
  ConnectionId destination;
};
using PacketHeader = std::variant<InitialHeader, ResponseHeader, ShortHeader>;

// Reads the clear part of a datagram. Errors: malformed_header (too short, reserved first byte, a field beyond the
// end), unknown_version (of a handshake packet, whose other fields are then not looked at).
std::expected<PacketHeader, DropReason> parse_packet_header(ByteView datagram);

// Writes message 1's header up to the end of the ticket, which is the prologue. False if it does not fit.
bool write_initial_header(Writer& out, Suite suite, ConnectionId client_id, ByteView token, ByteView ticket);
bool write_response_header(Writer& out, Suite suite, ConnectionId client_id);
// Writes the unprotected header of a 1-RTT packet. `number_size` is 1..4. False if it does not fit.
bool write_short_header(Writer& out, ConnectionId destination, bool key_phase, PacketNumber number,
                        std::size_t number_size);

}  // namespace mxp
