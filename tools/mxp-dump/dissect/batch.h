// A datagram in a capture may be several packets that the kernel handed over as one (GSO, GRO). They have equal sizes,
// and only the last may be smaller.
#pragma once

#include <cstddef>
#include <optional>
#include <span>

#include "mxp/bytes.h"
#include "mxp/ids.h"

namespace mxp::dump {

// Two ids that differ in no more than this many of their 64 bits are taken for the same id, damaged once: for two
// random ids the chance of that is 10^-10.
inline constexpr int kMaxDamagedBits = 8;
int different_bits(ConnectionId a, ConnectionId b);

// The size of the packets to `id` of which `payload` consists, or nothing if it is one packet. Packets whose id is
// damaged, even the first of them, are recognised by their place between the others. `usual` is the size in the batch
// before, or 0. It decides where a packet between two others cannot be recognised by its id at all. While it is 0, a
// payload that fits into a frame of Ethernet is taken apart only if none of its ids but the first is damaged.
std::optional<std::size_t> batch_segment_size(ByteView payload, ConnectionId id, std::size_t usual);

}  // namespace mxp::dump
