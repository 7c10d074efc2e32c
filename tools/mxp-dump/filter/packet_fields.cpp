// Fields of the packet itself: the datagram, the header, and what the capture shows of it.
#include <array>

#include "mxp-dump/dissect/words.h"
#include "mxp-dump/filter/field_lists.h"

namespace mxp::dump {
namespace {

constexpr auto kAlways = Field::Presence::always, kSometimes = Field::Presence::sometimes;

constexpr std::array<std::string_view, 5> kPacketTypes{"initial", "response", "1rtt", "reserved", "handshake"};
constexpr std::array<std::string_view, 2> kDirectionWords{"client_to_server", "server_to_client"};
constexpr std::array<std::string_view, 4> kProtectionWords{"no key", "key does not fit", "incomplete", "damaged"};

void give_number(ValueSink& sink, std::uint64_t number) { sink.take({.number = number}); }
void give_text(ValueSink& sink, std::string_view text) { sink.take({.text = text}); }
void give_address(ValueSink& sink, const SocketAddress& address) { sink.take({.address = &address}); }
void give_id(ValueSink& sink, const ConnectionId& id) {
  std::uint64_t number = 0;
  for (const std::uint8_t byte : id.bytes()) number = number << 8 | byte;
  give_number(sink, number);
}
std::uint64_t at_keys(const PacketRecord& record) { return record.protection == Protection::opened ? 1 : 0; }

constexpr std::array kPacketFields{
    Field{"frame",
          FieldType::number,
          [](const PacketRecord& r, ValueSink& s) { give_number(s, r.frame); },
          "number of the frame in the capture, from 1",
          {.key = "frame", .presence = kAlways},
          "frame.number"},
    Field{"time",
          FieldType::time,
          [](const PacketRecord& r, ValueSink& s) {
            if (r.time_ns) give_number(s, *r.time_ns);
          },
          "seconds since 1970, with nanoseconds",
          {.key = "time"},
          "frame.time_epoch"},
    Field{"src",
          FieldType::endpoint,
          [](const PacketRecord& r, ValueSink& s) { give_address(s, r.source); },
          "source address and port",
          {.key = "src", .presence = kAlways}},
    Field{"dst",
          FieldType::endpoint,
          [](const PacketRecord& r, ValueSink& s) { give_address(s, r.destination); },
          "destination address and port",
          {.key = "dst", .presence = kAlways}},
    Field{"src.ip",
          FieldType::ip,
          [](const PacketRecord& r, ValueSink& s) { give_address(s, r.source); },
          "source address",
          {},
          "ip.src ipv6.src"},
    Field{"dst.ip",
          FieldType::ip,
          [](const PacketRecord& r, ValueSink& s) { give_address(s, r.destination); },
          "destination address",
          {},
          "ip.dst ipv6.dst"},
    Field{"ip",
          FieldType::ip,
          [](const PacketRecord& r, ValueSink& s) {
            give_address(s, r.source);
            give_address(s, r.destination);
          },
          "source and destination address",
          {},
          "ip.addr ipv6.addr"},
    Field{"src.port",
          FieldType::number,
          [](const PacketRecord& r, ValueSink& s) { give_number(s, r.source.port); },
          "source port",
          {},
          "udp.srcport"},
    Field{"dst.port",
          FieldType::number,
          [](const PacketRecord& r, ValueSink& s) { give_number(s, r.destination.port); },
          "destination port",
          {},
          "udp.dstport"},
    Field{"port",
          FieldType::number,
          [](const PacketRecord& r, ValueSink& s) {
            give_number(s, r.source.port);
            give_number(s, r.destination.port);
          },
          "source and destination port",
          {},
          "udp.port"},
    Field{"length",
          FieldType::number,
          [](const PacketRecord& r, ValueSink& s) { give_number(s, r.length); },
          "bytes of UDP payload, as sent",
          {.key = "length", .presence = kAlways}},
    Field{"type",
          FieldType::word,
          [](const PacketRecord& r, ValueSink& s) { give_text(s, to_string(r.type)); },
          "type of the packet",
          {.key = "type", .presence = kAlways},
          "mxp.packet.type",
          kPacketTypes},
    Field{"packet_number",
          FieldType::number,
          [](const PacketRecord& r, ValueSink& s) {
            if (r.number) give_number(s, r.number->value());
          },
          "packet number, where the packet was decrypted",
          {.key = "packet_number"}},
    Field{"connection",
          FieldType::number,
          [](const PacketRecord& r, ValueSink& s) {
            if (r.connection != 0) give_number(s, r.connection);
          },
          "number of the connection in the capture, from 1",
          {.key = "connection"}},
    Field{"direction",
          FieldType::word,
          [](const PacketRecord& r, ValueSink& s) {
            if (r.connection != 0) give_text(s, direction_word(r.direction));
          },
          "who sent it",
          {.key = "direction"},
          {},
          kDirectionWords},
    Field{"client_id",
          FieldType::id,
          [](const PacketRecord& r, ValueSink& s) {
            if (r.client_id) give_id(s, *r.client_id);
          },
          "the client's connection id, in handshake packets",
          {.key = "client_id"}},
    Field{"destination_id",
          FieldType::id,
          [](const PacketRecord& r, ValueSink& s) {
            if (r.destination_id) give_id(s, *r.destination_id);
          },
          "the connection id that the packet is sent to",
          {.key = "destination_id"}},
    Field{"suite",
          FieldType::text,
          [](const PacketRecord& r, ValueSink& s) {
            if (r.suite) give_text(s, suite_word(*r.suite));
          },
          "cipher suite: chacha20, aes256 or unknown-N",
          {.key = "suite"}},
    Field{"token_length",
          FieldType::number,
          [](const PacketRecord& r, ValueSink& s) {
            if (r.type == PacketType::initial && !r.truncated()) give_number(s, r.token_size);
          },
          "bytes of token in message 1",
          {.key = "token_length"}},
    Field{"ticket_length",
          FieldType::number,
          [](const PacketRecord& r, ValueSink& s) {
            if (r.type == PacketType::initial && !r.truncated()) give_number(s, r.ticket_size);
          },
          "bytes of ticket in message 1",
          {.key = "ticket_length"}},
    Field{"decrypted",
          FieldType::flag,
          [](const PacketRecord& r, ValueSink& s) {
            if (r.protection != Protection::none) give_number(s, at_keys(r));
          },
          "whether the keys opened the packet",
          {.key = "decrypted"}},
    Field{"not_decrypted",
          FieldType::word,
          [](const PacketRecord& r, ValueSink& s) {
            if (const auto why = protection_word(r.protection); !why.empty()) give_text(s, why);
          },
          "why it was not opened",
          {.key = "not_decrypted"},
          {},
          kProtectionWords},
    Field{"key_phase",
          FieldType::number,
          [](const PacketRecord& r, ValueSink& s) {
            if (r.protection == Protection::opened) give_number(s, r.key_phase ? 1 : 0);
          },
          "the key phase bit",
          {.key = "key_phase"}},
    Field{"lost",
          FieldType::flag,
          [](const PacketRecord& r, ValueSink& s) {
            if (r.lost) give_number(s, *r.lost ? 1 : 0);
          },
          "whether it was sent and never acknowledged; only of files, and only where a filter or -e asks for it",
          {.key = "lost"}},
    Field{"duplicate",
          FieldType::flag,
          [](const PacketRecord& r, ValueSink& s) { give_number(s, r.duplicate ? 1 : 0); },
          "second copy of a packet",
          {.key = "duplicate"}},
    Field{"damaged",
          FieldType::flag,
          [](const PacketRecord& r, ValueSink& s) { give_number(s, r.damaged ? 1 : 0); },
          "it is not what its sender sent",
          {.key = "damaged"}},
    Field{"retransmission",
          FieldType::flag,
          [](const PacketRecord& r, ValueSink& s) { give_number(s, r.retransmission ? 1 : 0); },
          "repeats a handshake message, or stream data of another packet",
          {.key = "retransmission"}},
    Field{"fragment",
          FieldType::flag,
          [](const PacketRecord& r, ValueSink& s) { give_number(s, r.fragment ? 1 : 0); },
          "first fragment of an IP datagram, of which the rest is not in the capture",
          {.key = "fragment"}},
    Field{"fragments",
          FieldType::number,
          [](const PacketRecord& r, ValueSink& s) {
            if (r.fragments > 0) give_number(s, r.fragments);
          },
          "of how many IP fragments the datagram was put together",
          {.key = "fragments"}},
    Field{"truncated",
          FieldType::flag,
          [](const PacketRecord& r, ValueSink& s) { give_number(s, r.truncated() ? 1 : 0); },
          "cut by the snap length of the capture",
          {.key = "truncated"}},
    Field{"captured_length",
          FieldType::number,
          [](const PacketRecord& r, ValueSink& s) {
            if (r.truncated()) give_number(s, r.captured);
          },
          "bytes that the capture holds of a truncated packet",
          {.key = "captured_length"}},
    Field{"segment",
          FieldType::number,
          [](const PacketRecord& r, ValueSink& s) {
            if (r.segment) give_number(s, *r.segment);
          },
          "place in a datagram of several packets (GSO, GRO), from 0",
          {.key = "segment"}},
    Field{"note",
          FieldType::text,
          [](const PacketRecord& r, ValueSink& s) {
            if (!r.turn.empty()) give_text(s, r.turn);
            for (const std::string& note : r.notes) give_text(s, note);
          },
          "what else there is to say of the packet",
          {.key = "notes", .list = true}},
};

}  // namespace

std::span<const Field> packet_fields() { return kPacketFields; }

}  // namespace mxp::dump
