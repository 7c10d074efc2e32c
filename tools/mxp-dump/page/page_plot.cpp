#include "mxp-dump/page/page_plot.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "mxp-dump/dissect/words.h"

namespace mxp::dump {
namespace {

// Rows of the timeline that are no streams: no stream has these ids.
constexpr std::uint64_t kMessages = ~std::uint64_t{0}, kDatagrams = ~std::uint64_t{1};

// With three digits behind the point, for a short page.
double short_milliseconds(std::int64_t ns) {
  const std::int64_t whole_us = ns / 1000;
  return static_cast<double>(whole_us) / 1e3;
}

}  // namespace

PlotSlot& PlotSlot::operator+=(const PlotSlot& later) {
  packets += later.packets;
  sent = std::max(sent, later.sent);
  acknowledged = std::max(acknowledged, later.acknowledged);
  flight = std::max(flight, later.flight);
  if (later.credit) credit = credit ? std::min(*credit, *later.credit) : later.credit;
  if (later.round_trips > 0)
    shortest_ns = round_trips == 0 ? later.shortest_ns : std::min(shortest_ns, later.shortest_ns);
  longest_ns = std::max(longest_ns, later.longest_ns);
  round_trips_ns += later.round_trips_ns;
  round_trips += later.round_trips;
  return *this;
}

PagePlot::PagePlot(const PacketRecord& first, std::int64_t start_ns)
    : place_(first),
      client_(first.client()),
      server_(first.server()),
      start_ns_(start_ns),
      last_ns_(start_ns),
      from_its_beginning_(first.type == PacketType::initial) {}

// What was lost is counted once for each number, at this place or else elsewhere.
void PagePlot::add_elsewhere(const PacketRecord& record) {
  if (record.lost == true && !record.seen_before) ++directions_[index(record.direction)].lost_elsewhere;
}

void PagePlot::add(const PacketRecord& record) {
  Direction& own = directions_[index(record.direction)];
  if (record.time_ns) last_ns_ = std::max(last_ns_, static_cast<std::int64_t>(*record.time_ns));
  const std::int64_t since = last_ns_ - start_ns_;
  ++own.packets;
  own.bytes += record.length;
  PlotSlot& slot = own.slots.at(since);
  ++slot.packets;
  slot.sent = own.bytes;
  if (record.lost == true) {
    ++own.lost;
    if (record.seen_before && own.lost_elsewhere > 0) --own.lost_elsewhere;
    add_lost(record, since);
  }
  if (record.protection == Protection::opened && record.number) add_opened(record, since);
}

// All losses as long as there are few, then every second one, and so on.
void PagePlot::add_lost(const PacketRecord& record, std::int64_t time_ns) {
  Direction& own = directions_[index(record.direction)];
  if ((own.lost - 1) % own.every != 0) return;
  if (own.marks.size() == kMaxMarks) {
    for (std::size_t i = 0; i < kMaxMarks / 2; ++i) own.marks[i] = own.marks[2 * i];
    own.marks.resize(kMaxMarks / 2);
    own.every *= 2;
  }
  own.marks.push_back({time_ns, own.bytes, record.number ? record.number->value() : 0, record.frame});
}

void PagePlot::add_opened(const PacketRecord& record, std::int64_t time_ns) {
  ++opened_;
  Direction& own = directions_[index(record.direction)];
  const std::uint64_t number = record.number->value();
  if (own.positions.size() == Flight::kMaxPackets) own.positions.pop_front();
  if (own.positions.empty() || number > own.positions.back().first) own.positions.emplace_back(number, own.bytes);
  own.flight.sent({.number = number,
                   .frame = record.frame,
                   .time_ns = time_ns,
                   .size = record.length,
                   .eliciting = record.asks_for_ack()},
                  kNothingToSettle);
  for (const Frame& frame : record.frames) add_frame(frame, record.direction, time_ns);
  PlotSlot& slot = own.slots.at(time_ns);
  slot.flight = std::max(slot.flight, own.flight.bytes());
  if (!own.limit || !own.follows_credit || *own.limit < own.used) return;
  const std::uint64_t left = *own.limit - own.used;
  slot.credit = slot.credit ? std::min(*slot.credit, left) : left;
}

void PagePlot::add_frame(const Frame& frame, TrafficDirection direction, std::int64_t time_ns) {
  Direction& own = directions_[index(direction)];
  Direction& other = directions_[index(reverse(direction))];
  if (const auto* ack = std::get_if<AckFrame>(&frame)) {
    add_ack(*ack, other, time_ns);
  } else if (const auto* credit = std::get_if<MaxDataFrame>(&frame)) {
    other.limit = std::max(other.limit.value_or(0), credit->limit);
  } else if (const auto* stream = std::get_if<StreamFrame>(&frame)) {
    const std::uint64_t id = stream->stream.value(), end = stream->offset + stream->data.size();
    add_stream(direction, id, fmt::format("stream {}", id), stream->data.size(), time_ns);
    // What the limit still allows is known where all streams are, from the beginning.
    own.follows_credit = own.follows_credit && from_its_beginning_ &&
                         (own.stream_ends.contains(id) || own.stream_ends.size() < kMaxStreams);
    if (!own.follows_credit) return;
    std::uint64_t& highest = own.stream_ends[id];
    if (end <= highest) return;
    own.used += end - highest;
    highest = end;
  } else if (const auto* message = std::get_if<MessageFrame>(&frame)) {
    add_stream(direction, kMessages, "messages", message->body.size(), time_ns);
  } else if (const auto* part = std::get_if<MessagePartFrame>(&frame)) {
    add_stream(direction, kMessages, "messages", part->data.size(), time_ns);
  } else if (const auto* datagram = std::get_if<DatagramFrame>(&frame)) {
    add_stream(direction, kDatagrams, "datagrams", datagram->data.size(), time_ns);
  }
}

// Of the direction that is acknowledged.
void PagePlot::add_ack(const AckFrame& frame, Direction& acknowledged, std::int64_t time_ns) {
  const Flight::Answer& answer = acknowledged.flight.acknowledged(frame, kNothingToSettle);
  if (answer.newly_acknowledged.empty()) return;
  auto& positions = acknowledged.positions;
  while (!positions.empty() && positions.front().first <= frame.largest.value()) {
    acknowledged.acknowledged = positions.front().second;
    positions.pop_front();
  }
  PlotSlot& slot = acknowledged.slots.at(time_ns);
  slot.acknowledged = acknowledged.acknowledged;
  const auto whole = round_trip_ns(answer, frame, time_ns);
  if (!whole) return;
  const std::int64_t sample = without_ack_delay(*whole, frame.delay);
  slot.shortest_ns = slot.round_trips == 0 ? sample : std::min(slot.shortest_ns, sample);
  slot.longest_ns = std::max(slot.longest_ns, sample);
  slot.round_trips_ns += static_cast<double>(sample);
  ++slot.round_trips;
}

void PagePlot::add_stream(TrafficDirection direction, std::uint64_t kind, std::string_view name, std::uint64_t bytes,
                          std::int64_t time_ns) {
  const std::pair key(direction, kind);
  auto found = streams_.find(key);
  if (found == streams_.end()) {
    if (streams_.size() == kMaxStreams) {
      ++streams_left_out_;
      return;
    }
    found = streams_.emplace(key, Stream{}).first;
    found->second.label = name;
  }
  found->second.bytes += bytes;
  found->second.slots.at(time_ns) += std::max<std::uint64_t>(bytes, 1);  // the end of a stream may have none
}

// Columns, of the slots in which something happened; null where nothing of the kind did.
nlohmann::json PagePlot::describe(const Direction& direction) {
  nlohmann::json json{{"packets", direction.packets},
                      {"bytes", direction.bytes},
                      {"lost", direction.lost},
                      {"lost_elsewhere", direction.lost_elsewhere},
                      {"slot_ms", static_cast<double>(direction.slots.width_ns()) / 1e6}};
  nlohmann::json columns{{"slot", nlohmann::json::array()}};
  for (const char* name : {"sent", "acknowledged", "flight", "credit", "rtt_min_ms", "rtt_mean_ms", "rtt_max_ms"})
    columns[name] = nlohmann::json::array();
  const auto put = [&](const char* name, bool is_there, const nlohmann::json& value) {
    columns[name].push_back(is_there ? value : nlohmann::json());
  };
  const auto& slots = direction.slots.slots();
  for (std::size_t i = 0; i < slots.size(); ++i) {
    const PlotSlot& slot = slots[i];
    if (slot.packets == 0 && slot.acknowledged == 0) continue;
    columns["slot"].push_back(i);
    put("sent", slot.sent > 0, slot.sent);
    put("acknowledged", slot.acknowledged > 0, slot.acknowledged);
    put("flight", slot.packets > 0, slot.flight);
    put("credit", slot.credit.has_value(), slot.credit.value_or(0));
    put("rtt_min_ms", slot.round_trips > 0, short_milliseconds(slot.shortest_ns));
    put("rtt_mean_ms", slot.round_trips > 0,
        short_milliseconds(static_cast<std::int64_t>(
            slot.round_trips_ns / static_cast<double>(std::max<std::int64_t>(slot.round_trips, 1)))));
    put("rtt_max_ms", slot.round_trips > 0, short_milliseconds(slot.longest_ns));
  }
  json["columns"] = std::move(columns);
  json["losses"] = nlohmann::json::array();
  for (const Mark& mark : direction.marks)
    json["losses"].push_back({short_milliseconds(mark.time_ns), mark.position, mark.number, mark.frame});
  json["losses_each_stand_for"] = direction.every;
  return json;
}

// Runs of busy slots, from the busiest stream on.
nlohmann::json PagePlot::describe_streams() const {
  std::vector<const std::pair<const std::pair<TrafficDirection, std::uint64_t>, Stream>*> busiest;
  busiest.reserve(streams_.size());
  for (const auto& each : streams_) busiest.push_back(&each);
  const std::size_t shown = std::min(busiest.size(), kMaxShownStreams);
  std::ranges::partial_sort(busiest, busiest.begin() + static_cast<std::ptrdiff_t>(shown),
                            [](const auto* a, const auto* b) { return a->second.bytes > b->second.bytes; });
  nlohmann::json json{{"rows", nlohmann::json::array()}, {"left_out", busiest.size() - shown}};
  json["not_followed"] = streams_left_out_;
  for (std::size_t n = 0; n < shown; ++n) {
    const auto& [key, stream] = *busiest[n];
    nlohmann::json runs = nlohmann::json::array();
    const auto& slots = stream.slots.slots();
    for (std::size_t i = 0; i < slots.size(); ++i) {
      if (slots[i] == 0) continue;
      const std::size_t begin = i;
      while (i + 1 < slots.size() && slots[i + 1] != 0) ++i;
      runs.push_back({begin, i});
    }
    json["rows"].push_back({{"label", stream.label},
                            {"direction", direction_word(key.first)},
                            {"bytes", stream.bytes},
                            {"slot_ms", static_cast<double>(stream.slots.width_ns()) / 1e6},
                            {"busy", std::move(runs)}});
  }
  return json;
}

nlohmann::json PagePlot::to_json() const {
  nlohmann::json json{{"client", client_.to_string()},
                      {"server", server_.to_string()},
                      {"readable", readable()},
                      {"streams", describe_streams()}};
  for (const TrafficDirection direction : kDirections)
    json[std::string(direction_word(direction))] = describe(directions_[index(direction)]);
  return json;
}

}  // namespace mxp::dump
