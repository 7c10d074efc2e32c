#include <array>

#include "crypto/noise_x.h"
#include "message/flags.h"
#include "message/header.h"
#include "mxp/message_sealing.h"

namespace mxp {
namespace {

static_assert(kSealingOverhead == kXMessageOverhead && kSealedPayloadOffset == kXMessagePayloadOffset);

constexpr Suite kSuite = Suite::chacha20_poly1305;
constexpr std::array<std::uint8_t, 12> kLabel = {'m', 'x', 'p', '1', ' ', 'm', 'e', 's', 's', 'a', 'g', 'e'};

using Prologue = std::array<std::uint8_t, kLabel.size() + kMessageHeaderSize>;

// The label keeps these messages apart from everything else that the same keys may ever sign or seal.
Prologue prologue_of(const Message& sealed) {
  Prologue prologue;
  Writer out(prologue);
  out.bytes(kLabel);
  write_message_header(out, sealed);
  return prologue;
}

SealingError sealing_error(NoiseError error) {
  switch (error) {
    case NoiseError::truncated: return SealingError::truncated;
    case NoiseError::buffer_too_small: return SealingError::buffer_too_small;
    case NoiseError::low_order_key: return SealingError::low_order_key;
    case NoiseError::authentication_failed:
    case NoiseError::out_of_order: break;  // of handshakes only
  }
  return SealingError::authentication_failed;
}

}  // namespace

std::string_view to_string(SealingError error) {
  switch (error) {
    case SealingError::already_sealed: return "payload is already sealed";
    case SealingError::not_sealed: return "payload is not sealed";
    case SealingError::payload_too_large: return "payload is too large to be sealed";
    case SealingError::truncated: return "sealed payload is cut off";
    case SealingError::buffer_too_small: return "buffer is too small for the payload";
    case SealingError::low_order_key: return "low-order public key";
    case SealingError::authentication_failed: return "sealed payload does not open";
  }
  return "unknown error";
}

std::expected<Message, SealingError> seal_payload(const PrivateKey& identity, const PublicKey& receiver,
                                                  const Message& message, Random& random, MutableBytes out) {
  if ((message.flags & kEncrypted) != 0) return std::unexpected(SealingError::already_sealed);
  const std::size_t size = message.payload.size() + kSealingOverhead;
  if (size > kMaxMessagePayload) return std::unexpected(SealingError::payload_too_large);
  if (out.size() < size) return std::unexpected(SealingError::buffer_too_small);
  Message sealed = message;
  sealed.flags |= kEncrypted;
  sealed.payload = out.first(size);
  const PrivateKey ephemeral = PrivateKey::generate(random);
  const auto written =
      write_x_message(kSuite, identity, receiver, prologue_of(sealed), ephemeral, message.payload, out);
  if (!written) return std::unexpected(sealing_error(written.error()));
  return sealed;
}

std::expected<OpenedPayload, SealingError> open_payload(const PrivateKey& identity, const Message& sealed,
                                                        MutableBytes out) {
  if ((sealed.flags & kEncrypted) == 0) return std::unexpected(SealingError::not_sealed);
  const auto read = read_x_message(kSuite, identity, prologue_of(sealed), sealed.payload, out);
  if (!read) return std::unexpected(sealing_error(read.error()));
  OpenedPayload opened{read->rs, sealed};
  opened.message.flags = static_cast<std::uint8_t>(opened.message.flags & ~kEncrypted);
  opened.message.payload = out.first(read->payload_size);
  return opened;
}

}  // namespace mxp
