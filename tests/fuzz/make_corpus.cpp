// Writes the seeds: one small file for each form that a parser knows, made with the library's own writers.
//
// Usage: fuzz_make_corpus FOLDER      (the repository's is tests/fuzz/corpus)
#include <array>
#include <chrono>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "connection/handshake_payload.h"
#include "core/frame_writer.h"
#include "core/packet_header.h"
#include "core/transport_parameters.h"
#include "crypto/noise_ik.h"
#include "handshake_keys.h"
#include "message/compact.h"
#include "mxp/message.h"
#include "mxp/message_compression.h"
#include "mxp/message_sealing.h"
#include "mxp/version.h"

using namespace mxp;
using Bytes = std::vector<std::uint8_t>;

namespace {

std::filesystem::path root;

// The same in every run, as seeds have to be.
struct Sequence final : Random {
  std::uint8_t next = 0;
  void fill(MutableBytes out) override {
    for (std::uint8_t& byte : out) byte = next++;
  }
};

void seed(const char* target, const std::string& name, ByteView bytes) {
  const auto folder = root / target;
  std::filesystem::create_directories(folder);
  std::ofstream out(folder / ("seed-" + name), std::ios::binary);
  out.write(reinterpret_cast<const char*>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
  if (!out.flush()) throw std::runtime_error("cannot write to " + folder.string());
}

ByteView view(std::string_view text) { return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()}; }

Bytes joined(std::initializer_list<ByteView> parts) {
  Bytes all;
  for (const ByteView part : parts) all.insert(all.end(), part.begin(), part.end());
  return all;
}

constexpr ConnectionId kId({1, 2, 3, 4, 5, 6, 7, 8});

void packet_headers() {
  std::array<std::uint8_t, 128> buffer{};
  Writer initial(buffer);
  write_initial_header(initial, Suite::aes_256_gcm, kId, view("token"), view("ticket"));
  initial.fill(0xaa, 40);
  seed("packet_header", "initial", initial.so_far());
  Writer response(buffer);
  write_response_header(response, Suite::chacha20_poly1305, kId);
  response.fill(0xaa, 20);
  seed("packet_header", "response", response.so_far());
  Writer short_packet(buffer);
  write_short_header(short_packet, kId, false, PacketNumber(0x1234), 2);
  short_packet.fill(0xaa, 20);
  seed("packet_header", "short", short_packet.so_far());
  Bytes other(response.so_far().begin(), response.so_far().end());
  other[0] = 0xc0;
  other[1] = 0x02;
  seed("packet_header", "other-version", other);
}

void frames() {
  std::array<std::uint8_t, 1200> all_buffer{};
  Writer all(all_buffer);
  const auto one = [&](const char* name, auto write) {
    std::array<std::uint8_t, 256> buffer{};
    Writer out(buffer);
    write(out);
    seed("frames", name, out.so_far());
    write(all);
  };
  const auto frame = [&](const char* name, const auto& value) {
    one(name, [&](Writer& out) { write_frame(out, value); });
  };
  const AckRange ranges[] = {
      {PacketNumber(90), PacketNumber(100)}, {PacketNumber(70), PacketNumber(80)}, {PacketNumber(1), PacketNumber(1)}};
  one("ack", [&](Writer& out) { write_ack(out, ranges, std::chrono::microseconds(300), std::nullopt); });
  one("ack-ecn", [&](Writer& out) { write_ack(out, ranges, std::chrono::microseconds(300), EcnCounts{1, 2, 3}); });
  const auto at = [](std::uint64_t number, int us) {
    return ReceiveTime{PacketNumber(number), std::chrono::microseconds(us)};
  };
  const ReceiveTime times[] = {at(98, 40'000), at(99, 40'010), at(75, 40'500), at(100, 41'000)};
  one("ack-times", [&](Writer& out) { write_ack(out, ranges, {}, std::nullopt, {times}); });
  one("ack-ecn-times", [&](Writer& out) { write_ack(out, ranges, {}, EcnCounts{1, 2, 3}, {times}); });
  one("ping", [](Writer& out) { write_ping(out); });
  one("padding", [](Writer& out) { write_padding(out, 5); });
  const auto stream = [](std::uint64_t offset, bool fin) {
    return [=](Writer& out) {
      const auto slot = begin_stream_frame(out, StreamId(4), offset, 5, fin);
      if (slot) std::ranges::copy(view("hello"), slot->data.begin());
    };
  };
  one("stream", stream(0, false));
  one("stream-offset", stream(100'000, false));
  one("stream-fin", stream(0, true));
  one("stream-offset-fin", stream(kMaxVarint - 5, true));
  frame("reset-stream", ResetStreamFrame{StreamId(4), 7, 5000});
  frame("stop-sending", StopSendingFrame{StreamId(5), 7});
  frame("max-data", MaxDataFrame{1u << 20});
  frame("max-stream-data", MaxStreamDataFrame{StreamId(4), 1u << 20});
  frame("max-streams-bidi", MaxStreamsFrame{StreamType::bidirectional, 100});
  frame("max-streams-uni", MaxStreamsFrame{StreamType::unidirectional, 100});
  frame("data-blocked", DataBlockedFrame{1u << 20});
  frame("stream-data-blocked", StreamDataBlockedFrame{StreamId(4), 1u << 20});
  frame("streams-blocked-bidi", StreamsBlockedFrame{StreamType::bidirectional, 100});
  frame("streams-blocked-uni", StreamsBlockedFrame{StreamType::unidirectional, 100});
  frame("ack-frequency", AckFrequencyFrame{3, 10, std::chrono::milliseconds(5), 1});
  frame("immediate-ack", ImmediateAckFrame{});
  frame("new-connection-id", NewConnectionIdFrame{2, 1, kId});
  frame("retire-connection-id", RetireConnectionIdFrame{1});
  frame("path-challenge", PathChallengeFrame{kId.bytes()});
  frame("path-response", PathResponseFrame{kId.bytes()});
  frame("datagram", DatagramFrame{view("hello")});
  frame("message", MessageFrame{MessageFrame::Form::full, 3, view("not a message")});
  frame("compact-message", MessageFrame{MessageFrame::Form::compact, 4, view("x")});
  frame("expired", ExpiredFrame{5, 2, 64});
  frame("max-messages", MaxMessagesFrame{16384, 1u << 21});
  frame("messages-blocked", MessagesBlockedFrame{1u << 21, 5000});
  frame("message-part", MessagePartFrame{MessageFrame::Form::full, 5, 16u << 20, 1u << 20, view("a piece")});
  frame("ordered-message",
        MessageFrame{MessageFrame::Form::compact, 9, view("x"), OrderLink{MessageClass::control, 3}});
  frame("ordered-message-part", MessagePartFrame{MessageFrame::Form::full, 70, 16u << 20, 1u << 20, view("a piece"),
                                                 OrderLink{MessageClass::background, 64}});
  frame("ordered-expired", ExpiredFrame{11, 3, 140, OrderLink{MessageClass::critical, 1}});
  frame("compact-message-part", MessagePartFrame{MessageFrame::Form::compact, 6, 2000, 1990, view("its end")});
  frame("drain-begins", DrainFrame{DrainFrame::State::begins, std::chrono::seconds(30)});
  frame("drain-agrees", DrainFrame{DrainFrame::State::agrees});
  frame("close-transport", CloseFrame{false, 0x0a, 0x08, view("why")});
  frame("close-application", CloseFrame{true, 42, 0, view("bye")});
  seed("frames", "all", all.so_far());
  seed("frames", "datagram-to-the-end", joined({Bytes{0x30}, view("hello")}));
  // STREAM without a length goes to the end of the packet; the writers always write one.
  seed("frames", "stream-to-the-end", joined({Bytes{0x08, 0x04}, view("hello")}));
}

TransportParameters full_parameters() {
  TransportParameters p;
  p.max_idle_timeout = std::chrono::seconds(30);
  p.max_udp_payload = 65507;
  p.initial_max_data = 4u << 20;
  p.initial_max_stream_data_bidi_local = 1u << 20;
  p.initial_max_stream_data_bidi_remote = 1u << 20;
  p.initial_max_stream_data_uni = 1u << 20;
  p.initial_max_streams_bidi = 1024;
  p.initial_max_streams_uni = 1024;
  p.max_ack_delay = std::chrono::milliseconds(10);
  p.active_connection_id_limit = 8;
  p.min_ack_delay = std::chrono::milliseconds(1);
  p.max_receive_timestamps_per_ack = 64;
  p.max_datagram_payload = 1170;
  p.versions = {kWireVersion};
  p.suites = {2, 1};
  return p;
}

void parameters_and_payloads() {
  TransportParameters client = full_parameters();
  TransportParameters server = client;
  server.connection_id = kId;
  TransportParameters least;
  least.versions = {kWireVersion};
  least.suites = {1};
  const std::pair<const char*, const TransportParameters*> table[] = {
      {"client", &client}, {"server", &server}, {"least", &least}};
  for (const auto& [name, parameters] : table) {
    std::array<std::uint8_t, 256> buffer{};
    Writer out(buffer);
    write_transport_parameters(out, *parameters, nullptr);
    out.bytes(Bytes{0x1b, 0x03, 0xaa, 0xbb, 0xcc});  // greased
    seed("transport_parameters", name, out.so_far());

    Bytes payload(200);
    payload[0] = parameters == &server ? 1 : 0;
    write_handshake_payload(MutableBytes(payload).subspan(1), *parameters, std::nullopt, nullptr);
    seed("handshake_payload", name, payload);
  }
  Bytes refusal(200);
  refusal[0] = 1;
  write_handshake_payload(MutableBytes(refusal).subspan(1), client, CloseFrame{false, 0x02, 0, view("not authorized")},
                          nullptr);
  seed("handshake_payload", "refusal", refusal);
}

void handshake_messages() {
  for (const Suite suite : {Suite::chacha20_poly1305, Suite::aes_256_gcm}) {
    const std::uint8_t suite_bit = suite == Suite::aes_256_gcm ? 1 : 0;
    const std::string name(to_string(suite));
    IkInitiator initiator(suite, fuzz::client_key(), fuzz::server_key().public_key(), fuzz::kPrologue,
                          fuzz::client_ephemeral());
    IkResponder responder(suite, fuzz::server_key(), fuzz::kPrologue);
    Bytes message_1(kIkMessage1Overhead), message_2(kIkMessage2Overhead), nothing;
    if (!initiator.write_message_1({}, message_1) || !responder.read_message_1(message_1, nothing) ||
        !responder.write_message_2({}, fuzz::server_ephemeral(), message_2)) {
      throw std::runtime_error("the handshake of the seeds fails");
    }
    seed("handshake_message", "message-1-" + name, joined({Bytes{suite_bit}, message_1}));
    seed("handshake_message", "message-2-" + name,
         joined({Bytes{static_cast<std::uint8_t>(suite_bit | 2)}, message_2}));
    // The ephemeral is a point of low order.
    seed("handshake_message", "low-order-1-" + name,
         joined({Bytes{suite_bit}, Bytes(32), ByteView(message_1).subspan(32)}));
    seed("handshake_message", "low-order-2-" + name,
         joined({Bytes{static_cast<std::uint8_t>(suite_bit | 2)}, Bytes(32), ByteView(message_2).subspan(32)}));
    seed("handshake_message", "damaged-" + name,
         joined({Bytes{static_cast<std::uint8_t>(suite_bit | 4), 0, 40}, view("payload")}));
  }
}

void messages() {
  AgentRegisterPayload agent;
  agent.name = "agent";
  agent.capabilities = {"search", "\xc3\xa9"};
  agent.ipv4 = {127, 0, 0, 1};
  agent.port = 9000;
  const Bytes registration = encode_payload(agent);
  const Bytes call = encode_payload(CallPayload{{}, 30, view("data")});
  const Bytes open = encode_payload(StreamOpenPayload{{}, {}, true});
  const std::pair<const char*, Message> table[] = {
      {"heartbeat", {MessageType::agent_heartbeat, 0, 1, 2, {}}},
      {"register", {MessageType::agent_register, 4, 1, 2, registration}},
      {"call", {MessageType::call, 4, 1, 2, call}},
      {"stream-open", {MessageType::stream_open, 0, 1, 2, open}},
      {"application", {static_cast<MessageType>(0x80), 15, ~std::uint64_t{0}, 0, view("anything")}},
  };
  for (const auto& [name, message] : table) {
    Bytes bytes(encoded_size(message));
    if (!encode_message(message, bytes)) throw std::runtime_error("a seed message cannot be encoded");
    seed("message_codec", name, bytes);
    Bytes compact(compact_size(message));
    if (!encode_compact(message, compact)) throw std::runtime_error("a seed message cannot be compacted");
    seed("message_codec", std::string("compact-") + name, compact);
  }
  seed("message_codec", "payload-register", registration);
  seed("message_codec", "payload-call", call);
  seed("message_codec", "payload-stream-open", open);
  seed("message_codec", "payload-heartbeat", encode_payload(AgentHeartbeatPayload{}));
  seed("message_codec", "payload-discover-name", encode_payload(AgentDiscoverPayload{.text = "agent"}));
  seed("message_codec", "payload-discover-agent",
       encode_payload(AgentDiscoverPayload{.by = AgentDiscoverPayload::By::agent}));
  seed("message_codec", "payload-lease", encode_payload(AgentLeasePayload{90}));
  seed("message_codec", "payload-agents", encode_payload(AgentListPayload{true, {{{}, agent}, {{}, {}}}}));
  seed("message_codec", "payload-error", encode_payload(ErrorPayload{ErrorReason::taken, "taken"}));
}

// Messages as the target of the registry takes them: who, type and seconds, length, payload.
void registries() {
  using By = AgentDiscoverPayload::By;
  const auto said = [](std::uint8_t who, MessageType type, std::uint8_t seconds, const Bytes& payload) {
    const auto what = static_cast<std::uint8_t>(seconds << 4 | static_cast<std::uint8_t>(type));
    return joined({Bytes{who, what, static_cast<std::uint8_t>(payload.size())}, payload});
  };
  const auto agent = [](std::uint8_t number) {
    AgentRegisterPayload payload;
    payload.agent[0] = number;
    payload.name = "n";
    payload.capabilities = {"a", "b"};
    return payload;
  };
  const auto asked = [&](const AgentDiscoverPayload& query) {
    return said(3, MessageType::agent_discover, 0, encode_payload(query));
  };
  const Bytes first = said(1, MessageType::agent_register, 0, encode_payload(agent(1))),
              second = said(1, MessageType::agent_register, 1, encode_payload(agent(2))),
              third = said(2, MessageType::agent_register, 2, encode_payload(agent(3))),
              stolen = said(2, MessageType::agent_register, 0, encode_payload(agent(1))),
              beat = said(1, MessageType::agent_heartbeat, 15, encode_payload(AgentHeartbeatPayload{agent(1).agent})),
              leave = said(1, MessageType::agent_heartbeat, 9,
                           encode_payload(AgentHeartbeatPayload{agent(1).agent, AgentState::leaving})),
              by_name = asked({.by = By::name, .text = "n"}),
              by_capability = asked({.by = By::capability, .text = "b"}),
              on = asked({.by = By::capability, .after = agent(2).agent, .text = "b"}),
              by_agent = asked({.by = By::agent, .agent = agent(2).agent});
  seed("agent_registry", "find", joined({first, second, third, by_name, by_capability, on, by_agent}));
  seed("agent_registry", "own", joined({first, stolen, beat, leave, stolen, by_name}));
  seed("agent_registry", "expire", joined({first, beat, beat, by_name, second, by_name}));
}

void compressed_payloads() {
  const std::pair<const char*, Bytes> table[] = {
      {"text", Bytes(joined({view("the same words, "), view("the same words, "), view("the same words")}))},
      {"run", Bytes(1000, 'a')},
      {"blocks", Bytes(300'000, 'b')},
  };
  for (const auto& [name, payload] : table) {
    MessageCompressor compressor;
    Bytes packed(payload.size());
    const auto size = compressor.compress(payload, packed);
    if (!size) throw std::runtime_error("a seed payload does not shrink");
    packed.resize(*size);
    seed("compression", name, packed);
    packed.resize(*size - 1);
    seed("compression", std::string(name) + "-cut", packed);
  }
  const Bytes head = {0x28, 0xb5, 0x2f, 0xfd};
  const Bytes run = {0x02, 0x00, 0x10, 0x61};  // 128 KiB of one byte, and no last block
  const Bytes last = {0x03, 0x00, 0x10, 0x61};
  seed("compression", "bomb-declares-one-byte", joined({head, Bytes{0x20, 1}, run, run, last}));
  seed("compression", "bomb-declares-all", joined({head, Bytes{0xa0, 0, 0, 0, 2}, run, last}));
  seed("compression", "two-frames", joined({head, Bytes{0xa0, 0, 0, 2, 0}, last, head, Bytes{0xa0, 0, 0, 2, 0}, last}));
  seed("compression", "window", joined({head, Bytes{0x40, 0x50, 0, 0, 0x03, 0x08, 0, 0x61}}));
  seed("compression", "no-size", joined({head, Bytes{0, 0x58, 0x11, 0, 0, 0x61, 0x62}}));
  seed("compression", "dictionary", joined({head, Bytes{0x21, 7, 2, 0x11, 0, 0, 0x61, 0x62}}));
  seed("compression", "empty", joined({head, Bytes{0x20, 0, 1, 0, 0}}));
}

// Whole messages, compacted, to the key of the target.
void wrapped_payloads() {
  const auto put = [](const std::string& name, const Message& message) {
    Bytes bytes(compact_size(message));
    if (!encode_compact(message, bytes)) throw std::runtime_error("a seed message cannot be compacted");
    seed("payloads", name, bytes);
  };
  Sequence random;
  const auto put_sealed = [&](const std::string& name, const Message& message, const PublicKey& receiver) {
    Bytes bytes(message.payload.size() + kSealingOverhead);
    const auto sealed = seal_payload(fuzz::client_key(), receiver, message, random, bytes);
    if (!sealed) throw std::runtime_error("a seed message cannot be sealed");
    put(name, *sealed);
  };
  const Bytes payload(1000, 'a');
  Bytes packed(payload.size());
  packed.resize(MessageCompressor().compress(payload, packed).value());
  Message message{.type = MessageType::event, .id = 7, .trace_id = 9, .payload = payload};
  const PublicKey& receiver = fuzz::server_key().public_key();
  put("plain", message);
  put_sealed("sealed", message, receiver);
  put_sealed("sealed-to-another", message, fuzz::client_key().public_key());
  message.flags = static_cast<std::uint8_t>(MessageFlag::compressed);
  message.payload = packed;
  put("compressed", message);
  put_sealed("both", message, receiver);
  message.payload = ByteView(packed).first(packed.size() - 1);
  put_sealed("damaged-inside", message, receiver);
}

void urls() {
  const std::string key = fuzz::server_key().public_key().to_string();
  seed("url", "name", view("mxp://host.example:9000/agent"));
  seed("url", "key", view("mxp://" + key + "@127.0.0.1:9000"));
  seed("url", "ipv6", view("mxp://[2001:db8::1]:1/x"));
  seed("url", "scope", view("mxp://[fe80::1%3]"));
  seed("url", "address-ipv4", view("192.0.2.1:443"));
  seed("url", "address-ipv6", view("[2001:db8:0:0:1::7]:443"));
  seed("url", "address-mapped", view("[::ffff:192.0.2.1]:443"));
  seed("url", "address-scope", view("[fe80::a%12]:443"));
}

// One UDP packet in an Ethernet frame, in a file of either format.
Bytes ethernet_udp() {
  Bytes frame(12, 0x02);                    // addresses
  frame.insert(frame.end(), {0x08, 0x00});  // IPv4
  frame.insert(frame.end(),
               {0x45, 0, 0, 33, 0, 1, 0, 0, 64, 17, 0, 0, 127, 0, 0, 1, 127, 0, 0, 1});  // 20 + 8 + 5 bytes
  frame.insert(frame.end(), {0x23, 0x28, 0x23, 0x29, 0, 13, 0, 0, 'h', 'e', 'l', 'l', 'o'});
  return frame;
}

void captures() {
  const Bytes frame = ethernet_udp();
  std::array<std::uint8_t, 512> buffer{};
  Writer pcap(buffer);
  for (const std::uint32_t field : {0xa1b2c3d4u, 0x00040002u, 0u, 0u, 65535u, 1u})
    pcap.le(field);  // version 2.4, Ethernet
  for (const std::uint32_t field :
       {1u, 2u, static_cast<std::uint32_t>(frame.size()), static_cast<std::uint32_t>(frame.size())})
    pcap.le(field);
  pcap.bytes(frame);
  seed("capture_reader", "pcap", pcap.so_far());

  Writer pcapng(buffer);
  const auto size = static_cast<std::uint32_t>(frame.size());
  const std::uint32_t padded = (size + 3) & ~3u;
  for (const std::uint32_t field : {0x0a0d0d0au, 28u, 0x1a2b3c4du, 1u, ~0u, ~0u, 28u}) pcapng.le(field);  // section
  for (const std::uint32_t field : {1u, 32u, 1u, 0u, 0x00010009u, 9u, 0u, 32u})
    pcapng.le(field);  // interface, if_tsresol 9
  for (const std::uint32_t field : {6u, 32 + padded, 0u, 0u, 1u, size, size}) pcapng.le(field);  // enhanced packet
  pcapng.bytes(frame);
  pcapng.fill(0, padded - size);
  pcapng.le(32 + padded);
  for (const std::uint32_t field : {3u, 16 + padded, size}) pcapng.le(field);  // simple packet
  pcapng.bytes(frame);
  pcapng.fill(0, padded - size);
  pcapng.le(16 + padded);
  seed("capture_reader", "pcapng", pcapng.so_far());
}

// Programs for conversation.cpp: how little room each side gives, then steps. The numbers of the verbs are those of
// test::Command.
void conversations() {
  constexpr std::uint8_t kExchange = 9, kDo = 10, kServer = 0x80, kInCallback = 0x40;
  enum : std::uint8_t {
    open,
    write,
    finish,
    reset,
    stop,
    priority,
    message,
    cancel,
    call,
    cancel_call,
    answer,
    datagram,
    cork,
    uncork,
    pause,
    resume,
    drain,
    close
  };
  const Bytes wide(8, 0), narrow(8, 1);
  const auto act = [](std::uint8_t verb, std::uint8_t size = 10, std::uint8_t who = 0, std::uint8_t options = 0) {
    return Bytes{static_cast<std::uint8_t>(kDo | who), verb, size, 0x0d, 0x87, options};
  };
  const Bytes on = {kExchange}, second = {0, 20};
  const Bytes polled = {1, kServer | 1}, lost = {6, 0}, copied = {5, 0}, arrived = {3, 0}, damaged = {7, 0, 40, 1};
  seed("conversation", "messages",
       joined({wide, act(message), act(message, 200, kServer), act(cancel), on, act(message, 250), on}));
  seed("conversation", "narrow",
       joined({narrow, act(message, 250), act(message, 250), act(open, 250), act(open, 250), act(datagram, 190),
               act(datagram, 190), on, act(call, 100), act(call, 100), on}));
  seed("conversation", "calls",
       joined({wide, act(call), act(call), act(call), act(cancel_call), on, act(answer, 10, kServer), act(cancel_call),
               on, second, on}));
  seed("conversation", "streams",
       joined({wide, act(open, 200, 0, 1), on, act(write, 250), act(write, 100, kServer), act(priority), act(finish),
               on, act(reset, 0, kServer), act(stop), on}));
  seed("conversation", "pauses",
       joined({wide, act(pause, 0, kServer), act(message), act(message), act(open), on, act(resume, 0, kServer), on}));
  seed("conversation", "corks", joined({wide, act(cork), act(message), act(open), act(datagram), on, act(uncork), on}));
  seed("conversation", "callbacks",
       joined({wide, act(message, 10, kServer | kInCallback), act(resume, 0, kServer | kInCallback),
               act(close, 0, kServer | kInCallback), act(message), on, act(message), on, act(message), on}));
  seed("conversation", "drain",
       joined({wide, act(open), act(call), act(drain, 10, 0, 1), on, act(message, 10, kServer), on}));
  seed("conversation", "trouble",
       joined({wide, act(message), polled, lost, act(message), act(datagram), polled, copied, arrived, second, polled,
               damaged, on}));
  const auto forged = [&](const char* name, auto&& write_it) {
    std::array<std::uint8_t, 128> buffer{};
    Writer out(buffer);
    write_it(out);
    const Bytes head = {kServer | 8, static_cast<std::uint8_t>(out.written())};
    seed("conversation", name, joined({wide, act(message), act(call), on, head, out.so_far(), on}));
  };
  forged("forged-expired", [](Writer& out) { write_frame(out, ExpiredFrame{.first = 0, .count = 3}); });
  forged("forged-max-messages",
         [](Writer& out) { write_frame(out, MaxMessagesFrame{.window = 1 << 16, .bytes = 1 << 30}); });
  forged("forged-drain", [](Writer& out) { write_frame(out, DrainFrame{.state = DrainFrame::State::agrees}); });
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) {
    std::fprintf(stderr, "usage: fuzz_make_corpus FOLDER\n");
    return 2;
  }
  root = argv[1];
  packet_headers();
  frames();
  parameters_and_payloads();
  handshake_messages();
  messages();
  compressed_payloads();
  wrapped_payloads();
  registries();
  urls();
  captures();
  conversations();
  return 0;
}
