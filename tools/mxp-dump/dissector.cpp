#include "mxp-dump/dissector.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>

#include "core/frame_reader.h"
#include "core/packet_header.h"

namespace mxp::dump {
namespace {

constexpr std::size_t kMaxHandshakeHashes = 16;  // of one path: attempts, each repeated any number of times
constexpr std::size_t kMinInitialSize = 1200, kMaxInitialSize = 1500;
constexpr std::size_t kMaxFruitlessSearches = 8;  // then the key is taken for the wrong one

std::size_t hash_of(ByteView bytes) {
  return std::hash<std::string_view>{}(std::string_view(reinterpret_cast<const char*>(bytes.data()), bytes.size()));
}

ConnectionId id_at(ByteView bytes, std::size_t offset) {
  ConnectionId::Bytes id{};
  std::copy_n(bytes.begin() + static_cast<std::ptrdiff_t>(offset), id.size(), id.begin());
  return ConnectionId(id);
}

bool known_suite(std::uint8_t suite) {
  return suite == static_cast<std::uint8_t>(Suite::chacha20_poly1305) ||
         suite == static_cast<std::uint8_t>(Suite::aes_256_gcm);
}

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

std::optional<std::size_t> batch_segment_size(ByteView payload) {
  for (std::size_t size = kMinShortPacket; size + kShortHeaderSize <= payload.size(); ++size) {
    const auto fits = [&](std::size_t at) {
      return (payload[at] & (packet_bits::kForm | packet_bits::kFixed)) == packet_bits::kFixed &&
             std::equal(payload.begin() + 1, payload.begin() + kShortHeaderSize,
                        payload.begin() + static_cast<std::ptrdiff_t>(at) + 1);
    };
    if (!fits(size)) continue;
    std::size_t at = 2 * size;
    while (at + kShortHeaderSize <= payload.size() && fits(at)) at += size;
    // Only the last one of a batch may be of another size; where that does not hold, this is something else.
    if (at + kShortHeaderSize <= payload.size()) return std::nullopt;
    return size;
  }
  return std::nullopt;
}

bool Dissector::dissect(const CapturedPacket& packet, const UdpDatagram& datagram, const Sink& sink) {
  record_.frame = packet.frame;
  record_.time_ns = packet.time_ns;
  record_.source = datagram.source;
  record_.destination = datagram.destination;
  record_.length = datagram.length;
  record_.captured = static_cast<std::uint32_t>(datagram.payload.size());
  record_.fragment = datagram.fragment;
  record_.segment.reset();
  if (!is_handshake(datagram.payload)) return one_rtt(datagram.payload, sink);
  handshake(datagram.payload, sink);
  return true;
}

// --- handshake ---------------------------------------------------------------------------------------------------

bool Dissector::is_handshake(ByteView payload) const {
  constexpr std::array<std::uint8_t, 4> kWireVersion{'M', 'X', 'P', '1'};  // protocol.md §2.1
  return payload.size() >= 1 + kWireVersion.size() && payload[0] >= 0xc0 && payload[0] <= 0xc5 &&
         std::equal(kWireVersion.begin(), kWireVersion.end(), payload.begin() + 1);
}

void Dissector::handshake(ByteView payload, const Sink& sink) {
  record_.connection = 0;
  record_.flow =
      payload[0] == packet_bits::kResponse ? TrafficDirection::server_to_client : TrafficDirection::client_to_server;
  record_.destination_id.reset();
  record_.client_id.reset();
  record_.suite.reset();
  record_.token_size = record_.ticket_size = 0;
  record_.protection = Protection::none;
  record_.number.reset();
  record_.key_phase = record_.duplicate = record_.retransmission = false;
  record_.frames.clear();
  record_.notes.clear();
  record_.turn.clear();
  record_.type = payload[0] == packet_bits::kInitial    ? PacketType::initial
                 : payload[0] == packet_bits::kResponse ? PacketType::response
                                                        : PacketType::reserved;

  if (payload.size() >= kHandshakeHeaderSize) {
    record_.suite = payload[5];
    record_.client_id = id_at(payload, 6);
  } else {
    record_.notes.emplace_back(record_.truncated() ? "cut off before its connection id"
                                                   : "malformed: too short for its header");
  }
  if (!record_.truncated()) {
    const auto header = parse_packet_header(payload);
    if (header && std::holds_alternative<InitialHeader>(*header)) {
      const auto& initial = std::get<InitialHeader>(*header);
      record_.token_size = initial.token.size();
      record_.ticket_size = initial.ticket.size();
    } else if (!header && record_.type != PacketType::reserved && record_.client_id) {
      record_.notes.emplace_back("malformed: its fields reach beyond its end");
    }
    if (record_.type == PacketType::initial && (payload.size() < kMinInitialSize || payload.size() > kMaxInitialSize)) {
      record_.notes.push_back(
          fmt::format("a server drops it: its size is not {}..{}", kMinInitialSize, kMaxInitialSize));
    }
  }
  if (record_.type == PacketType::initial && record_.suite && !known_suite(*record_.suite))
    record_.notes.emplace_back("unknown suite");

  if (record_.client_id && record_.type != PacketType::reserved) {
    const FlowTable::Found found =
        flows_.handshake(*record_.client_id, {record_.source, record_.destination}, record_.flow);
    Connection& connection = *found.connection;
    auto& hashes = found.path->handshake_hashes;
    const std::size_t hash = hash_of(payload);
    record_.retransmission = std::find(hashes.begin(), hashes.end(), hash) != hashes.end();
    if (record_.retransmission) {
      ++found.path->handshake_repeats[index(record_.flow)];
    } else {
      if (hashes.size() == kMaxHandshakeHashes) hashes.erase(hashes.begin());
      hashes.push_back(hash);
    }
    // The suite of a connection is what its server took up: message 1 alone may be somebody else's guess.
    if (!connection.response_seen || record_.type == PacketType::response) connection.suite = record_.suite;
    if (record_.type == PacketType::initial) {
      ++connection.initials;
      if (!connection.first_initial_ns) connection.first_initial_ns = record_.time_ns;
    } else {
      connection.response_seen = true;
      if (!connection.response_ns) connection.response_ns = record_.time_ns;
    }
    count(found);
  }
  sink(record_);
}

// --- 1-RTT -------------------------------------------------------------------------------------------------------

bool Dissector::one_rtt(ByteView payload, const Sink& sink) {
  if (payload.size() < kShortHeaderSize ||
      (payload[0] & (packet_bits::kForm | packet_bits::kFixed)) != packet_bits::kFixed)
    return false;
  if (record_.length < kMinShortPacket) return false;
  const ConnectionId destination = id_at(payload, 1);
  const FlowTable::Found found = find_connection(destination, {record_.source, record_.destination});
  if (!found) return false;

  const auto segment_size = record_.truncated() ? std::nullopt : batch_segment_size(payload);
  if (!segment_size) {
    one_rtt_packet(payload, found, destination);
    sink(record_);
    return true;
  }
  std::uint32_t segment = 0;
  for (ByteView rest = payload; !rest.empty(); ++segment) {
    const ByteView packet = rest.first(std::min(*segment_size, rest.size()));
    rest = rest.subspan(packet.size());
    record_.segment = segment;
    record_.length = record_.captured = static_cast<std::uint32_t>(packet.size());
    one_rtt_packet(packet, found, destination);
    sink(record_);
  }
  return true;
}

FlowTable::Found Dissector::find_connection(ConnectionId destination, const Endpoints& endpoints) {
  if (const auto found = flows_.known(destination, endpoints)) return found;
  if (const LoggedKeys* logged = keys_.find(destination)) return flows_.join(destination, endpoints, logged->flow);
  if (port_ == 0) return {};
  if (endpoints.destination.port == port_)
    return flows_.join(destination, endpoints, TrafficDirection::client_to_server);
  if (endpoints.source.port == port_) return flows_.join(destination, endpoints, TrafficDirection::server_to_client);
  return {};
}

void Dissector::one_rtt_packet(ByteView packet, FlowTable::Found found, ConnectionId destination) {
  Connection& connection = *found.connection;
  Side& side = connection.side(found.flow);
  record_.type = PacketType::one_rtt;
  record_.flow = found.flow;
  record_.destination_id = destination;
  record_.client_id.reset();
  record_.suite = connection.suite;
  record_.token_size = record_.ticket_size = 0;
  record_.number.reset();
  record_.key_phase = record_.duplicate = record_.retransmission = false;
  record_.frames.clear();
  record_.notes.clear();
  record_.turn.clear();
  count(found);
  if (found.flow == TrafficDirection::client_to_server && connection.response_seen && !connection.first_client_short_ns)
    connection.first_client_short_ns = record_.time_ns;

  if (record_.truncated()) {
    record_.protection = Protection::incomplete;
    return;
  }
  if (!make_decryptors(side, connection, destination)) {
    ++side.no_key;
    record_.protection = Protection::no_key;
    return;
  }
  const auto opened = open(side, destination, packet);
  if (!opened) return;
  note_phase(side, opened->phase);
  if (!connection.suite) connection.suite = static_cast<std::uint8_t>(side.decryptors.front()->suite());
  record_.suite = connection.suite;
  record_.number = opened->number;
  record_.key_phase = (opened->first_byte & packet_bits::kKeyPhase) != 0;
  if ((opened->first_byte & packet_bits::kReserved) != 0) record_.notes.emplace_back("reserved bits are set");
  const std::uint64_t number = opened->number.value();
  record_.duplicate = found.path->numbers[index(found.flow)].add(number, number + 1) == 0;
  const bool first_sight = side.sent.add(number, number + 1) != 0;
  read_frames(opened->payload, found, first_sight);
  if (record_.retransmission) ++side.repeating;
}

// The suite is known from the handshake, or both are tried. False: there is no key.
bool Dissector::make_decryptors(Side& side, const Connection& connection, ConnectionId destination) {
  if (!side.decryptors.empty()) return true;
  const LoggedKeys* logged = keys_.find(destination);
  if (logged == nullptr || !logged->phase_0) return false;
  for (const Suite suite : {Suite::chacha20_poly1305, Suite::aes_256_gcm}) {
    const bool possible =
        !connection.suite || !known_suite(*connection.suite) || *connection.suite == static_cast<std::uint8_t>(suite);
    if (possible) side.decryptors.push_back(std::make_unique<PacketDecryptor>(suite, *logged->phase_0));
  }
  return true;
}

// Number and key phase follow from the packets before, or they are searched for.
std::optional<PacketDecryptor::Opened> Dissector::open(Side& side, ConnectionId destination, ByteView packet) {
  const std::uint64_t expected = side.sent.empty() ? 0 : side.sent.largest() + 1;
  const auto opened_with = [&](std::size_t i) {
    if (side.decryptors.size() > 1) {
      std::swap(side.decryptors[0], side.decryptors[i]);
      side.decryptors.resize(1);
    }
    ++side.opened;
    side.misses = 0;
    record_.protection = Protection::opened;
  };
  for (std::size_t i = 0; i < side.decryptors.size(); ++i) {
    auto opened = side.decryptors[i]->open(packet, expected, scratch_);
    if (!opened) continue;
    opened_with(i);
    return opened;
  }
  if (side.searches < kMaxFruitlessSearches) {
    const PacketDecryptor::Search how{.highest_named = keys_.highest_phase(destination), .round = side.misses};
    for (std::size_t i = 0; i < side.decryptors.size(); ++i) {
      auto opened = side.decryptors[i]->search(packet, expected, how, scratch_);
      if (!opened) continue;
      opened_with(i);
      // Only a search that found something earns another: packets that open at once must not pay for forged ones
      // between them.
      side.searches = 0;
      return opened;
    }
    ++side.searches;
    ++side.misses;
  }
  ++side.not_opened;
  record_.protection = Protection::key_misfit;
  return std::nullopt;
}

// Said once for each phase, at the packet that was captured first of it.
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

void Dissector::read_frames(ByteView payload, FlowTable::Found found, bool first_sight) {
  Side& side = found.connection->side(found.flow);
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
      NumberLedger& acknowledged = found.connection->side(reverse(found.flow)).acknowledged;
      for (const AckRange& range : ack->ranges) acknowledged.add(range.first.value(), range.last.value() + 1);
    }
    record_.frames.push_back(std::move(**frame));
  }
}

void Dissector::count(FlowTable::Found found) {
  Connection& connection = *found.connection;
  record_.connection = connection.number;
  Side& side = connection.side(found.flow);
  ++side.packets;
  side.bytes += record_.length;
  if (!connection.first_ns) connection.first_ns = record_.time_ns;
  if (record_.time_ns) connection.last_ns = record_.time_ns;
}

}  // namespace mxp::dump
