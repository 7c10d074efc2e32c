#include "mxp-dump/dissect/dissector.h"

#include <fmt/format.h>

#include <algorithm>

#include "common/counted.h"
#include "core/frame_reader.h"
#include "mxp-dump/dissect/batch.h"
#include "mxp-dump/dissect/datagram_form.h"

namespace mxp::dump {
namespace {

constexpr std::uint8_t kFormBits = packet_bits::kForm | packet_bits::kFixed;

}  // namespace

std::string_view to_string(PacketType type) {
  switch (type) {
    case PacketType::initial: return "initial";
    case PacketType::response: return "response";
    case PacketType::one_rtt: return "1rtt";
    case PacketType::reserved: return "reserved";
    case PacketType::handshake: return "handshake";
  }
  return "?";
}

void Dissector::survey(const CapturedPacket& packet, const UdpDatagram& datagram) {
  const ByteView payload = datagram.payload;
  const Endpoints endpoints{datagram.source, datagram.destination};
  if (is_handshake(payload)) {
    const auto message = message_of(payload[0]);
    if (!message || payload.size() < kHandshakeHeaderSize) return;
    const Captured captured = datagram.truncated() ? Captured::cut : Captured::whole;
    table_.note_handshake(describe_handshake(payload, *message, captured, packet.time_ns), endpoints);
  } else if (payload.size() >= kShortHeaderSize && datagram.length >= kMinShortPacket) {
    // All packets of a batch are asked, because the first one may be the damaged one.
    const auto batch = batch_segment_size(payload, id_at(payload, 1), surveyed_segment_size_);
    if (batch) surveyed_segment_size_ = *batch;
    const std::size_t step = batch.value_or(payload.size());
    for (std::size_t at = 0; at + kShortHeaderSize <= payload.size(); at += step) {
      if (IdCandidates::plausible(payload[at], datagram.length))
        table_.note_short(endpoints, id_at(payload, at + 1), payload[at], packet.time_ns);
    }
  }
}

void Dissector::end_survey() {
  surveyed_ = true;
  table_.resolve();
}

bool Dissector::dissect(const CapturedPacket& packet, const UdpDatagram& datagram, const Sink& sink) {
  record_.frame = packet.frame;
  record_.time_ns = packet.time_ns;
  record_.source = datagram.source;
  record_.destination = datagram.destination;
  record_.length = datagram.length;
  record_.captured = static_cast<std::uint32_t>(datagram.payload.size());
  record_.fragment = datagram.fragment;
  record_.fragments = datagram.fragments;
  record_.segment.reset();
  record_.bytes = datagram.payload;
  // Frames that wait for other fragments outlive what was opened with them.
  opened_ahead_ = datagram.fragment || datagram.fragments > 0 ? std::span<const OpenedAhead>() : packet.opened;
  clear_record();
  if (!surveyed_) survey(packet, datagram);
  if (!is_handshake(datagram.payload)) return other_than_handshake(datagram.payload, sink);
  handshake(datagram.payload, sink);
  return true;
}

void Dissector::clear_record() {
  record_.connection = 0;
  record_.destination_id.reset();
  record_.client_id.reset();
  record_.suite.reset();
  record_.token_size = record_.ticket_size = 0;
  record_.protection = Protection::none;
  record_.number.reset();
  record_.key_phase = record_.duplicate = record_.seen_before = record_.damaged = record_.retransmission = false;
  record_.lost.reset();
  record_.frames.clear();
  record_.notes.clear();
  record_.turn.clear();
  record_.plain = {};
}

bool Dissector::other_than_handshake(ByteView payload, const Sink& sink) {
  if (payload.size() < kShortHeaderSize || record_.length < kMinShortPacket) return false;
  if (const ShortPacket to = find_short(payload, id_at(payload, 1), endpoints())) {
    short_datagram(payload, to, sink);
    return true;
  }
  if (!handshake_size(payload.size())) return false;
  for (const HandshakeMessage message : {HandshakeMessage::initial, HandshakeMessage::response}) {
    const HandshakeCopy copy = describe_handshake(payload, message, Captured::whole, record_.time_ns);
    const Found found = table_.damaged_handshake(copy, endpoints());
    if (!found) continue;
    damaged_handshake(found, payload, sink);
    return true;
  }
  return false;
}

Dissector::ShortPacket Dissector::find_short(ByteView payload, ConnectionId destination, const Endpoints& endpoints) {
  const bool plausible = IdCandidates::plausible(payload[0], record_.length);
  if (const Found found = table_.known(destination, endpoints)) {
    const Side& side = found.connection->side(found.direction);
    return {found, side.given.contains(destination) ? destination : side.destination.value_or(destination)};
  }
  if (plausible) {
    if (surveyed_ && !table_.has_noted(endpoints))  // forgotten since the survey
      table_.note_short(endpoints, destination, payload[0], record_.time_ns);
    if (const Found found = table_.assigned(destination, endpoints)) return {found, destination};
    if (const LoggedKeys* logged = keys_.find(destination))
      return {table_.join(destination, endpoints, logged->direction), destination};
  }
  if (const ShortPacket damaged = find_damaged(payload, destination, endpoints)) return damaged;
  if (port_ == 0 || !plausible || !table_.likely(destination, endpoints)) return {};
  if (endpoints.destination.port == port_)
    return {table_.join(destination, endpoints, TrafficDirection::client_to_server), destination};
  if (endpoints.source.port == port_)
    return {table_.join(destination, endpoints, TrafficDirection::server_to_client), destination};
  return {};
}

// A packet whose id is nearly that of a connection between these addresses, or that is followed by packets of such a
// connection in the same datagram.
Dissector::ShortPacket Dissector::find_damaged(ByteView payload, ConnectionId destination, const Endpoints& endpoints) {
  for (const Found& found : table_.between(endpoints)) {
    const Side& side = found.connection->side(found.direction);
    for (const ConnectionId id : {side.in_use.value_or(*side.destination), *side.destination}) {
      if (different_bits(id, destination) <= kMaxDamagedBits || batch_segment_size(payload, id, side.segment_size))
        return {table_.touch(found, endpoints), id};
    }
  }
  return {};
}

void Dissector::short_datagram(ByteView payload, const ShortPacket& to, const Sink& sink) {
  Side& side = to.found.connection->side(to.found.direction);
  const auto segment_size = batch_segment_size(payload, to.destination, side.segment_size);
  if (!segment_size) {
    short_packet(payload, to);
    sink(record_);
    return;
  }
  side.segment_size = *segment_size;
  // If a batch was cut by the snap length, the packets behind the cut are named as well.
  const std::uint32_t length = record_.length;
  for (std::uint32_t segment = 0, at = 0; at < length; ++segment, at += static_cast<std::uint32_t>(*segment_size)) {
    record_.segment = segment;
    record_.length = std::min(static_cast<std::uint32_t>(*segment_size), length - at);
    const ByteView packet = payload.subspan(std::min<std::size_t>(at, payload.size()));
    record_.captured = static_cast<std::uint32_t>(std::min<std::size_t>(record_.length, packet.size()));
    short_packet(packet.first(record_.captured), to);
    sink(record_);
  }
}

void Dissector::short_packet(ByteView packet, const ShortPacket& to) {
  Connection& connection = *to.found.connection;
  Side& side = connection.side(to.found.direction);
  clear_record();
  record_.bytes = packet;
  record_.type = PacketType::one_rtt;
  record_.direction = to.found.direction;
  record_.destination_id = to.destination;
  record_.suite = connection.suite ? connection.suite : connection.handshake.suite();
  count(to.found);
  if (record_.truncated()) {
    ++side.short_packets;
    ++side.incomplete;
    if (!record_.fragment) ++side.cut;
    record_.protection = Protection::incomplete;
    return;
  }
  record_.duplicate = is_copy(packet, to.found);
  if (record_.duplicate) ++side.duplicates;
  if (packet.size() < kMinShortPacket) {
    record_.notes.emplace_back("malformed: too short for a packet");
    record_.damaged = true;
    ++side.damaged;
    return;
  }
  if ((packet[0] & kFormBits) != packet_bits::kFixed || id_at(packet, 1) != to.destination) {
    repair(packet, to);
    return;
  }
  ++side.short_packets;
  if (!connection.handshake.empty()) side.fates.begins_at_zero();
  if (side.decryptor.prepare(keys_, key_id(side, to), record_.suite) == SideDecryptor::Keys::missing) {
    ++side.no_key;
    record_.protection = Protection::no_key;
  } else if (const auto opened = side.decryptor.open(packet, keys_, scratch_, opened_ahead(packet))) {
    opened_packet(*opened, to.found);
    if (opener_ != nullptr) side.decryptor.follow_ahead(*opener_, to.destination);
  } else {
    ++side.not_opened;
    record_.protection = Protection::key_misfit;
    return;
  }
  if (to.found.direction == TrafficDirection::client_to_server) {
    earliest(connection.confirmed_ns, record_.time_ns);
    earliest(to.found.path->first_confirmation_ns, record_.time_ns);
  }
}

// What is opened ahead is asked for in its order; packets between may have been left out.
const OpenedAhead* Dissector::opened_ahead(ByteView packet) {
  while (!opened_ahead_.empty()) {
    const OpenedAhead& ahead = opened_ahead_.front();
    if (ahead.packet.data() > packet.data()) return nullptr;
    opened_ahead_ = opened_ahead_.subspan(1);
    if (ahead.packet.data() == packet.data() && ahead.packet.size() == packet.size()) return &ahead;
  }
  return nullptr;
}

// The key log names keys by the first id of a direction, whatever id a packet has.
ConnectionId Dissector::key_id(const Side& side, const ShortPacket& to) {
  return side.destination.value_or(to.destination);
}

// The receiver dropped this packet. What it was is known if it opens once its clear bytes are put right.
void Dissector::repair(ByteView packet, const ShortPacket& to) {
  Side& side = to.found.connection->side(to.found.direction);
  record_.damaged = true;
  record_.protection = Protection::damaged;
  if (!record_.duplicate) ++side.damaged;
  const int bits = different_bits(id_at(packet, 1), to.destination);
  if (bits > 0)
    record_.notes.push_back(tools::counted(static_cast<std::uint64_t>(bits), "bit of its connection id is wrong",
                                           "bits of its connection id are wrong"));
  if (side.decryptor.prepare(keys_, key_id(side, to), record_.suite) == SideDecryptor::Keys::missing) return;
  repaired_.assign(packet.begin(), packet.end());
  repaired_[0] = static_cast<std::uint8_t>((repaired_[0] & ~kFormBits) | packet_bits::kFixed);
  std::copy(to.destination.bytes().begin(), to.destination.bytes().end(), repaired_.begin() + 1);
  const auto opened = side.decryptor.try_repaired(repaired_, scratch_);
  if (!opened) return;
  record_.number = opened->number;
  if (remember_lost_) side.fates.remember_lost();
  side.fates.sent(opened->number.value());
  if (lost_ != nullptr)
    record_.lost = lost_->contains(to.found.connection->number, to.found.direction, opened->number.value());
}

void Dissector::opened_packet(const PacketDecryptor::Opened& opened, Found found) {
  Connection& connection = *found.connection;
  Side& side = connection.side(found.direction);
  ++side.opened;
  side.in_use = record_.destination_id;
  record_.protection = Protection::opened;
  record_.phase = opened.phase;
  note_phase(side, opened.phase);
  connection.suite = static_cast<std::uint8_t>(side.decryptor.suite());
  record_.suite = connection.suite;
  record_.number = opened.number;
  record_.key_phase = (opened.first_byte & packet_bits::kKeyPhase) != 0;
  if ((opened.first_byte & packet_bits::kReserved) != 0) record_.notes.emplace_back("reserved bits are set");
  const std::uint64_t number = opened.number.value();
  const bool new_on_path = found.path->numbers[index(found.direction)].add(number, number + 1) != 0;
  if (!new_on_path && !record_.duplicate) {
    record_.duplicate = true;
    ++side.duplicates;
  }
  if (remember_lost_) side.fates.remember_lost();
  record_.plain = opened.payload;
  const bool first_sight = side.fates.sent(number);
  record_.seen_before = !first_sight;
  if (lost_ != nullptr) record_.lost = lost_->contains(connection.number, found.direction, number);
  read_frames(opened.payload, found, first_sight);
  if (record_.retransmission) ++side.repeating;
}

// Said once for each phase, at the packet of the phase that was captured first.
void Dissector::note_phase(Side& side, std::uint32_t phase) {
  const std::optional<std::uint32_t> before = side.phase;
  if (before && phase <= *before) return;
  side.phase = phase;
  if (phase == 0) return;
  const bool turned_here = before && phase == *before + 1;
  record_.turn = turned_here
                     ? fmt::format("key phase {} begins", phase)
                     : fmt::format("in key phase {}{}", phase, before ? "; its beginning was not captured" : "");
}

void Dissector::read_frames(ByteView payload, Found found, bool first_sight) {
  Side& side = found.connection->side(found.direction);
  FrameReader reader(payload);
  for (;;) {
    auto frame = reader.next();
    if (!frame) {
      record_.notes.push_back(fmt::format("frames end with {}: {} (frame type {:#x})", to_string(frame.error().code),
                                          frame.error().reason, reader.last_type()));
      return;
    }
    if (!*frame) return;
    // The same packet seen again, on this path or on the other side of a relay, repeats nothing.
    if (const auto* stream = std::get_if<StreamFrame>(&**frame);
        stream != nullptr && first_sight && side.streams.repeats(*stream)) {
      record_.retransmission = true;
    }
    if (const auto* ack = std::get_if<AckFrame>(&**frame)) {
      found.connection->side(reverse(found.direction)).fates.acknowledged(*ack);
    }
    // Who gives an id receives the packets to it.
    if (const auto* given = std::get_if<NewConnectionIdFrame>(&**frame)) {
      table_.give_id(found, reverse(found.direction), given->id);
    }
    record_.frames.push_back(std::move(**frame));
  }
}

void Dissector::count(Found found) {
  record_.connection = found.connection->number;
  Side& side = found.connection->side(found.direction);
  ++side.packets;
  side.bytes += record_.length;
}

}  // namespace mxp::dump
