#include "mxp-dump/dissect/connection_table.h"

#include <algorithm>
#include <bit>

#include "mxp-dump/dissect/batch.h"

namespace mxp::dump {
namespace {

// This many different first bytes are no accident of another protocol.
constexpr int kLikelyVariety = 4;

bool goes(const Connection& connection, const Endpoints& endpoints, TrafficDirection direction) {
  const bool from_client = direction == TrafficDirection::client_to_server;
  return std::any_of(connection.paths.begin(), connection.paths.end(), [&](const Path& path) {
    return path.client == (from_client ? endpoints.source : endpoints.destination) &&
           path.server == (from_client ? endpoints.destination : endpoints.source);
  });
}

bool is_from_the_wrong_side(const Connection& connection, const HandshakeCopy& copy, const Endpoints& endpoints) {
  const TrafficDirection claimed = copy.message == HandshakeMessage::initial ? TrafficDirection::client_to_server
                                                                             : TrafficDirection::server_to_client;
  return !connection.handshake.empty() && !goes(connection, endpoints, claimed) &&
         goes(connection, endpoints, reverse(claimed));
}

Endpoints turned(const Endpoints& endpoints) { return {endpoints.destination, endpoints.source}; }

}  // namespace

Endpoints ConnectionTable::pair_of(const SocketAddress& a, const SocketAddress& b) {
  return a < b ? Endpoints{a, b} : Endpoints{b, a};
}

// --- what is noted -----------------------------------------------------------------------------------------------

void ConnectionTable::note_handshake(const HandshakeCopy& copy, const Endpoints& endpoints) {
  Place place = find_handshake(copy, endpoints);
  if (place == connections_.end()) place = create();
  const bool wrong_side = is_from_the_wrong_side(*place, copy, endpoints);
  place->side_votes += wrong_side ? -1 : 1;
  place->handshake.add(copy);
  for (const std::uint64_t print : {copy.ephemeral, copy.tail}) {
    if (print == 0 || place->prints.size() == kMaxHandshakePrints) continue;
    if (by_print_.try_emplace(print, place).second) place->prints.push_back(print);
  }
  if (place->id_keys.size() < kMaxHandshakeIds) own_id(place, TrafficDirection::server_to_client, copy.client_id);
  if (!wrong_side) touch(place, direction_of(copy.message), endpoints);
  choose_client_id(place);
}

ConnectionTable::Place ConnectionTable::find_handshake(const HandshakeCopy& copy, const Endpoints& endpoints) {
  if (const auto found = by_id_.find(copy.client_id.key());
      found != by_id_.end() && found->second.direction == TrafficDirection::server_to_client)
    return found->second.connection;
  for (const std::uint64_t print : {copy.ephemeral, copy.tail}) {
    if (const auto found = by_print_.find(print); print != 0 && found != by_print_.end()) return found->second;
  }
  const auto pair = by_pair_.find(pair_of(endpoints.source, endpoints.destination));
  if (pair == by_pair_.end()) return connections_.end();
  for (const Place place : pair->second) {
    const auto id = place->client_id();
    if (id && different_bits(*id, copy.client_id) <= kMaxDamagedBits &&
        (place->handshake.related(copy) || !place->handshake.any(copy.message)))
      return place;
    // The connection was joined just before its handshake, which is out of order.
    if (!id && place->handshake.empty() && goes(*place, endpoints, direction_of(copy.message))) return place;
  }
  return connections_.end();
}

// Chooses among the ids of its messages: one that the server's packets have, or else that of the most copies.
void ConnectionTable::choose_client_id(Place place) {
  for (const Path& path : place->paths) {
    const auto* used = candidates_.of({path.server, path.client});
    if (used == nullptr) continue;
    for (const IdCandidate& candidate : *used) place->handshake.confirm(candidate.id);
  }
  if (const auto id = place->handshake.client_id()) place->side(TrafficDirection::server_to_client).destination = id;
}

void ConnectionTable::resolve() {
  for (Place place = connections_.begin(); place != connections_.end(); ++place) {
    choose_client_id(place);
    if (place->side_votes < 0) {  // the first message that was seen was the damaged one
      for (Path& path : place->paths) std::swap(path.client, path.server);
    }
    for (const Path& path : place->paths) assign({path.client, path.server});
  }
}

// --- lookup ------------------------------------------------------------------------------------------------------

ConnectionTable::Found ConnectionTable::handshake(const HandshakeCopy& copy, const Endpoints& endpoints) {
  const Place place = find_handshake(copy, endpoints);
  return place == connections_.end() ? Found{} : touch(place, direction_of(copy.message), endpoints);
}

ConnectionTable::Found ConnectionTable::from_the_wrong_side(const HandshakeCopy& copy, const Endpoints& endpoints) {
  const Place place = find_handshake(copy, endpoints);
  if (place == connections_.end() || !is_from_the_wrong_side(*place, copy, endpoints)) return {};
  return touch(place, reverse(direction_of(copy.message)), endpoints);
}

ConnectionTable::Found ConnectionTable::damaged_handshake(const HandshakeCopy& copy, const Endpoints& endpoints) {
  for (const std::uint64_t print : {copy.ephemeral, copy.tail}) {
    if (const auto found = by_print_.find(print); print != 0 && found != by_print_.end())
      return touch(found->second, direction_of(copy.message), endpoints);
  }
  const auto found = by_id_.find(copy.client_id.key());
  if (found == by_id_.end() || found->second.direction != TrafficDirection::server_to_client) return {};
  const Place place = found->second.connection;
  if (place->handshake.empty() || !goes(*place, endpoints, direction_of(copy.message))) return {};
  return touch(place, direction_of(copy.message), endpoints);
}

ConnectionTable::Found ConnectionTable::known(ConnectionId destination, const Endpoints& endpoints) {
  const auto found = by_id_.find(destination.key());
  if (found == by_id_.end()) return {};
  const auto [place, direction] = found->second;
  // The owner may have moved, unless a connection that is here has the same id.
  if (!goes(*place, endpoints, direction)) {
    for (const Found& here : between(endpoints)) {
      if (here.connection->side(here.direction).has_id(destination)) return touch(here, endpoints);
    }
  }
  if (direction == TrafficDirection::server_to_client && place->handshake.confirm(destination)) choose_client_id(place);
  return touch(place, direction, endpoints);
}

ConnectionTable::Found ConnectionTable::assigned(ConnectionId destination, const Endpoints& endpoints) {
  if (candidates_.of(endpoints) == nullptr || !by_pair_.contains(pair_of(endpoints.source, endpoints.destination)))
    return {};
  assign(endpoints);
  return known(destination, endpoints);
}

// A server's id is awaited after message 2. If message 2 was not captured, the server's packets to this client tell
// that it came. If nothing of the server was captured, nothing can be told from its silence.
bool ConnectionTable::may_lack_server_id(const Connection& connection, const Endpoints& endpoints) const {
  if (connection.handshake.empty() || connection.handshake.any(HandshakeMessage::response)) return true;
  const auto* answers = candidates_.of(turned(endpoints));
  if (answers != nullptr) {
    return std::any_of(answers->begin(), answers->end(),
                       [&](const IdCandidate& answer) { return answer.id == connection.client_id(); });
  }
  const auto pair = by_pair_.find(pair_of(endpoints.source, endpoints.destination));
  return std::none_of(pair->second.begin(), pair->second.end(),
                      [](const Place place) { return place->handshake.any(HandshakeMessage::response); });
}

// Gives the likeliest ids in use from here to there to the connections that lack one. If several handshakes come from
// one port, they are confirmed in their order.
void ConnectionTable::assign(const Endpoints& endpoints) {
  const auto pair = by_pair_.find(pair_of(endpoints.source, endpoints.destination));
  const auto* used = candidates_.of(endpoints);
  if (pair == by_pair_.end() || used == nullptr) return;
  std::vector<Place> lacking;
  std::vector<ConnectionId> taken;
  for (const Place place : pair->second) {
    if (!goes(*place, endpoints, TrafficDirection::client_to_server)) continue;
    const Side& side = place->side(TrafficDirection::client_to_server);
    const bool guessed_here =
        side.destination_is_guess &&
        std::any_of(used->begin(), used->end(), [&](const auto& one) { return one.id == side.destination; });
    if (side.destination && !guessed_here) taken.push_back(*side.destination);
    else if (may_lack_server_id(*place, endpoints)) lacking.push_back(place);
  }
  if (lacking.empty()) return;
  // Connections that were answered come in their order. Of those whose answer was not captured it is the last, since it
  // ended the attempts before it.
  std::sort(lacking.begin(), lacking.end(), [](const Place a, const Place b) {
    const bool a_answered = a->handshake.any(HandshakeMessage::response),
               b_answered = b->handshake.any(HandshakeMessage::response);
    if (a_answered != b_answered) return a_answered;
    return a_answered ? a->number < b->number : a->number > b->number;
  });

  std::vector<IdCandidate> ids = *used;
  std::sort(ids.begin(), ids.end(), [&](const IdCandidate& a, const IdCandidate& b) {
    const bool a_logged = in_key_log_(a.id), b_logged = in_key_log_(b.id);
    return a_logged != b_logged ? a_logged : a.better_than(b);
  });
  for (const Place place : lacking) unlearn_guess(place);
  std::vector<IdCandidate> chosen;
  for (const IdCandidate& candidate : ids) {
    if (chosen.size() == lacking.size()) break;
    const bool damaged = std::any_of(taken.begin(), taken.end(), [&](ConnectionId other) {
      return different_bits(candidate.id, other) <= kMaxDamagedBits;
    });
    if (damaged || by_id_.contains(candidate.id.key())) continue;
    chosen.push_back(candidate);
    taken.push_back(candidate.id);
  }
  std::sort(chosen.begin(), chosen.end(), [](const IdCandidate& a, const IdCandidate& b) { return a.order < b.order; });
  for (std::size_t i = 0; i < chosen.size(); ++i) {
    learn_id(lacking[i], TrafficDirection::client_to_server, chosen[i].id);
    lacking[i]->side(TrafficDirection::client_to_server).destination_is_guess = true;
    lacking[i]->confirmed_ns = chosen[i].first_ns;
  }
}

ConnectionTable::Found ConnectionTable::join(ConnectionId destination, const Endpoints& endpoints,
                                             TrafficDirection direction) {
  if (const auto pair = by_pair_.find(pair_of(endpoints.source, endpoints.destination)); pair != by_pair_.end()) {
    for (const Place place : pair->second) {
      if (place->side(direction).destination || !goes(*place, endpoints, direction)) continue;
      learn_id(place, direction, destination);
      return touch(place, direction, endpoints);
    }
  }
  const Place place = create();
  learn_id(place, direction, destination);
  return touch(place, direction, endpoints);
}

bool ConnectionTable::likely(ConnectionId destination, const Endpoints& endpoints) const {
  const auto* used = candidates_.of(endpoints);
  if (used == nullptr) return true;
  const auto found =
      std::find_if(used->begin(), used->end(), [&](const IdCandidate& one) { return one.id == destination; });
  if (found == used->end()) return false;
  return std::popcount(found->first_bytes) >= kLikelyVariety ||
         std::none_of(used->begin(), used->end(), [&](const IdCandidate& one) { return one.better_than(*found); });
}

std::vector<ConnectionTable::Found> ConnectionTable::between(const Endpoints& endpoints) {
  std::vector<Found> result;
  const auto pair = by_pair_.find(pair_of(endpoints.source, endpoints.destination));
  if (pair == by_pair_.end()) return result;
  for (const Place place : pair->second) {
    for (const TrafficDirection direction : kDirections) {
      if (place->side(direction).destination && goes(*place, endpoints, direction))
        result.push_back({&*place, nullptr, direction, place});
    }
  }
  return result;
}

ConnectionTable::Found ConnectionTable::touch(const Found& found, const Endpoints& endpoints) {
  return touch(found.place, found.direction, endpoints);
}

// --- housekeeping ------------------------------------------------------------------------------------------------

ConnectionTable::Place ConnectionTable::create() {
  if (connections_.size() == capacity_) evict();
  connections_.emplace_front();
  connections_.front().number = ++created_;
  return connections_.begin();
}

void ConnectionTable::evict() {
  const Place oldest = std::prev(connections_.end());
  if (oldest->packets() > 0) {
    forget_(*oldest);
    ++evicted_;
  }
  for (const std::uint64_t key : oldest->id_keys) {
    // An id that was given up meanwhile may have found another connection.
    if (const auto owned = by_id_.find(key); owned != by_id_.end() && owned->second.connection == oldest)
      by_id_.erase(owned);
  }
  for (const TrafficDirection direction : kDirections) {
    for (const ConnectionId id : oldest->side(direction).given.ids()) disown_id(oldest, direction, id);
  }
  for (const std::uint64_t print : oldest->prints) by_print_.erase(print);
  for (const Path& path : oldest->paths) {
    const auto pair = by_pair_.find(pair_of(path.client, path.server));
    if (pair == by_pair_.end()) continue;
    std::erase(pair->second, oldest);
    if (pair->second.empty()) by_pair_.erase(pair);
  }
  connections_.erase(oldest);
}

void ConnectionTable::learn_id(Place place, TrafficDirection direction, ConnectionId id) {
  place->side(direction).destination = id;
  own_id(place, direction, id);
}

// Two connections may use one id, by accident or because somebody forged a packet. The id then finds the one that had
// it first.
void ConnectionTable::own_id(Place place, TrafficDirection direction, ConnectionId id) {
  if (by_id_.try_emplace(id.key(), Target{place, direction}).second) place->id_keys.push_back(id.key());
}

void ConnectionTable::unlearn_guess(Place place) {
  Side& side = place->side(TrafficDirection::client_to_server);
  if (!side.destination) return;
  const ConnectionId id = *side.destination;
  side.destination.reset();
  if (disown_id(place, TrafficDirection::client_to_server, id)) std::erase(place->id_keys, id.key());
}

// False if the id finds somebody else.
bool ConnectionTable::disown_id(Place place, TrafficDirection direction, ConnectionId id) {
  const auto owned = by_id_.find(id.key());
  if (owned == by_id_.end() || owned->second.connection != place || owned->second.direction != direction) return false;
  by_id_.erase(owned);
  return true;
}

void ConnectionTable::give_id(const Found& found, TrafficDirection direction, ConnectionId id) {
  Side& side = found.place->side(direction);
  if (side.has_id(id)) return;
  if (const auto gone = side.given.add(id, side.in_use)) disown_id(found.place, direction, *gone);
  by_id_.try_emplace(id.key(), Target{found.place, direction});
}

ConnectionTable::Found ConnectionTable::touch(Place place, TrafficDirection direction, const Endpoints& endpoints) {
  connections_.splice(connections_.begin(), connections_, place);
  const bool from_client = direction == TrafficDirection::client_to_server;
  Path* const path = path_of(place, from_client ? endpoints.source : endpoints.destination,
                             from_client ? endpoints.destination : endpoints.source);
  return {&*place, path, direction, place};
}

Path* ConnectionTable::path_of(Place place, const SocketAddress& client, const SocketAddress& server) {
  for (Path& path : place->paths) {
    if (path.client == client && path.server == server) return &path;
  }
  // A client that keeps moving is followed by its ids, and what its oldest path has shown is forgotten, except for the
  // first one, which had the handshake.
  if (place->paths.size() == kMaxPaths) {
    const auto gone = place->paths.begin() + 1;
    if (const auto pair = by_pair_.find(pair_of(gone->client, gone->server)); pair != by_pair_.end()) {
      std::erase(pair->second, place);
      if (pair->second.empty()) by_pair_.erase(pair);
    }
    place->paths.erase(gone);
    place->paths_forgotten = true;
  }
  auto& neighbours = by_pair_[pair_of(client, server)];
  if (neighbours.size() == kMaxConnectionsOfPath) neighbours.erase(neighbours.begin());
  neighbours.push_back(place);
  Path path;
  path.client = client;
  path.server = server;
  return &place->paths.emplace_back(std::move(path));
}

}  // namespace mxp::dump
