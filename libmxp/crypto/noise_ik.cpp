#include "crypto/noise_ik.h"

#include <algorithm>
#include <array>
#include <string_view>

namespace mxp {
namespace {

ByteView as_bytes(std::string_view text) { return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()}; }

SecretArray<32> derived_secret(const SymmetricState& symmetric, std::string_view label) {
  static constexpr std::uint8_t kSeparator = 0;
  SecretArray<32> secret;
  hkdf_expand(symmetric.chaining_key(), {as_bytes(label), ByteView(&kSeparator, 1), symmetric.handshake_hash()},
              secret.bytes());
  return secret;
}

IkResult finish(const SymmetricState& symmetric, std::size_t payload_size) {
  IkResult result;
  result.payload_size = payload_size;
  auto [client_to_server, server_to_client] = symmetric.split();
  result.client_to_server = std::move(client_to_server);
  result.server_to_client = std::move(server_to_client);
  result.handshake_hash = symmetric.handshake_hash();
  result.exporter_secret = derived_secret(symmetric, "mxp1 exporter");
  result.resumption_secret = derived_secret(symmetric, "mxp1 resumption");
  return result;
}

}  // namespace

IkInitiator::IkInitiator(Suite suite, const PrivateKey& s, const PublicKey& rs, ByteView prologue, const PrivateKey& e)
    : s_(s), e_(e), rs_(rs), symmetric_(suite) {
  symmetric_.mix_hash(prologue);
  symmetric_.mix_hash(rs_.bytes());  // the pre-message: <- s
}

std::expected<std::size_t, NoiseError> IkInitiator::write_message_1(ByteView payload, MutableBytes out) {
  if (message_1_written_) return std::unexpected(NoiseError::out_of_order);
  SymmetricState next = symmetric_;
  const auto size = write_first_message(next, s_, rs_, e_, payload, out);
  if (!size) return size;
  symmetric_ = std::move(next);
  message_1_written_ = true;
  return size;
}

std::expected<IkResult, NoiseError> IkInitiator::read_message_2(ByteView message, MutableBytes payload_out) const {
  if (!message_1_written_) return std::unexpected(NoiseError::out_of_order);
  if (message.size() < kIkMessage2Overhead) return std::unexpected(NoiseError::truncated);
  if (payload_out.size() < message.size() - kIkMessage2Overhead) return std::unexpected(NoiseError::buffer_too_small);
  SymmetricState next = symmetric_;
  // e
  const PublicKey re = public_key_at(message);
  next.mix_hash(re.bytes());
  // ee, se
  if (!mix_dh(next, e_, re) || !mix_dh(next, s_, re)) return std::unexpected(NoiseError::low_order_key);
  const auto payload_size = next.decrypt_and_hash(message.subspan(kNoiseDhSize), payload_out);
  if (!payload_size) return std::unexpected(NoiseError::authentication_failed);
  return finish(next, *payload_size);
}

IkResponder::IkResponder(Suite suite, const PrivateKey& s, ByteView prologue) : s_(s), symmetric_(suite) {
  symmetric_.mix_hash(prologue);
  symmetric_.mix_hash(s_.public_key().bytes());  // the pre-message: <- s
}

std::expected<IkResponder::Message1, NoiseError> IkResponder::read_message_1(ByteView message,
                                                                             MutableBytes payload_out) {
  if (next_ != Next::read_message_1) return std::unexpected(NoiseError::out_of_order);
  SymmetricState next = symmetric_;
  const auto first = read_first_message(next, s_, message, payload_out);
  if (!first) return std::unexpected(first.error());
  symmetric_ = std::move(next);
  re_ = first->re;
  rs_ = first->rs;
  next_ = Next::write_message_2;
  return Message1{first->rs, first->payload_size};
}

std::expected<IkResponder::Message2, NoiseError> IkResponder::write_message_2(ByteView payload, const PrivateKey& e,
                                                                              MutableBytes out) {
  if (next_ != Next::write_message_2) return std::unexpected(NoiseError::out_of_order);
  if (out.size() < payload.size() + kIkMessage2Overhead) return std::unexpected(NoiseError::buffer_too_small);
  SymmetricState next = symmetric_;
  // e
  const auto& own = e.public_key().bytes();
  std::copy(own.begin(), own.end(), out.begin());
  next.mix_hash(own);
  // ee, se
  if (!mix_dh(next, e, re_) || !mix_dh(next, e, rs_)) return std::unexpected(NoiseError::low_order_key);
  const std::size_t size = kNoiseDhSize + next.encrypt_and_hash(payload, out.subspan(kNoiseDhSize));
  next_ = Next::nothing;
  return Message2{finish(next, payload.size()), size};
}

}  // namespace mxp
