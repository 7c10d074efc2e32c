// What a capture has shown of one connection. Plain data: the flow table owns it, the dissector fills it, the summary
// reads it.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "mxp-dump/key_ring.h"
#include "mxp-dump/number_ledger.h"
#include "mxp-dump/packet_decryptor.h"
#include "mxp-dump/stream_ledger.h"
#include "mxp/address.h"
#include "mxp/ids.h"

namespace mxp::dump {

using TrafficDirection = KeyLogLine::TrafficDirection;
inline constexpr std::array<TrafficDirection, 2> kFlows{TrafficDirection::client_to_server,
                                                        TrafficDirection::server_to_client};
constexpr std::size_t index(TrafficDirection flow) { return static_cast<std::size_t>(flow); }
constexpr TrafficDirection reverse(TrafficDirection flow) {
  return flow == TrafficDirection::client_to_server ? TrafficDirection::server_to_client
                                                    : TrafficDirection::client_to_server;
}

// One pair of addresses that the connection was seen on. More than one means a client that moved, or a capture on both
// sides of a relay, where each packet is there twice: so repetitions are judged within a path.
struct Path {
  SocketAddress client;
  SocketAddress server;
  std::array<NumberLedger, 2> numbers;        // by flow; only with keys
  std::vector<std::size_t> handshake_hashes;  // of the last different handshake packets; bounded by the dissector
  std::array<std::uint64_t, 2> handshake_repeats{};  // by flow: messages that came byte by byte again
};

// One direction.
struct Side {
  std::optional<ConnectionId> destination;  // the id in the packets that go this way
  std::uint64_t packets = 0;
  std::uint64_t bytes = 0;  // of UDP payload
  std::uint64_t opened = 0;
  std::uint64_t no_key = 0;      // 1-RTT packets whose key is not in the log
  std::uint64_t not_opened = 0;  // there is a key, and it does not fit
  std::uint64_t repeating = 0;   // opened packets with stream data that an earlier one carried
  // Searches for a packet's number and phase that found nothing:
  std::uint64_t searches = 0;  // since the last search that found something; a packet that opens at once leaves it
  std::uint64_t misses = 0;    // since the last packet that opened, at once or by a search
  std::optional<std::uint32_t> phase;  // the latest key phase that was seen
  std::vector<std::unique_ptr<PacketDecryptor>>
      decryptors;             // one for each suite that it may be; the right one alone once known
  NumberLedger sent;          // packet numbers, on whatever path
  NumberLedger acknowledged;  // of these, by the other side
  StreamLedger streams;
};

struct Connection {
  std::uint64_t number = 0;  // from 1, in the order of appearance
  std::optional<std::uint8_t> suite;
  std::vector<Path> paths;  // at most kMaxPaths
  std::array<Side, 2> sides;
  bool response_seen = false;
  std::uint64_t initials = 0;
  std::optional<std::uint64_t> first_initial_ns, response_ns, first_client_short_ns, first_ns, last_ns;

  Side& side(TrafficDirection flow) { return sides[index(flow)]; }
  const Side& side(TrafficDirection flow) const { return sides[index(flow)]; }
  std::optional<ConnectionId> client_id() const { return side(TrafficDirection::server_to_client).destination; }
  std::optional<ConnectionId> server_id() const { return side(TrafficDirection::client_to_server).destination; }

  // From the first message 1 to the client's first 1-RTT packet: a whole round trip wherever the capture was taken.
  // Until message 2 where no such packet is there.
  std::optional<std::uint64_t> handshake_ns() const;
  // Packets that repeat a handshake message, or stream data of another packet; without keys only the former are
  // visible.
  std::uint64_t retransmitted(TrafficDirection flow) const;
  // Packets of this direction that the other side never acknowledged although it did acknowledge one that is higher by
  // the packet threshold; where no acknowledgement is readable, numbers missing in the capture. Nothing without keys.
  std::optional<std::uint64_t> lost(TrafficDirection flow) const;
};

}  // namespace mxp::dump
