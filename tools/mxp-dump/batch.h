// A datagram in a capture may be several packets that the kernel handed over as one (GSO, GRO): equal sizes, the last
// may be smaller.
#pragma once

#include <cstddef>
#include <optional>
#include <span>

#include "mxp/bytes.h"
#include "mxp/ids.h"

namespace mxp::dump {

// Ids that differ in so few of their 64 bits are the same one, damaged: for two random ids the chance of that is
// 10^-10.
inline constexpr int kMaxDamagedBits = 8;
int different_bits(ConnectionId a, ConnectionId b);

// The size of the packets to `id` that `payload` is made of, or nothing if it is one packet. Packets whose id is damaged,
// the first of them included, are recognised by their place between the others. `usual`: the size in the batch before, or
// 0; it tells where a packet between two others cannot be seen by its id at all.
std::optional<std::size_t> batch_segment_size(ByteView payload, ConnectionId id, std::size_t usual);

}  // namespace mxp::dump
