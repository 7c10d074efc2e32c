// What a capture has shown of one connection. Plain data: the connection table owns it, the dissector fills it, the
// summary reads it.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "mxp-dump/dissect/given_ids.h"
#include "mxp-dump/dissect/handshake_copies.h"
#include "mxp-dump/dissect/key_ring.h"
#include "mxp-dump/dissect/number_ledger.h"
#include "mxp-dump/dissect/packet_fates.h"
#include "mxp-dump/dissect/recent_hashes.h"
#include "mxp-dump/dissect/side_decryptor.h"
#include "mxp-dump/dissect/stream_ledger.h"
#include "mxp/address.h"
#include "mxp/ids.h"

namespace mxp::dump {

using TrafficDirection = KeyLogLine::TrafficDirection;
inline constexpr std::array<TrafficDirection, 2> kDirections{TrafficDirection::client_to_server,
                                                             TrafficDirection::server_to_client};
constexpr std::size_t index(TrafficDirection direction) { return static_cast<std::size_t>(direction); }
constexpr TrafficDirection reverse(TrafficDirection direction) {
  return direction == TrafficDirection::client_to_server ? TrafficDirection::server_to_client
                                                         : TrafficDirection::client_to_server;
}

// One pair of addresses on which the connection was seen. If there are more, a client has moved, or the capture comes
// from both sides of a relay and holds each packet twice. So repetitions and times are judged within one path.
struct Path {
  SocketAddress client;
  SocketAddress server;
  std::array<RecentHashes, 2> recent;                // by direction: payloads, of which a second copy is a duplicate
  std::array<NumberLedger, 2> numbers;               // by direction; only with keys
  std::array<std::uint64_t, 2> handshake_repeats{};  // by direction: messages that the sender repeated
  std::optional<std::uint64_t> first_initial_ns, first_response_ns, first_confirmation_ns;
};

// One direction.
struct Side {
  std::optional<ConnectionId> destination;  // the first id in the packets that go this way; the key log names it
  bool destination_is_guess = false;        // known only from its packets; a better one may turn up
  GivenIds given;                           // further ids of this way; only with keys
  std::optional<ConnectionId> in_use;       // the id of the packet that was opened last
  std::uint64_t packets = 0;
  std::uint64_t bytes = 0;          // of UDP payload
  std::uint64_t short_packets = 0;  // of them 1-RTT, damaged ones aside
  std::uint64_t opened = 0;
  std::uint64_t duplicates = 0;  // captured twice on one path, or doubled by the network
  std::uint64_t cut = 0;         // by the snap length, handshake messages included
  std::uint64_t incomplete = 0;  // 1-RTT packets of which a part is missing (cut off, or in other IP fragments)
  std::uint64_t damaged = 0;     // ids or contents; forged ones look the same
  std::uint64_t no_key = 0;      // 1-RTT packets whose key is not in the log
  std::uint64_t not_opened = 0;  // there is a key, and it does not fit
  std::uint64_t repeating = 0;   // opened packets with stream data that an earlier one carried
  std::size_t segment_size = 0;  // of the last batch
  SideDecryptor decryptor;
  std::optional<std::uint32_t> phase;  // the latest key phase that was seen
  PacketFates fates;                   // of packet numbers, on whatever path
  StreamLedger streams;

  bool has_id(ConnectionId id) const { return destination == id || given.contains(id); }
  // Whether all packets of this direction were read, so that no unread packet can change a count.
  bool read_completely() const { return no_key == 0 && incomplete == 0 && (opened > 0 || short_packets == 0); }
  // Packets that did not verify although others of the direction did.
  std::uint64_t not_verified() const { return opened > 0 ? not_opened : 0; }
};

struct Connection {
  std::uint64_t number = 0;           // from 1, in the order of appearance
  std::optional<std::uint8_t> suite;  // as decryption or else the handshake has shown
  std::vector<Path> paths;            // at most kMaxPaths, the first one always among them
  bool paths_forgotten = false;       // there were more
  std::array<Side, 2> sides;
  HandshakeCopies handshake;
  std::optional<std::uint64_t> confirmed_ns;  // the client's first 1-RTT packet
  std::uint64_t initials = 0;
  std::uint64_t responses = 0;      // that can be the server's
  std::uint64_t not_verifying = 0;  // messages 2 that cannot be the one that the client took
  // For the table alone: whether messages come from the right sides, and by what the connection is found.
  int side_votes = 0;
  std::vector<std::uint64_t> id_keys, prints;

  Side& side(TrafficDirection direction) { return sides[index(direction)]; }
  const Side& side(TrafficDirection direction) const { return sides[index(direction)]; }
  std::optional<ConnectionId> client_id() const { return side(TrafficDirection::server_to_client).destination; }
  std::optional<ConnectionId> server_id() const { return side(TrafficDirection::client_to_server).destination; }
  std::uint64_t packets() const { return sides[0].packets + sides[1].packets; }

  // From message 1 to message 2 on one path. If there are several paths it is the longest time, which is the client's.
  std::optional<std::uint64_t> handshake_ns() const;
  // From message 1 to the client's first 1-RTT packet, which confirms the keys: a whole round trip and the time that
  // the client took, wherever the capture was made.
  std::optional<std::uint64_t> confirmation_ns() const;
  bool unanswered() const;
  // How many packets repeat a handshake message, or stream data of another packet. nullopt if a packet of the direction
  // could not be read.
  std::optional<std::uint64_t> retransmitted(TrafficDirection direction) const;
  std::uint64_t handshake_repeats(TrafficDirection direction) const;

  struct Fates {
    std::optional<std::uint64_t> lost;  // absent: no acknowledgement of this direction could be read
    std::uint64_t not_captured = 0;
    std::uint64_t unknown = 0;
  };
  // nullopt if packets of the direction could not be read.
  std::optional<Fates> fates(TrafficDirection direction) const;
  // The numbers that Fates::lost counts, and from which number on they are known. nullopt if `lost` is absent.
  // REQUIRES: PacketFates::remember_lost() was called for the direction.
  struct LostNumbers {
    RangeSet numbers;
    std::uint64_t known_from = 0;
  };
  std::optional<LostNumbers> lost_numbers(TrafficDirection direction) const;

 private:
  // Whether the capture lacks no packet of the direction, so that it holds all acknowledgements.
  bool captured_completely(TrafficDirection direction) const;
};

}  // namespace mxp::dump
