// From a traffic secret to the keys that protect packets (docs/protocol.md §2.4).
#pragma once

#include "crypto/secret.h"

namespace mxp {

struct PacketKeys {
  SecretArray<32> key;  // AEAD
  SecretArray<12> iv;   // XORed with the packet number
  SecretArray<32> hp;   // header protection
};

PacketKeys derive_packet_keys(const TrafficSecret& secret);
// The secret of the next key phase.
TrafficSecret derive_next_secret(const TrafficSecret& secret);

}  // namespace mxp
