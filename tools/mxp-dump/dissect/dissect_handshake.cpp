// The dissector's part for handshake messages: what they say, and what their copies say of them.
#include <fmt/format.h>

#include "mxp-dump/dissect/datagram_form.h"
#include "mxp-dump/dissect/dissector.h"

namespace mxp::dump {
namespace {

// Copies of a handshake message closer than this are one packet captured twice, or doubled by the network: senders
// repeat after 300 ms at the earliest (docs/protocol.md §2.3).
constexpr std::uint64_t kLeastRepeatNs = 150'000'000;

bool known_suite(std::uint8_t suite) {
  return suite == static_cast<std::uint8_t>(Suite::chacha20_poly1305) ||
         suite == static_cast<std::uint8_t>(Suite::aes_256_gcm);
}

std::string_view to_string(HandshakeVerdict verdict) {
  switch (verdict) {
    case HandshakeVerdict::good: return {};
    case HandshakeVerdict::damaged: return "damaged: other copies of this message have other bytes";
    case HandshakeVerdict::other_suite: return "does not verify: its suite is not that of message 1";
    case HandshakeVerdict::other_answer:
      return "does not verify: the client took another message 2, and a connection has one";
  }
  return {};
}

}  // namespace

void Dissector::handshake(ByteView payload, const Sink& sink) {
  const auto message = message_of(payload[0]);
  record_.direction =
      message == HandshakeMessage::response ? TrafficDirection::server_to_client : TrafficDirection::client_to_server;
  record_.type = !message                                ? PacketType::reserved
                 : message == HandshakeMessage::response ? PacketType::response
                                                         : PacketType::initial;
  read_handshake_header(payload);
  if (record_.client_id && message) {
    const Captured captured = record_.truncated() ? Captured::cut : Captured::whole;
    const HandshakeCopy copy = describe_handshake(payload, *message, captured, record_.time_ns);
    if (const Found other = table_.from_the_wrong_side(copy, endpoints())) {
      damaged_handshake(other, payload, sink);
      return;
    }
    Found found = table_.handshake(copy, endpoints());
    if (!found) {  // forgotten since the survey
      table_.note_handshake(copy, endpoints());
      found = table_.handshake(copy, endpoints());
    }
    record_.duplicate = is_copy(payload, found);
    count(found);
    count_handshake(found, copy);
  }
  sink(record_);
}

void Dissector::read_handshake_header(ByteView payload) {
  if (payload.size() >= kHandshakeHeaderSize) {
    record_.suite = payload[5];
    record_.client_id = id_at(payload, 6);
  } else {
    if (record_.truncated()) ++cut_headers_;
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
    if (record_.type != PacketType::reserved && !handshake_size(payload.size())) {
      record_.notes.push_back(fmt::format("a {} drops it: its size is not {}..{}",
                                          record_.type == PacketType::initial ? "server" : "client", kMinInitialSize,
                                          kMaxInitialSize));
    }
  }
  if (record_.type == PacketType::initial && record_.suite && !known_suite(*record_.suite))
    record_.notes.emplace_back("unknown suite");
}

void Dissector::count_handshake(Found found, const HandshakeCopy& copy) {
  Connection& connection = *found.connection;
  Side& side = connection.side(found.direction);
  if (record_.truncated() && !record_.fragment) ++side.cut;
  if (record_.duplicate) {
    ++side.duplicates;
    return;
  }
  if (record_.retransmission) ++found.path->handshake_repeats[index(found.direction)];
  const HandshakeVerdict verdict = connection.handshake.judge(copy, connection.suite, connection.confirmed_ns);
  if (verdict != HandshakeVerdict::good) record_.notes.emplace_back(to_string(verdict));
  if (verdict == HandshakeVerdict::damaged) {
    record_.damaged = true;
    ++side.damaged;
    return;
  }
  if (verdict != HandshakeVerdict::good) {
    ++connection.not_verifying;
    return;
  }
  if (copy.message == HandshakeMessage::initial) {
    ++connection.initials;
    earliest(found.path->first_initial_ns, record_.time_ns);
  } else if (record_.truncated() || handshake_size(record_.length)) {
    ++connection.responses;
    earliest(found.path->first_response_ns, record_.time_ns);
  }
}

// Its first bytes are damaged, so that nothing of its header is to be believed.
void Dissector::damaged_handshake(Found found, ByteView payload, const Sink& sink) {
  record_.direction = found.direction;
  record_.type = found.direction == TrafficDirection::client_to_server ? PacketType::initial : PacketType::response;
  record_.damaged = true;
  record_.notes.emplace_back("damaged: its first bytes are not those of a handshake message");
  record_.duplicate = is_copy(payload, found);
  count(found);
  Side& side = found.connection->side(found.direction);
  ++(record_.duplicate ? side.duplicates : side.damaged);
  sink(record_);
}

// Whether these bytes are another copy of a packet of this path: the same packet, captured twice or doubled by the
// network. A handshake message that comes again later is one that its sender repeated.
bool Dissector::is_copy(ByteView bytes, Found found) {
  RecentHashes& recent = found.path->recent[index(found.direction)];
  const std::uint64_t hash = hash_of(bytes);
  const RecentHashes::Entry* entry = recent.find(hash);
  if (entry == nullptr) {
    recent.add(hash, record_.time_ns);
    return false;
  }
  if (record_.type == PacketType::one_rtt) return true;
  const bool close = record_.time_ns && entry->time_ns &&
                     (*record_.time_ns > *entry->time_ns ? *record_.time_ns - *entry->time_ns
                                                         : *entry->time_ns - *record_.time_ns) < kLeastRepeatNs;
  record_.retransmission = !close;
  recent.touch(*entry, record_.time_ns);
  return close;
}

}  // namespace mxp::dump
