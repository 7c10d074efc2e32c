// The connections of a capture, found by connection id, by what their handshake messages have in common, and by address
// pair. Their number is bounded: when there are too many, the one that was silent longest is handed out and forgotten.
//
// What an id belongs to may show only later: message 2 was not captured or comes after the first packets, a damaged
// copy comes before the good one, or other UDP uses the same ports. So a file is looked through twice. First the
// handshakes and the ids in use are noted (note_*) and the ids resolved; then each packet is looked up. A live capture
// or a pipe is noted and looked up packet by packet, with what is known by then.
#pragma once

#include <cstdint>
#include <functional>
#include <list>
#include <unordered_map>
#include <vector>

#include "mxp-dump/dissect/connection.h"
#include "mxp-dump/dissect/id_candidates.h"

namespace mxp::dump {

// Our choices: what a capture can make us keep.
inline constexpr std::size_t kMaxConnections = 4096;
inline constexpr std::size_t kMaxPaths = 4;               // of a connection
inline constexpr std::size_t kMaxConnectionsOfPath = 64;  // between one pair of addresses that are looked through
// Handshake messages of one connection that are kept. It has two; the others are damaged copies or forged.
inline constexpr std::size_t kMaxHandshakeIds = 16;
inline constexpr std::size_t kMaxHandshakePrints = 32;

class ConnectionTable {
 public:
  using Forget = std::function<void(const Connection&)>;
  using InKeyLog = std::function<bool(ConnectionId)>;
  using Place = std::list<Connection>::iterator;
  // `forget` is called for each connection that had a packet and is dropped because there are too many.
  ConnectionTable(Forget forget, InKeyLog in_key_log, std::size_t capacity = kMaxConnections)
      : forget_(std::move(forget)), in_key_log_(std::move(in_key_log)), capacity_(capacity) {}

  struct Found {
    Connection* connection = nullptr;
    Path* path = nullptr;
    TrafficDirection direction = TrafficDirection::client_to_server;
    Place place{};  // of `connection`, for touch()
    explicit operator bool() const { return connection != nullptr; }
  };

  void note_handshake(const HandshakeCopy& copy, const Endpoints& endpoints);
  void note_short(const Endpoints& endpoints, ConnectionId destination, std::uint8_t first_byte,
                  std::optional<std::uint64_t> time_ns) {
    candidates_.add(endpoints, destination, first_byte, time_ns);
  }
  bool has_noted(const Endpoints& endpoints) const { return candidates_.of(endpoints) != nullptr; }
  // To be called after everything was noted.
  void resolve();

  // A handshake message that was noted.
  Found handshake(const HandshakeCopy& copy, const Endpoints& endpoints);
  // For a message whose kind only the other side sends: its first byte is damaged. The direction that is returned is
  // the right one.
  Found from_the_wrong_side(const HandshakeCopy& copy, const Endpoints& endpoints);
  // A datagram that does not begin like a handshake message but may be one that was noted.
  Found damaged_handshake(const HandshakeCopy& copy, const Endpoints& endpoints);
  // A 1-RTT packet, by its id alone.
  Found known(ConnectionId destination, const Endpoints& endpoints);
  // Looks at the ids in use between the addresses of the packet: one may belong to a connection whose id was not known
  // until now.
  Found assigned(ConnectionId destination, const Endpoints& endpoints);
  // A 1-RTT packet whose direction is known from something else: it belongs to a connection that lacks an id, or to a
  // new one that was joined in its middle.
  Found join(ConnectionId destination, const Endpoints& endpoints, TrafficDirection direction);
  // The receiver of these packets gave its peer another id for them. Both ends are hostile, for all we know: an id that
  // belongs to another connection stays with it.
  void give_id(const Found& found, TrafficDirection direction, ConnectionId id);
  // Whether an id is the likeliest one between its addresses, or looks like MXP in any case.
  bool likely(ConnectionId destination, const Endpoints& endpoints) const;
  // The connections that have packets from here to there, with their ids.
  std::vector<Found> between(const Endpoints& endpoints);
  // Makes the connection that between() found the latest one, and notes the path. REQUIRES: nothing that changes the
  // table was called since.
  Found touch(const Found& found, const Endpoints& endpoints);

  std::uint64_t evicted() const { return evicted_; }
  const std::list<Connection>& connections() const { return connections_; }  // the latest first

 private:
  struct Target {
    Place connection;
    TrafficDirection direction;
  };

  static Endpoints pair_of(const SocketAddress& a, const SocketAddress& b);
  static TrafficDirection direction_of(HandshakeMessage message) {
    return message == HandshakeMessage::initial ? TrafficDirection::client_to_server
                                                : TrafficDirection::server_to_client;
  }
  Place create();
  void evict();
  Place find_handshake(const HandshakeCopy& copy, const Endpoints& endpoints);
  void choose_client_id(Place place);
  void learn_id(Place place, TrafficDirection direction, ConnectionId id);
  void own_id(Place place, TrafficDirection direction, ConnectionId id);
  bool disown_id(Place place, TrafficDirection direction, ConnectionId id);
  void unlearn_guess(Place place);
  void assign(const Endpoints& endpoints);
  bool may_lack_server_id(const Connection& connection, const Endpoints& endpoints) const;
  Found touch(Place place, TrafficDirection direction, const Endpoints& endpoints);
  Path* path_of(Place place, const SocketAddress& client, const SocketAddress& server);

  Forget forget_;
  InKeyLog in_key_log_;
  std::size_t capacity_;
  std::uint64_t created_ = 0;
  std::uint64_t evicted_ = 0;
  std::list<Connection> connections_;
  std::unordered_map<std::uint64_t, Target> by_id_;
  std::unordered_map<std::uint64_t, Place> by_print_;                         // of handshake messages
  std::unordered_map<Endpoints, std::vector<Place>, EndpointsHash> by_pair_;  // the lower address first
  IdCandidates candidates_;
};

}  // namespace mxp::dump
