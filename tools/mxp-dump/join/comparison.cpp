// In this order: match packets by content, way by way; fit the clocks to the pairs; judge what has no partner; measure.
#include "mxp-dump/join/comparison.h"

#include <algorithm>
#include <limits>
#include <map>
#include <tuple>

namespace mxp::dump {
namespace {

constexpr std::uint32_t kNone = ~std::uint32_t{0};

struct Pair {
  std::uint32_t sent = kNone, got = kNone;  // places in the captures of sender and receiver
  bool certain = true;                      // the only packet of its content in both
};

struct Way {
  const Sightings* sender = nullptr;
  const Sightings* receiver = nullptr;
  TrafficDirection direction = TrafficDirection::client_to_server;
  std::vector<Pair> pairs;
};

std::vector<std::uint32_t> of_direction(const Sightings& seen, TrafficDirection direction) {
  std::vector<std::uint32_t> places;
  for (std::uint32_t i = 0; i < seen.packets.size(); ++i) {
    if (seen.packets[i].direction == direction) places.push_back(i);
  }
  std::sort(places.begin(), places.end(), [&](std::uint32_t a, std::uint32_t b) {
    const Sighting &x = seen.packets[a], &y = seen.packets[b];
    return std::tie(x.content, x.time_ns, a) < std::tie(y.content, y.time_ns, b);
  });
  return places;
}

// Copies of one content are paired in the order of their times.
void match(Way& way) {
  const auto sent = of_direction(*way.sender, way.direction), got = of_direction(*way.receiver, way.direction);
  std::size_t s = 0, g = 0;
  const auto content = [](const Sightings& seen, std::uint32_t place) { return seen.packets[place].content; };
  while (s < sent.size() || g < got.size()) {
    const bool from_sender =
        g == got.size() || (s < sent.size() && content(*way.sender, sent[s]) <= content(*way.receiver, got[g]));
    const std::uint64_t now = from_sender ? content(*way.sender, sent[s]) : content(*way.receiver, got[g]);
    std::size_t s_end = s, g_end = g;
    while (s_end < sent.size() && content(*way.sender, sent[s_end]) == now) ++s_end;
    while (g_end < got.size() && content(*way.receiver, got[g_end]) == now) ++g_end;
    const bool certain = s_end - s <= 1 && g_end - g <= 1;
    for (; s < s_end || g < g_end;) {
      Pair pair{.certain = certain};
      if (s < s_end) pair.sent = sent[s++];
      if (g < g_end) pair.got = got[g++];
      way.pairs.push_back(pair);
    }
  }
}

std::int64_t time_of(const Sightings& seen, std::uint32_t place) { return seen.packets[place].time_ns; }

std::optional<ClockFit::Clocks> fit_clocks(const Way& up, const Way& down) {
  std::optional<std::int64_t> origin;
  for (const Sighting& packet : up.sender->packets) origin = std::min(origin.value_or(packet.time_ns), packet.time_ns);
  ClockFit fit(origin.value_or(0));
  for (const Pair& pair : up.pairs) {
    if (pair.sent == kNone || pair.got == kNone || !pair.certain) continue;
    const std::int64_t at = time_of(*up.sender, pair.sent);
    fit.to_server(at, time_of(*up.receiver, pair.got) - at);
  }
  for (const Pair& pair : down.pairs) {
    if (pair.sent == kNone || pair.got == kNone || !pair.certain) continue;
    const std::int64_t at = time_of(*down.receiver, pair.got);
    fit.to_client(at, time_of(*down.sender, pair.sent) - at);
  }
  return fit.fit();
}

// The stretches in which a capture had a hole for certain: it lacks a packet that its own machine sent, since the other
// end received it. `shift` brings a time of the other end to this one's clock.
class Holes {
 public:
  Holes(const Sightings& capture, std::vector<std::int64_t> missed) {
    std::vector<std::int64_t> times;
    times.reserve(capture.packets.size());
    for (const Sighting& packet : capture.packets) times.push_back(packet.time_ns);
    std::sort(times.begin(), times.end());
    for (const std::int64_t at : missed) {
      const auto after = std::upper_bound(times.begin(), times.end(), at);
      const std::int64_t begin = after == times.begin() ? at : *std::prev(after);
      const std::int64_t end = after == times.end() ? at : *after;
      stretches_[begin] = std::max(stretches_[begin], end);
    }
  }
  bool contain(std::int64_t time) const {
    const auto after = stretches_.upper_bound(time);
    return after != stretches_.begin() && std::prev(after)->second >= time;
  }

