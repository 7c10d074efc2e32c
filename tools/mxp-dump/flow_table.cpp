#include "mxp-dump/flow_table.h"

#include <algorithm>
#include <string_view>

namespace mxp::dump {

std::size_t FlowTable::PairHash::operator()(const Pair& pair) const {
  std::size_t value = 0;
  for (const SocketAddress* address : {&pair.low, &pair.high}) {
    const std::string_view ip(reinterpret_cast<const char*>(address->ip.data()), address->ip.size());
    value = value * 31 + std::hash<std::string_view>{}(ip) + address->port;
  }
  return value;
}

FlowTable::Pair FlowTable::pair_of(const SocketAddress& a, const SocketAddress& b) {
  return a < b ? Pair{a, b} : Pair{b, a};
}

FlowTable::Found FlowTable::handshake(ConnectionId client_id, const Endpoints& endpoints, TrafficDirection flow) {
  const auto found = by_id_.find(client_id.key());
  if (found != by_id_.end() && found->second.flow == TrafficDirection::server_to_client)
    return touch(found->second.connection, flow, endpoints);
  const Place place = create();
  learn_id(place, TrafficDirection::server_to_client, client_id);
  return touch(place, flow, endpoints);
}

FlowTable::Found FlowTable::known(ConnectionId destination, const Endpoints& endpoints) {
  if (const auto found = by_id_.find(destination.key()); found != by_id_.end())
    return touch(found->second.connection, found->second.flow, endpoints);
  const auto pair = by_pair_.find(pair_of(endpoints.source, endpoints.destination));
  if (pair == by_pair_.end()) return {};
  // The oldest connection between these two that lacks an id in this direction: several handshakes from one port are
  // confirmed in their order. A connection's server id appears only after message 2.
  const std::vector<Place> candidates = pair->second;
  TrafficDirection flow = TrafficDirection::client_to_server;
  for (const Place place : candidates) {
    const bool from_client = std::any_of(place->paths.begin(), place->paths.end(), [&](const Path& path) {
      return path.client == endpoints.source && path.server == endpoints.destination;
    });
    flow = from_client ? TrafficDirection::client_to_server : TrafficDirection::server_to_client;
    if (place->side(flow).destination || (from_client && place->initials > 0 && !place->response_seen)) continue;
    learn_id(place, flow, destination);
    return touch(place, flow, endpoints);
  }
  return join(destination, endpoints, flow);
}

FlowTable::Found FlowTable::join(ConnectionId destination, const Endpoints& endpoints, TrafficDirection flow) {
  const Place place = create();
  learn_id(place, flow, destination);
  return touch(place, flow, endpoints);
}

FlowTable::Place FlowTable::create() {
  if (connections_.size() == capacity_) evict();
  connections_.emplace_front();
  connections_.front().number = ++created_;
  return connections_.begin();
}

void FlowTable::evict() {
  const Place oldest = std::prev(connections_.end());
  forget_(*oldest);
  for (const TrafficDirection flow : kFlows) {
    if (const auto& id = oldest->side(flow).destination) by_id_.erase(id->key());
  }
  for (const Path& path : oldest->paths) {
    const auto pair = by_pair_.find(pair_of(path.client, path.server));
    if (pair == by_pair_.end()) continue;
    std::erase(pair->second, oldest);
    if (pair->second.empty()) by_pair_.erase(pair);
  }
  connections_.erase(oldest);
  ++evicted_;
}

void FlowTable::learn_id(Place place, TrafficDirection flow, ConnectionId id) {
  place->side(flow).destination = id;
  by_id_.insert_or_assign(id.key(), Target{place, flow});
}

FlowTable::Found FlowTable::touch(Place place, TrafficDirection flow, const Endpoints& endpoints) {
  connections_.splice(connections_.begin(), connections_, place);
  const bool from_client = flow == TrafficDirection::client_to_server;
  Path* const path = path_of(place, from_client ? endpoints.source : endpoints.destination,
                             from_client ? endpoints.destination : endpoints.source);
  return {&*place, path, flow};
}

Path* FlowTable::path_of(Place place, const SocketAddress& client, const SocketAddress& server) {
  for (Path& path : place->paths) {
    if (path.client == client && path.server == server) return &path;
  }
  // A client that keeps moving is followed by its ids; what its oldest path has shown is let go.
  if (place->paths.size() == kMaxPaths) {
    const Path& gone = place->paths.front();
    if (const auto pair = by_pair_.find(pair_of(gone.client, gone.server)); pair != by_pair_.end()) {
      std::erase(pair->second, place);
      if (pair->second.empty()) by_pair_.erase(pair);
    }
    place->paths.erase(place->paths.begin());
  }
  auto& neighbours = by_pair_[pair_of(client, server)];
  if (neighbours.size() == kMaxConnectionsOfPath) neighbours.erase(neighbours.begin());
  neighbours.push_back(place);
  return &place->paths.emplace_back(Path{client, server, {}, {}, {}});
}

}  // namespace mxp::dump
