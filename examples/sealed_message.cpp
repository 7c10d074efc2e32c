// A message for somebody whom only a relay reaches: compressed, sealed to the receiver's key, and opened there. The
// relay sees the header and the size, and can change neither.
//
//   example_sealed_message TEXT     does it in one process, without a network, and prints what each of the three sees
#include <cstdio>
#include <optional>
#include <string>
#include <vector>

#include "mxp/event_loop.h"
#include "mxp/message_compression.h"
#include "mxp/message_sealing.h"

namespace {

using Bytes = std::vector<std::uint8_t>;

constexpr auto kCompressed = static_cast<std::uint8_t>(mxp::MessageFlag::compressed);
constexpr std::size_t kLargestNote = 64 * 1024;  // what the receiver unpacks at most, whatever the sender says

// The whole message, as it is handed to the relay. Empty if the receiver's key is none.
Bytes seal_for(const mxp::PublicKey& receiver, const mxp::PrivateKey& sender, mxp::Message note) {
  static mxp::MessageCompressor compressor;  // takes its memory once
  Bytes buffer(note.payload.size() + mxp::kSealingOverhead);
  // The compressed payload is put where the sealed one is made out of it.
  const auto place = mxp::MutableBytes(buffer).subspan(mxp::kSealedPayloadOffset, note.payload.size());
  if (const auto size = compressor.compress(note.payload, place)) {
    note.flags |= kCompressed;
    note.payload = place.first(*size);
  }
  const auto sealed = mxp::seal_payload(sender, receiver, note, mxp::system_random(), buffer);
  if (!sealed) return {};
  Bytes message(mxp::encoded_size(*sealed));
  static_cast<void>(mxp::encode_message(*sealed, message));
  return message;
}

// What the receiver reads, or the reason why nothing.
std::optional<std::string> read(const mxp::PrivateKey& receiver, const mxp::Message& sealed, std::string_view& reason) {
  static mxp::MessageDecompressor decompressor;
  Bytes plain(sealed.payload.size());
  const auto opened = mxp::open_payload(receiver, sealed, plain);
  if (!opened) return reason = mxp::to_string(opened.error()), std::nullopt;
  mxp::ByteView payload = opened->message.payload;
  Bytes content;
  if ((opened->message.flags & kCompressed) != 0) {
    const auto size = mxp::decompressed_size(payload, kLargestNote);
    content.resize(size.value_or(0));
    const auto unpacked = decompressor.decompress(payload, kLargestNote, content);
    if (!unpacked) return reason = mxp::to_string(unpacked.error()), std::nullopt;
    payload = content;
  }
  std::printf("the receiver: from %s\n", opened->sender.to_string().c_str());
  return std::string(payload.begin(), payload.end());
}

}  // namespace

int main(int argc, char** argv) {
  const std::string text = argc > 1 ? argv[1] : std::string(1000, '.');
  const auto alice = mxp::PrivateKey::generate(mxp::system_random());
  const auto bob = mxp::PrivateKey::generate(mxp::system_random());
  std::printf("the sender: I am %s\n", alice.public_key().to_string().c_str());

  const mxp::ByteView bytes(reinterpret_cast<const std::uint8_t*>(text.data()), text.size());
  const Bytes message = seal_for(bob.public_key(), alice, {.type = mxp::MessageType::event, .id = 1, .payload = bytes});

  const auto relayed = mxp::decode_message(message);
  if (!relayed) return 1;
  std::printf("the relay: message %llu with %zu bytes that I cannot read\n",
              static_cast<unsigned long long>(relayed->id), relayed->payload.size());

  std::string_view reason;
  const auto note = read(bob, *relayed, reason);
  if (!note) return std::fprintf(stderr, "not for me: %s\n", std::string(reason).c_str()), 1;
  std::printf("the receiver: %s\n", note->c_str());
  return *note == text ? 0 : 1;
}