 private:
  std::map<std::int64_t, std::int64_t> stretches_;
};

// Delay of a way by what the clocks say, for a packet that was sent and received at these times.
double delay_of(TrafficDirection direction, const ClockFit::Clocks& clocks, std::int64_t sent, std::int64_t got) {
  const bool up = direction == TrafficDirection::client_to_server;
  const std::int64_t client = up ? sent : got, server = up ? got : sent;
  const double offset = clocks.offset_at(client);
  const double ahead = static_cast<double>(server - client - clocks.base_ns) - offset;  // of the server
  return up ? ahead : -ahead;
}

// Clocks may be any distance apart in a capture of a stranger: what does not fit stays at the bound.
std::int64_t sum(std::int64_t a, std::int64_t b) {
  std::int64_t result = 0;
  if (!__builtin_add_overflow(a, b, &result)) return result;
  return a < 0 ? std::numeric_limits<std::int64_t>::min() : std::numeric_limits<std::int64_t>::max();
}
std::int64_t whole(double ns) { return static_cast<std::int64_t>(std::clamp(ns, -9.2e18, 9.2e18)); }

// A time of the sender's clock on the receiver's.
std::int64_t on_receiver_clock(TrafficDirection direction, const ClockFit::Clocks& clocks, std::int64_t time) {
  if (direction == TrafficDirection::client_to_server)
    return sum(sum(time, clocks.base_ns), whole(clocks.offset_at(time)));
  const std::int64_t client = sum(time, -clocks.base_ns);
  return sum(client, -whole(clocks.offset_at(client)));
}

class Judge {
 public:
  Judge(Way& way, const Way& other, const Comparison& all) : way_(way), all_(all) {
    if (!all.clocks) return;
    // What the receiver's machine sent on the other way and its own capture lacks.
    std::vector<std::int64_t> missed;
    for (const Pair& pair : other.pairs) {
      if (pair.sent == kNone && pair.certain)
        missed.push_back(sum(on_receiver_clock(way.direction, *all.clocks, time_of(*other.receiver, pair.got)),
                             -whole(all.clocks->error_ns)));
    }
    holes_.emplace(*way.receiver, std::move(missed));
  }

  WayReport report() {
    WayReport report;
    for (const Pair& pair : way_.pairs) {
      if (pair.sent == kNone) {
        if (pair.certain) ++report.not_captured_at_sender;
        else ++report.duplicated;
        continue;
      }
      ++report.sent;
      if (pair.got == kNone) unmatched(pair, report);
      else ++report.arrived;
      if (pair.got != kNone && all_.clocks)
        report.delays_ns.push_back(delay_of(way_.direction, *all_.clocks, time_of(*way_.sender, pair.sent),
                                            time_of(*way_.receiver, pair.got)));
    }
    std::sort(report.delays_ns.begin(), report.delays_ns.end());
    std::sort(report.lost.begin(), report.lost.end(), [](const auto& a, const auto& b) { return a.frame < b.frame; });
    report.reordered = reordered();
    return report;
  }

 private:
  void unmatched(const Pair& pair, WayReport& report) const {
    const Sighting& packet = way_.sender->packets[pair.sent];
    if (acknowledged(packet)) {
      ++report.not_captured_at_receiver;
      return;
    }
    if (all_.clocks) {
      const std::int64_t arrival =
          sum(on_receiver_clock(way_.direction, *all_.clocks, packet.time_ns), whole(all_.clocks->error_ns));
      if (arrival < way_.receiver->first_ns || arrival > way_.receiver->last_ns) {
        ++report.outside;
        return;
      }
      if (holes_ && holes_->contain(arrival)) {
        ++report.not_captured_at_receiver;
        return;
      }
    }
    report.lost.push_back({packet.frame, packet.time_ns, packet.number, packet.connection});
  }

  // Whether an acknowledgement that either capture holds speaks of it.
  bool acknowledged(const Sighting& packet) const {
    if (packet.number < 0) return false;
    const auto number = static_cast<std::uint64_t>(packet.number);
    if (way_.sender->connections[packet.connection].acknowledged[index(way_.direction)].contains(number)) return true;
    const auto other = partner(packet.connection);
    return other && way_.receiver->connections[*other].acknowledged[index(way_.direction)].contains(number);
  }
  std::optional<std::uint32_t> partner(std::uint32_t connection) const {
    if (way_.direction == TrafficDirection::client_to_server) return all_.server_connection[connection];
    return all_.client_connection[connection];
  }

  std::uint64_t reordered() const {
    std::vector<std::pair<std::uint32_t, std::uint32_t>> order;  // arrival, departure: places are in captured order
    for (const Pair& pair : way_.pairs) {
      if (pair.sent != kNone && pair.got != kNone && pair.certain) order.emplace_back(pair.got, pair.sent);
    }
    std::sort(order.begin(), order.end());
    std::uint64_t late = 0;
    std::uint32_t latest = 0;
    for (const auto& [got, sent] : order) {
      if (sent < latest) ++late;
      latest = std::max(latest, sent);
    }
    return late;
  }

  Way& way_;
  const Comparison& all_;
  std::optional<Holes> holes_;
};

}  // namespace

Comparison compare(const Sightings& client, const Sightings& server) {
  Way up{&client, &server, TrafficDirection::client_to_server, {}};
  Way down{&server, &client, TrafficDirection::server_to_client, {}};
  match(up);
  match(down);
  Comparison all;
  all.clocks = fit_clocks(up, down);
  all.server_connection.resize(client.connections.size());
  all.client_connection.resize(server.connections.size());
  for (const Way* way : {&up, &down}) {
    for (const Pair& pair : way->pairs) {
      if (pair.sent == kNone || pair.got == kNone) continue;
      const std::uint32_t at_sender = way->sender->packets[pair.sent].connection,
                          at_receiver = way->receiver->packets[pair.got].connection;
      const bool is_up = way == &up;
      const std::uint32_t at_client = is_up ? at_sender : at_receiver, at_server = is_up ? at_receiver : at_sender;
      all.server_connection[at_client] = at_server;
      all.client_connection[at_server] = at_client;
    }
  }
  all.ways[index(up.direction)] = Judge(up, down, all).report();
  all.ways[index(down.direction)] = Judge(down, up, all).report();
  return all;
}

}  // namespace mxp::dump
