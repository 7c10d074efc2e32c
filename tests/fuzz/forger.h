#pragma once

#include <algorithm>

#include "core/cursor.h"
#include "core/packet_header.h"
#include "crypto/packet_protection.h"
#include "support/host.h"

namespace mxp::fuzz {

// Seals any plaintext in the name of one side.
class Forger {
 public:
  Forger(const test::TraceRecorder::Secrets& secrets, Role as)
      : to_(as == Role::client ? secrets.server_id : secrets.client_id),
        sealer_(Suite::aes_256_gcm, secret(as == Role::client ? secrets.client_to_server : secrets.server_to_client)) {}

  test::Bytes seal(ByteView plaintext, PacketNumber number) {
    test::Bytes packet(kShortHeaderSize + 4 + plaintext.size() + kTagSize);
    Writer writer(packet);
    write_short_header(writer, to_, false, number, 4);
    writer.bytes(plaintext);
    sealer_.seal(packet, kShortHeaderSize + 4, number);
    return packet;
  }

 private:
  static TrafficSecret secret(const test::Bytes& bytes) {
    TrafficSecret value;
    std::copy(bytes.begin(), bytes.end(), value.bytes().begin());
    return value;
  }
  ConnectionId to_;
  PacketSealer sealer_;
};

}  // namespace mxp::fuzz
