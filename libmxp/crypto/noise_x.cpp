#include "crypto/noise_x.h"

namespace mxp {
namespace {

SymmetricState initial_state(Suite suite, ByteView prologue, const PublicKey& receiver) {
  SymmetricState state(suite, NoisePattern::x);
  state.mix_hash(prologue);
  state.mix_hash(receiver.bytes());  // the pre-message: <- s
  return state;
}

}  // namespace

std::expected<std::size_t, NoiseError> write_x_message(Suite suite, const PrivateKey& s, const PublicKey& rs,
                                                       ByteView prologue, const PrivateKey& e, ByteView payload,
                                                       MutableBytes out) {
  SymmetricState state = initial_state(suite, prologue, rs);
  return write_first_message(state, s, rs, e, payload, out);
}

std::expected<FirstMessage, NoiseError> read_x_message(Suite suite, const PrivateKey& s, ByteView prologue,
                                                       ByteView message, MutableBytes payload_out) {
  SymmetricState state = initial_state(suite, prologue, s.public_key());
  return read_first_message(state, s, message, payload_out);
}

}  // namespace mxp
