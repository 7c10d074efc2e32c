// Opens 1-RTT packets as an onlooker: no replay window (a duplicate is something to show), and a packet number that may
// have to be searched for, because its upper bits are not on the wire and the capture may have begun late or have
// holes.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "crypto/packet_protection.h"

namespace mxp::dump {

class PacketDecryptor {
 public:
  PacketDecryptor(Suite suite, const TrafficSecret& secret);

  struct Opened {
    PacketNumber number;
    std::uint8_t first_byte = 0;
    MutableBytes payload;  // in `scratch`
  };
  // `expected` is the number after the largest opened so far. Tries the number that a receiver would choose, then up to
  // `tries` others with the same lower bits on each side of it, the nearest first.
  std::optional<Opened> open(ByteView packet, std::uint64_t expected, std::size_t tries,
                             std::vector<std::uint8_t>& scratch);

  Suite suite() const { return suite_; }

 private:
  PacketDecryptor(Suite suite, const PacketKeys& keys);
  bool try_number(ByteView packet, std::size_t header_size, std::uint64_t number, MutableBytes scratch);

  Suite suite_;
  HeaderProtector header_;
  Aead aead_;
  SecretArray<12> iv_;
};

}  // namespace mxp::dump
