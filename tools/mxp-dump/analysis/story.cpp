#include "mxp-dump/analysis/story.h"

#include "mxp-dump/dissect/words.h"

namespace mxp::dump {

std::string_view direction_phrase(TrafficDirection direction) {
  return direction == TrafficDirection::client_to_server ? "client to server" : "server to client";
}

void Story::add(const PacketRecord& record, std::int64_t time_ns) {
  if (packets == 0) {
    connection = record.connection;
    first_ns = time_ns;
    first_frame = record.frame;
    client = record.client();
    server = record.server();
  }
  if (client_id.empty() && record.client_id) client_id = hex(*record.client_id);
  ++packets;
  last_ns = time_ns;
  last_frame = record.frame;
  handshake.add(record, time_ns);
  path.add(record, time_ns);
  if (record.protection == Protection::opened && !record.duplicate) {
    ++opened;
    close.add(record, time_ns);
    calls.add(record, time_ns, smoothed_round_trip_ns());
  }
  using UnderWay = SilenceStory::Span::UnderWay;
  UnderWay under_way = UnderWay::no;
  for (const DirectionStory& each : directions) {
    if (each.flight.packets() > 0) under_way = UnderWay::yes;
    else if (each.full_packets > 0 && !each.drained()) under_way = std::max(under_way, UnderWay::likely);
  }
  DirectionStory& own = directions[index(record.direction)];
  const std::uint64_t filled = own.filled;
  own.sent(record, time_ns, last_answer_ns_[index(record.direction)]);
  const bool repairs = record.retransmission || own.filled > filled;
  silence.add(record, time_ns, under_way, repairs);

  DirectionStory& other = directions[index(reverse(record.direction))];
  if (!record.duplicate) {
    for (const Frame& frame : record.frames) {
      other.credit.from_receiver(frame, time_ns);
      const auto* ack = std::get_if<AckFrame>(&frame);
      if (ack == nullptr) continue;
      other.acknowledged(*ack, time_ns, record.frame);
      last_answer_ns_[index(reverse(record.direction))] = time_ns;
    }
  }
  for (DirectionStory& each : directions) {
    each.account.event(time_ns,
                       {.confirmed = handshake.confirmed_ns.has_value() || joined_in_its_middle(),
                        .readable = opened > 0,
                        .waits_for_credit = each.credit.waiting(),
                        .in_flight = each.flight.packets() > 0,
                        .answer_ns = sender_round_trip_ns(&each == &directions[0] ? TrafficDirection::client_to_server
                                                                                  : TrafficDirection::server_to_client),
                        .drained = each.drained(),
                        .recovering = each.recovering(),
                        .repairs = repairs && &each == &own,
                        .answer_overdue_ns = each.overdue_ns()},
                       each.history);
  }
}

void Story::finish() {
  for (DirectionStory& each : directions) each.finish(last_ns);
}

std::int64_t Story::round_trip_ns() const {
  const std::int64_t to_server = directions[0].round_trip.shortest_ns(),
                     to_client = directions[1].round_trip.shortest_ns();
  if (to_server > 0 && to_client > 0) return to_server + to_client;
  if (handshake.first_initial_ns && handshake.confirmed_ns && handshake.initials == 1)
    return *handshake.confirmed_ns - *handshake.first_initial_ns;
  return to_server + to_client;
}

std::int64_t Story::sender_round_trip_ns(TrafficDirection which) const {
  if (const std::int64_t seen = direction(reverse(which)).round_trip.shortest_ns(); seen > 0) return seen;
  if (!handshake.first_initial_ns || !handshake.first_response_ns || !handshake.confirmed_ns || handshake.initials > 1)
    return 0;
  return which == TrafficDirection::client_to_server ? *handshake.confirmed_ns - *handshake.first_response_ns
                                                     : *handshake.first_response_ns - *handshake.first_initial_ns;
}

bool Story::at_receiver(TrafficDirection which) const {
  const RoundTrip& round_trip = direction(which).round_trip;
  return round_trip.samples() > 0 && round_trip.shortest_ns() * 10 < sender_round_trip_ns(which);
}

std::int64_t Story::smoothed_round_trip_ns() const {
  return directions[0].round_trip.smoothed_ns() + directions[1].round_trip.smoothed_ns();
}

Vantage Story::vantage() const {
  std::int64_t to_server = directions[0].round_trip.shortest_ns(), to_client = directions[1].round_trip.shortest_ns();
  if (to_server == 0 || to_client == 0) {
    if (!handshake.first_initial_ns || !handshake.first_response_ns || !handshake.confirmed_ns ||
        handshake.initials > 1)
      return Vantage::unknown;
    to_server = *handshake.first_response_ns - *handshake.first_initial_ns;
    to_client = *handshake.confirmed_ns - *handshake.first_response_ns;
  }
  // Our choice: a side is near if its part of the round trip is less than a tenth of the other one.
  if (to_client * 10 < to_server) return Vantage::near_client;
  if (to_server * 10 < to_client) return Vantage::near_server;
  return Vantage::between;
}

TrafficDirection Story::main_direction() const {
  if (readable())
    return directions[0].data_bytes >= directions[1].data_bytes ? TrafficDirection::client_to_server
                                                                : TrafficDirection::server_to_client;
  return directions[0].bytes >= directions[1].bytes ? TrafficDirection::client_to_server
                                                    : TrafficDirection::server_to_client;
}

TimeAccount::Sums Story::time_sums() const {
  const DirectionStory& main = direction(main_direction());
  return main.account.sums({.history = &main.history,
                            .round_trip = &main.round_trip,
                            .window_was_cut = main.marks > 0,
                            .lost_much = main.lost() * 1000 > main.opened,
                            .at_receiver = at_receiver(main_direction())});
}

}  // namespace mxp::dump
