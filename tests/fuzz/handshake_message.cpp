// Noise messages from a stranger. The first byte of the input chooses the suite and what the rest is:
//   message 1 for a responder, message 2 for an initiator, or (two bytes: a place to damage) the payload of a genuine
//   handshake.
#include <algorithm>
#include <vector>

#include "crypto/noise_ik.h"
#include "handshake_keys.h"
#include "require.h"

using namespace mxp;
using fuzz::require;

namespace {

constexpr std::size_t kMaxInput = 1500;

void read_message_1(Suite suite, ByteView message) {
  IkResponder responder(suite, fuzz::server_key(), fuzz::kPrologue);
  std::vector<std::uint8_t> payload(message.size());
  const auto read = responder.read_message_1(message, payload);
  std::vector<std::uint8_t> answer(64 + kIkMessage2Overhead);
  const auto written = responder.write_message_2({}, fuzz::server_ephemeral(), answer);
  require(read.has_value() == written.has_value(), "a responder answers what it could read, and nothing else");
  if (!read) return;
  require(read->payload_size + kIkMessage1Overhead == message.size(), "the payload is what the overhead leaves");
}

void read_message_2(Suite suite, ByteView message) {
  IkInitiator initiator(suite, fuzz::client_key(), fuzz::server_key().public_key(), fuzz::kPrologue,
                        fuzz::client_ephemeral());
  std::array<std::uint8_t, kIkMessage1Overhead> message_1;
  require(initiator.write_message_1({}, message_1).has_value(), "a genuine initiator can write");
  std::vector<std::uint8_t> payload(message.size());
  const auto read = initiator.read_message_2(message, payload);
  if (read)
    require(read->payload_size + kIkMessage2Overhead == message.size(), "the payload is what the overhead leaves");
}

// One damaged byte is refused and changes nothing: the same object takes the genuine message after it.
void damaged_then_genuine(Suite suite, std::size_t place, ByteView payload) {
  IkInitiator initiator(suite, fuzz::client_key(), fuzz::server_key().public_key(), fuzz::kPrologue,
                        fuzz::client_ephemeral());
  IkResponder responder(suite, fuzz::server_key(), fuzz::kPrologue);
  std::vector<std::uint8_t> read_to(payload.size());

  std::vector<std::uint8_t> message_1(payload.size() + kIkMessage1Overhead);
  require(initiator.write_message_1(payload, message_1).has_value(), "message 1 can be written");
  // Bit 0, because X25519 ignores the top bit of the last byte of an ephemeral key (it is hashed all the same).
  message_1[place % message_1.size()] ^= 1;
  require(!responder.read_message_1(message_1, read_to), "a damaged message 1 is refused");
  message_1[place % message_1.size()] ^= 1;
  const auto first = responder.read_message_1(message_1, read_to);
  require(first && first->rs == fuzz::client_key().public_key() && std::ranges::equal(read_to, payload),
          "the genuine one is read");

  std::vector<std::uint8_t> message_2(payload.size() + kIkMessage2Overhead);
  const auto second = responder.write_message_2(payload, fuzz::server_ephemeral(), message_2);
  require(second && second->size == message_2.size(), "message 2 can be written");
  message_2[place % message_2.size()] ^= 1;
  require(!initiator.read_message_2(message_2, read_to), "a damaged message 2 is refused");
  message_2[place % message_2.size()] ^= 1;
  const auto result = initiator.read_message_2(message_2, read_to);
  require(result && std::ranges::equal(read_to, payload), "the genuine one is read");
  require(result->handshake_hash == second->result.handshake_hash, "both sides agree");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0 || size > kMaxInput) return 0;
  const Suite suite = (data[0] & 1) != 0 ? Suite::aes_256_gcm : Suite::chacha20_poly1305;
  const ByteView rest(data + 1, size - 1);
  switch (data[0] >> 1 & 3) {
    case 0: read_message_1(suite, rest); break;
    case 1: read_message_2(suite, rest); break;
    default:
      if (rest.size() >= 2)
        damaged_then_genuine(suite, static_cast<std::size_t>(rest[0]) << 8 | rest[1], rest.subspan(2));
  }
  return 0;
}
