#include "crypto/key_schedule.h"

#include <string_view>

#include "crypto/primitives.h"

namespace mxp {
namespace {

template <std::size_t N>
SecretArray<N> expand(const TrafficSecret& secret, std::string_view label) {
  SecretArray<N> out;
  hkdf_expand(secret.view(), {ByteView(reinterpret_cast<const std::uint8_t*>(label.data()), label.size())},
              out.bytes());
  return out;
}

}  // namespace

PacketKeys derive_packet_keys(const TrafficSecret& secret) {
  return {
      .key = expand<32>(secret, "mxp1 key"), .iv = expand<12>(secret, "mxp1 iv"), .hp = expand<32>(secret, "mxp1 hp")};
}

TrafficSecret derive_next_secret(const TrafficSecret& secret) { return expand<32>(secret, "mxp1 ku"); }

}  // namespace mxp
