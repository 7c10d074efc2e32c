// The handshake messages that a capture shows of one connection, as different byte strings with the number of their
// copies. A connection has one message 1 and one message 2, each repeated byte by byte (docs/protocol.md §2.3).
// Anything else that comes under its name was damaged on the way or forged, and the copies tell which is which.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "mxp/bytes.h"
#include "mxp/ids.h"

namespace mxp::dump {

enum class HandshakeMessage : std::uint8_t { initial, response };

struct HandshakeCopy {
  HandshakeMessage message = HandshakeMessage::initial;
  ConnectionId client_id;
  std::uint8_t suite = 0;
  std::uint64_t whole = 0;  // hash of all bytes
  std::uint64_t rest = 0;   // of all but the suite and the id
  // Hashes of the ephemeral key and of the last 16 bytes, which no two different messages share. 0 if not known.
  std::uint64_t ephemeral = 0;
  std::uint64_t tail = 0;
  std::optional<std::uint64_t> time_ns;
};
// `cut`: more was sent than was captured. REQUIRES: at least kHandshakeHeaderSize bytes.
enum class Captured : std::uint8_t { whole, cut };
HandshakeCopy describe_handshake(ByteView payload, HandshakeMessage message, Captured captured,
                                 std::optional<std::uint64_t> time_ns);

// What the other copies say of one copy.
enum class HandshakeVerdict : std::uint8_t {
  good,
  damaged,      // the same message as another copy, and not the same bytes
  other_suite,  // a message 2 whose suite is not that of message 1, so the client drops it
  other_answer  // a message 2 besides the one that the client took; only one can verify
};

class HandshakeCopies {
 public:
  // Our choice: how many different byte strings of one connection are kept. Further ones are judged like the rest.
  static constexpr std::size_t kMaxVariants = 16;

  void add(const HandshakeCopy& copy);
  bool empty() const { return variants_.empty(); }
  bool any(HandshakeMessage message) const;
  // Whether a copy is the same message as one of these, even if some of its bytes are damaged.
  bool related(const HandshakeCopy& copy) const;

  // A packet of the server to this id was captured. True if the id is that of a message, which is now known to be the
  // right one.
  bool confirm(ConnectionId id);

  // The id that was confirmed, or else that of the most copies.
  std::optional<ConnectionId> client_id() const;
  // The suite that most copies say; a message 1 counts before a message 2.
  std::optional<std::uint8_t> suite() const;
  // `suite` is what decryption has shown, if it has. `confirmed_ns` is the time of the client's first packet after
  // message 2, which it sends at once (docs/protocol.md §2.3): so the message 2 just before is the one that it took.
  HandshakeVerdict judge(const HandshakeCopy& copy, std::optional<std::uint8_t> suite,
                         std::optional<std::uint64_t> confirmed_ns) const;

 private:
  struct Variant {
    HandshakeCopy first;
    std::uint64_t count = 0;
  };
  bool answers(const Variant& variant, std::optional<std::uint8_t> suite) const;

  std::vector<Variant> variants_;
  std::optional<ConnectionId> confirmed_;
};

}  // namespace mxp::dump
