// Datagrams on their way through the relay: from the sockets into the links, and from the links to the sockets.
#include <fmt/format.h>

#include <algorithm>

#include "mxp-netem/relay.h"
#include "udp/clock.h"

namespace mxp::tools {
namespace {

struct OfferTime {
  Timestamp at;
  Duration waited;
};

// The link's time never goes back, but sockets are read one after the other: a datagram that came before one that has
// been offered already is offered at the same time as that one, together with how long it has waited.
OfferTime offer_time(Timestamp arrival, Timestamp& last_offer) {
  last_offer = std::max(last_offer, arrival);
  return {.at = last_offer, .waited = last_offer - arrival};
}

// When the relay is late, the link's queue still holds packets that should have left long ago. They must not take the
// place of a datagram that came after they were due.
bool holds_what_should_be_gone(const netem::Link& link, std::size_t payload_bytes, Timestamp at) {
  if (link.has_room(payload_bytes)) return false;
  const auto due = link.next_departure();
  return due && *due <= at;
}

}  // namespace

// --- in -------------------------------------------------------------------------------------------------------------

Relay::Emptied Relay::receive_from_clients(int batches) {
  for (int batch = 0; batch < batches; ++batch) {
    const auto received = receiver_.receive(listener_);
    arrival_clock_.synchronise(read_clocks());
    const Timestamp now = monotonic_now();
    for (const InDatagram& datagram : received) {
      Client* client = client_for(datagram, now);
      if (client == nullptr) {
        ++health_.refused;
        continue;
      }
      client->last_seen = now;
      client->reached_at = datagram.to;
      const OfferTime offer = offer_time(arrival_clock_.arrival(datagram.stamp, now), last_up_offer_);
      LinkPair& pair = *client->links;
      if (holds_what_should_be_gone(pair.up, datagram.bytes.size(), offer.at)) deliver(pair, monotonic_now());
      const netem::Verdict verdict = pair.up.offer(datagram.bytes, offer.at, client->flow, datagram.ecn, offer.waited);
      links_.offered(pair);
      record_offer(Side::client, client->address, reached_address(*client), datagram, verdict, client->flow,
                   offer.at - offer.waited);
    }
    if (received.size() < BatchReceiver::kBatch) return Emptied::yes;
  }
  return Emptied::no;
}

Relay::Emptied Relay::receive_from_target(Client& client, int batches) {
  for (int batch = 0; batch < batches; ++batch) {
    const auto received = receiver_.receive(client.upstream);
    arrival_clock_.synchronise(read_clocks());
    const Timestamp now = monotonic_now();
    for (const InDatagram& datagram : received) {
      client.last_seen = now;
      const OfferTime offer = offer_time(arrival_clock_.arrival(datagram.stamp, now), last_down_offer_);
      LinkPair& pair = *client.links;
      if (holds_what_should_be_gone(pair.down, datagram.bytes.size(), offer.at)) deliver(pair, monotonic_now());
      const netem::Verdict verdict = pair.down.offer(datagram.bytes, offer.at, client.flow, datagram.ecn, offer.waited);
      links_.offered(pair);
      record_offer(Side::server, options_.target, client.upstream.local(), datagram, verdict, client.flow,
                   offer.at - offer.waited);
    }
    if (received.size() < BatchReceiver::kBatch) return Emptied::yes;
  }
  return Emptied::no;
}

void Relay::receive_refusals(Client& client) {
  constexpr int kMostPerTurn = kBatchesPerTurn * static_cast<int>(BatchReceiver::kBatch);
  for (int i = 0; i < kMostPerTurn; ++i) {
    const auto refusal = refusals_.next(client.upstream);
    if (!refusal) return;
    ++health_.unreachable;
    if (!noted_unreachable_) {
      const bool told = icmp_.permitted(client.address.family) && refusal->reason == RefusalReason::port;
      output_.note(fmt::format("{} takes no datagrams{}", options_.target.to_string(),
                               refusal->reason != RefusalReason::port ? ": there is no way to it"
                               : told
                                   ? ": nobody listens there; clients are told by ICMP"
                                   : ": nobody listens there; clients are not told, because that needs CAP_NET_RAW"));
    }
    noted_unreachable_ = true;
    if (refusal->reason == RefusalReason::port) {
      icmp_.port_unreachable(client.address, reached_address(client), refusal->payload);
    }
  }
}

// What reached the sockets before the end counts, even if the relay had no time for it: otherwise a relay that was
// stopped until the end would report that it distorted nothing.
void Relay::take_in_what_has_arrived() {
  const Timestamp end = monotonic_now();
  // Our choice: enough for a full receive buffer. A client that sends faster than we read must not keep us here.
  constexpr int kMostBatches = 1000;
  for (int batch = 0; batch < kMostBatches; ++batch) {
    const Emptied emptied = receive_from_clients(1);
    deliver_due();
    if (emptied == Emptied::yes || last_up_offer_ >= end) break;
  }
  clients_.for_each([&](Client& client) {
    receive_refusals(client);
    for (int batch = 0; batch < kBatchesPerTurn; ++batch) {
      if (receive_from_target(client, 1) == Emptied::yes) break;
    }
  });
  deliver_due();
}

// --- out ------------------------------------------------------------------------------------------------------------

void Relay::deliver_due() {
  const Timestamp now = monotonic_now();
  links_.deliver_due(now, [&](LinkPair& pair) {
    deliver_up(pair, now);
    deliver_down(pair, now);
  });
  sender_.flush();
}

// Before more is offered to a pair: what is sent is only valid until then.
void Relay::deliver(LinkPair& pair, Timestamp now) {
  deliver_up(pair, now);
  deliver_down(pair, now);
  sender_.flush();
}

void Relay::deliver_up(LinkPair& pair, Timestamp now) {
  while (const auto packet = pair.up.take(now)) {
    Client* client = clients_.find(packet->flow);
    if (client == nullptr) continue;  // the client was forgotten while its packet was on the way
    health_.late.record(now - packet->due_at + packet->waited);
    record_departure(Side::server, client->upstream.local(), options_.target, *packet, now);
    sender_.add(client->upstream, {.bytes = packet->bytes, .family = options_.target.family, .ecn = packet->ecn});
  }
}

void Relay::deliver_down(LinkPair& pair, Timestamp now) {
  while (const auto packet = pair.down.take(now)) {
    Client* client = clients_.find(packet->flow);
    if (client == nullptr) continue;
    health_.late.record(now - packet->due_at + packet->waited);
    record_departure(Side::client, reached_address(*client), client->address, *packet, now);
    sender_.add(listener_, {.bytes = packet->bytes,
                            .to = client->address,
                            .from = client->reached_at,
                            .family = client->address.family,
                            .ecn = packet->ecn});
  }
}

}  // namespace mxp::tools
