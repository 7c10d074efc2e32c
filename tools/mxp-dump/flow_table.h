// The connections of a capture, found by address pair and by connection id. Bounded: the connection that was silent
// longest is handed out and forgotten when there are too many.
#pragma once

#include <cstdint>
#include <functional>
#include <list>
#include <unordered_map>
#include <vector>

#include "mxp-dump/connection.h"

namespace mxp::dump {

// Our choices: what a capture can make us keep.
inline constexpr std::size_t kMaxConnections = 4096;
inline constexpr std::size_t kMaxPaths = 4;               // of a connection
inline constexpr std::size_t kMaxConnectionsOfPath = 64;  // between one pair of addresses that are looked through

struct Endpoints {
  SocketAddress source;
  SocketAddress destination;
};

class FlowTable {
 public:
  using Forget = std::function<void(const Connection&)>;
  // `forget` hears of each connection that is dropped for want of room.
  explicit FlowTable(Forget forget, std::size_t capacity = kMaxConnections)
      : forget_(std::move(forget)), capacity_(capacity) {}

  struct Found {
    Connection* connection = nullptr;
    Path* path = nullptr;
    TrafficDirection flow = TrafficDirection::client_to_server;
    explicit operator bool() const { return connection != nullptr; }
  };

  // A handshake packet: the connection of this client id, made if it is new.
  Found handshake(ConnectionId client_id, const Endpoints& endpoints, TrafficDirection flow);
  // A 1-RTT packet: the connection that the id or the addresses tell; learns the id.
  Found known(ConnectionId destination, const Endpoints& endpoints);
  // A 1-RTT packet whose direction something else has told: a new connection, joined in its middle.
  Found join(ConnectionId destination, const Endpoints& endpoints, TrafficDirection flow);

  std::uint64_t evicted() const { return evicted_; }
  const std::list<Connection>& connections() const { return connections_; }  // the latest first

 private:
  using Place = std::list<Connection>::iterator;
  struct Pair {
    SocketAddress low, high;
    bool operator==(const Pair&) const = default;
  };
  struct PairHash {
    std::size_t operator()(const Pair& pair) const;
  };
  struct Target {
    Place connection;
    TrafficDirection flow;
  };

  static Pair pair_of(const SocketAddress& a, const SocketAddress& b);
  Place create();
  void evict();
  void learn_id(Place place, TrafficDirection flow, ConnectionId id);
  Found touch(Place place, TrafficDirection flow, const Endpoints& endpoints);
  Path* path_of(Place place, const SocketAddress& client, const SocketAddress& server);

  Forget forget_;
  std::size_t capacity_;
  std::uint64_t created_ = 0;
  std::uint64_t evicted_ = 0;
  std::list<Connection> connections_;
  std::unordered_map<std::uint64_t, Target> by_id_;
  std::unordered_map<Pair, std::vector<Place>, PairHash> by_pair_;
};

}  // namespace mxp::dump
