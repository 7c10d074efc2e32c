// The worked example of docs/protocol.md §9: made by the library from fixed keys and compared with the text.
#include <fmt/format.h>

#include <boost/test/unit_test.hpp>
#include <functional>
#include <set>
#include <vector>

#include "core/frame_reader.h"
#include "core/frame_writer.h"
#include "crypto/key_log.h"
#include "crypto/key_schedule.h"
#include "crypto/noise_ik.h"
#include "crypto/packet_protection.h"
#include "crypto/primitives.h"
#include "crypto/symmetric_state.h"
#include "mxp/endpoint.h"
#include "mxp/key_log_file.h"
#include "support/pattern.h"
#include "support/protocol_document.h"

using namespace mxp;
using namespace mxp::test;

namespace protocol_examples_test {
namespace {

using Bytes = std::vector<std::uint8_t>;

// first, first + 1, … : keys that a reader recognises.
std::array<std::uint8_t, 32> counting(std::uint8_t first) {
  std::array<std::uint8_t, 32> bytes;
  for (std::size_t i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<std::uint8_t>(first + i);
  return bytes;
}
ConnectionId counting_id(std::uint8_t first) {
  ConnectionId::Bytes bytes;
  for (std::size_t i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<std::uint8_t>(first + i);
  return ConnectionId(bytes);
}
ByteView as_bytes(std::string_view text) { return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()}; }
// A view of one of the arrays with a size of its own.
template <std::size_t N>
ByteView view(std::span<const std::uint8_t, N> bytes) {
  return bytes;
}

// What is 32 bytes long is a private key, and what is 8 bytes long a connection id: those of the example. Everything
// else is only noise.
class ExampleRandom final : public Random {
 public:
  ExampleRandom(std::uint8_t key_first, std::uint8_t id_first, std::uint64_t seed)
      : key_first_(key_first), id_first_(id_first), noise_(seed) {}
  void fill(MutableBytes out) override {
    if (out.size() != PrivateKey::kSize && out.size() != ConnectionId::kSize) return noise_.fill(out);
    const std::uint8_t first = out.size() == PrivateKey::kSize ? key_first_ : id_first_;
    for (std::size_t i = 0; i < out.size(); ++i) out[i] = static_cast<std::uint8_t>(first + i);
  }

 private:
  std::uint8_t key_first_;
  std::uint8_t id_first_;
  SeededRandom noise_;
};

// The client says hello as soon as it may.
class Greeter final : public Handler {
  void on_connected(Connection& connection) override {
    if (connection.role() != Role::client) return;
    const auto stream = connection.open_stream(StreamType::bidirectional);
    BOOST_REQUIRE(stream.has_value());
    BOOST_REQUIRE(connection.write(*stream, as_bytes("hello")).has_value());
    BOOST_REQUIRE(connection.finish(*stream).has_value());
  }
  std::size_t on_stream_data(Connection&, StreamId, ByteView data, bool fin) override {
    received.append(data.begin(), data.end());
    ended = fin;
    return data.size();
  }

 public:
  std::string received;
  bool ended = false;
};

constexpr std::uint8_t kClientStatic = 0x00, kServerStatic = 0x20, kClientEphemeral = 0x40, kServerEphemeral = 0x60;
constexpr std::uint8_t kClientId = 0xa0, kServerId = 0xb0;
constexpr Suite kSuite = Suite::aes_256_gcm;
PrivateKey key(std::uint8_t first) { return PrivateKey::from_bytes(counting(first)); }

// One handshake and the client's first packet, as two endpoints put them on the wire; then taken apart with the keys.
struct Handshake {
  ConnectionId client_id = counting_id(kClientId), server_id = counting_id(kServerId);
  PrivateKey client = key(kClientStatic), server = key(kServerStatic);
  Bytes message_1, message_2, first_packet, payload_1, payload_2;
  InitialHeader header_1;
  ResponseHeader header_2;
  IkResult secrets;

  Handshake() {
    ExampleRandom client_random(kClientEphemeral, kClientId, 1), server_random(kServerEphemeral, kServerId, 2);
    Greeter client_handler, server_handler;
    // Further connection ids would be the chance of the endpoints once more; §9 has none.
    EndpointConfig client_config{.identity = client}, server_config{.identity = server, .accept = true};
    client_config.transport.migration = server_config.transport.migration = false;
    Endpoint client_endpoint(client_config, client_random, client_handler);
    Endpoint server_endpoint(server_config, server_random, server_handler);
    BOOST_REQUIRE(client_endpoint.connect(now_, server_address_, server.public_key()).has_value());
    message_1 = sent_by(client_endpoint);
    deliver(server_endpoint, message_1, client_address_);
    message_2 = sent_by(server_endpoint);
    deliver(client_endpoint, message_2, server_address_);
    first_packet = sent_by(client_endpoint);
    deliver(server_endpoint, first_packet, client_address_);
    BOOST_TEST(server_handler.received == "hello");
    BOOST_TEST(server_handler.ended);

    const auto initial = parse_packet_header(message_1);
    const auto response = parse_packet_header(message_2);
    BOOST_REQUIRE((initial.has_value() && response.has_value()));
    header_1 = std::get<InitialHeader>(*initial);
    header_2 = std::get<ResponseHeader>(*response);
    IkResponder responder(kSuite, server, header_1.prologue);
    payload_1.resize(header_1.noise_message.size() - kIkMessage1Overhead);
    BOOST_REQUIRE(responder.read_message_1(header_1.noise_message, payload_1).has_value());

    IkInitiator initiator(kSuite, client, server.public_key(), header_1.prologue, key(kClientEphemeral));
    Bytes again(header_1.noise_message.size());
    BOOST_REQUIRE(initiator.write_message_1(payload_1, again).has_value());
    BOOST_TEST(hex_of(again) == hex_of(header_1.noise_message));
    payload_2.resize(header_2.noise_message.size() - kIkMessage2Overhead);
    auto result = initiator.read_message_2(header_2.noise_message, payload_2);
    BOOST_REQUIRE(result.has_value());
    secrets = std::move(*result);
  }

 private:
  Bytes sent_by(Endpoint& endpoint) const {
    Bytes buffer(65536);
    const auto sent = endpoint.poll_transmit(now_, buffer);
    BOOST_REQUIRE((sent.has_value() && sent->segments() == 1));
    buffer.resize(sent->size);
    return buffer;
  }
  void deliver(Endpoint& endpoint, Bytes datagram, const SocketAddress& from) const {  // decrypted in place: a copy
    endpoint.receive(now_, {datagram, from, {}});
  }

  Timestamp now_{};
  SocketAddress client_address_ = SocketAddress::ipv4(10, 0, 0, 1, 40000),
                server_address_ = SocketAddress::ipv4(10, 0, 0, 2, 9000);
};

const Handshake& example_handshake() {
  static const Handshake once;
  return once;
}

// The rest of `bytes` from where `rest` begins is behind; what was read is what lies before it.
ByteView consumed(ByteView bytes, const Reader& in) { return bytes.first(bytes.size() - in.remaining()); }

std::string_view parameter_name(std::uint64_t id) {
  switch (id) {
    case 0x01: return "max_idle_timeout";
    case 0x03: return "max_udp_payload";
    case 0x04: return "initial_max_data";
    case 0x05: return "initial_max_stream_data_bidi_local";
    case 0x06: return "initial_max_stream_data_bidi_remote";
    case 0x07: return "initial_max_stream_data_uni";
    case 0x08: return "initial_max_streams_bidi";
    case 0x09: return "initial_max_streams_uni";
    case 0x0b: return "max_ack_delay";
    case 0x0e: return "active_connection_id_limit";
    case 0x10: return "connection_id";
    case 0x11: return "versions";
    case 0x12: return "suites";
    case 0x13: return "min_ack_delay";
    case 0x15: return "initial_max_messages";
    case 0x16: return "max_datagram_payload";
    case 0x17: return "initial_max_message_data";
    case 0x18: return "takes_compact_messages";
    case 0x19: return "max_message_size";
    case 0x1a: return "takes_ordered_messages";
    default: return "(greased)";
  }
}

// §2.2, one parameter in a line.
std::string describe_payload(ByteView payload) {
  ExampleText text;
  Reader in(payload);
  const std::uint64_t size = in.varint().value();
  text.field("length", consumed(payload, in), fmt::format("{} bytes of parameters", size));
  Reader parameters(in.bytes(size).value());
  while (!parameters.empty()) {
    const ByteView from = parameters.rest();
    const std::uint64_t id = parameters.varint().value();
    const std::uint64_t length = parameters.varint().value();
    const ByteView value = parameters.bytes(length).value();
    std::string note(parameter_name(id));
    if (id >= 0x01 && id <= 0x0b) {
      Reader number(value);
      note += fmt::format(" {}", number.varint().value());
    }
    text.field(fmt::format("{:#04x}", id), consumed(from, parameters), note);
  }
  const std::size_t padding = in.skip_run(0);
  BOOST_TEST(in.empty());
  text.line(fmt::format("{:<26}{} × 00", "PADDING", padding));
  return text.text();
}

Bytes frame(const std::function<bool(Writer&)>& write) {
  Bytes bytes(512);
  Writer out(bytes);
  BOOST_REQUIRE(write(out));
  bytes.resize(out.written());
  FrameReader reader(bytes);  // what is shown is what a receiver takes
  const auto read = reader.next();
  BOOST_REQUIRE((read.has_value() && read->has_value()));
  return bytes;
}

bool write_stream(Writer& out, StreamId id, std::uint64_t offset, std::string_view data, bool fin) {
  const auto slot = begin_stream_frame(out, id, offset, data.size(), fin);
  if (slot) std::copy(data.begin(), data.end(), slot->data.begin());
  return slot.has_value();
}

// A 1-RTT packet on its way to the wire, step by step, and back.
struct DescribedPacket {
  std::string text;
  Bytes wire;
};
DescribedPacket describe_packet(Suite suite, const TrafficSecret& secret, ConnectionId destination, PacketNumber number,
                                std::size_t number_size, ByteView plaintext, std::uint32_t phase = 0) {
  Bytes packet(kShortHeaderSize + number_size + plaintext.size() + kTagSize);
  Writer out(packet);
  BOOST_REQUIRE((write_short_header(out, destination, phase % 2 == 1, number, number_size) && out.bytes(plaintext)));
  const std::size_t header_size = kShortHeaderSize + number_size;
  TrafficSecret phase_secret = secret;
  for (std::uint32_t i = 0; i < phase; ++i) phase_secret = derive_next_secret(phase_secret);
  const PacketKeys keys = derive_packet_keys(phase_secret);
  ExampleText text;
  if (phase != 0) {
    text.field("secret", view(phase_secret.view()), fmt::format("of phase {}", phase));
    text.field("key", view(keys.key.view()));
    text.field("iv", view(keys.iv.view()));
  }
  text.field("header", ByteView(packet).first(header_size),
             fmt::format("packet number {} in {} byte{}", number.value(), number_size, number_size == 1 ? "" : "s"));
  text.field("plaintext", plaintext);
  AeadNonce nonce;
  for (std::size_t i = 0; i < nonce.size(); ++i)
    nonce[i] = static_cast<std::uint8_t>(keys.iv.view()[i] ^ (i < 4 ? 0 : number.value() >> (8 * (11 - i))));
  text.field("nonce", nonce);

  PacketSealer sealer(suite, secret);
  for (std::uint32_t i = 0; i < phase; ++i) sealer.update();
  sealer.seal_payload(packet, header_size, number);
  text.field("ciphertext", ByteView(packet).subspan(header_size, plaintext.size()));
  text.field("tag", ByteView(packet).last(kTagSize));
  std::array<std::uint8_t, HeaderProtector::kSampleSize> sample;
  std::copy_n(packet.begin() + kShortHeaderSize + 4, sample.size(), sample.begin());
  text.field("sample", sample);
  std::array<HeaderProtector::Mask, 1> mask;
  HeaderProtector(suite, derive_packet_keys(secret).hp).masks(sample, mask);
  text.field("mask", mask[0]);
  const HeaderSlot slot{packet.data(), static_cast<std::uint8_t>(number_size)};
  sealer.protect_headers(std::span(&slot, 1));
  text.field("packet", packet);

  const Bytes wire = packet;
  PacketOpener opener(suite, secret);
  ReplayWindow window;
  // A receiver that has opened everything before it.
  if (number.value() != 0) window.mark(PacketNumber(number.value() - 1));
  const auto opened = opener.open(packet, window);
  BOOST_REQUIRE(opened.has_value());
  BOOST_TEST((opened->number == number));
  BOOST_TEST(hex_of(opened->payload) == hex_of(plaintext));
  return {text.text(), wire};
}

}  // namespace

BOOST_AUTO_TEST_SUITE(protocol_document)

BOOST_AUTO_TEST_CASE(keys_of_the_worked_example) {
  const Handshake& h = example_handshake();
  ExampleText text;
  const auto pair = [&](std::string_view who, std::uint8_t first) {
    text.field(fmt::format("{} private", who), view(key(first).secret()));
    text.field(fmt::format("{} public", who), key(first).public_key().bytes());
  };
  pair("client static", kClientStatic);
  pair("server static", kServerStatic);
  pair("client ephemeral", kClientEphemeral);
  pair("server ephemeral", kServerEphemeral);
  text.field("client connection id", h.client_id.bytes());
  text.field("server connection id", h.server_id.bytes());
  text.line(fmt::format("{:<26}{}", "server key in URLs", h.server.public_key().to_string()));
  expect_example("keys", text.text());
}

BOOST_AUTO_TEST_CASE(message_1_of_the_worked_example) {
  const Handshake& h = example_handshake();
  BOOST_TEST(h.message_1.size() == 1200u);
  const ByteView all(h.message_1);
  ExampleText text;
  text.field("first byte", all.first(1));
  text.field("version", all.subspan(1, 4));
  text.field("suite", all.subspan(5, 1));
  text.field("client connection id", all.subspan(6, 8));
  text.field("token length", all.subspan(14, 2));
  text.field("ticket length", all.subspan(16, 2));
  text.field("e", h.header_1.noise_message.first(32));
  text.field("encrypted s", h.header_1.noise_message.subspan(32, 48));
  text.field("encrypted payload", h.header_1.noise_message.subspan(80));
  text.field("mac1", h.header_1.mac1);
  expect_example("message-1", text.text());
  expect_example("payload-1", describe_payload(h.payload_1));
}

BOOST_AUTO_TEST_CASE(mac1_of_the_worked_example) {
  const Handshake& h = example_handshake();
  ExampleText text;
  const auto mac1_key = hmac_sha256(as_bytes("mxp mac1"), h.server.public_key().bytes());
  text.field("mac1 key", view(mac1_key.view()));
  const auto whole = hmac_sha256(mac1_key.view(), ByteView(h.message_1).first(h.message_1.size() - kMac1Size));
  text.field("HMAC", view(whole.view()), "");
  BOOST_TEST(hex_of(view(whole.view()).first(kMac1Size)) == hex_of(h.header_1.mac1));
  expect_example("mac1", text.text());
}

BOOST_AUTO_TEST_CASE(message_2_of_the_worked_example) {
  const Handshake& h = example_handshake();
  BOOST_TEST(h.message_2.size() == 1200u);
  const ByteView all(h.message_2);
  ExampleText text;
  text.field("first byte", all.first(1));
  text.field("version", all.subspan(1, 4));
  text.field("suite", all.subspan(5, 1));
  text.field("client connection id", all.subspan(6, 8));
  text.field("e", h.header_2.noise_message.first(32));
  text.field("encrypted payload", h.header_2.noise_message.subspan(32));
  expect_example("message-2", text.text());
  expect_example("payload-2", describe_payload(h.payload_2));
}

// Each step of the Noise handshake as the client sees it, for whoever looks for the first value that differs.
BOOST_AUTO_TEST_CASE(noise_steps_of_the_worked_example) {
  const Handshake& h = example_handshake();
  const PrivateKey e = key(kClientEphemeral);
  const PublicKey re = key(kServerEphemeral).public_key();
  SymmetricState state(kSuite);
  ExampleText text;
  const auto show_h = [&](std::string_view after) {
    text.field(fmt::format("h after {}", after), state.handshake_hash());
  };
  const auto dh = [&](std::string_view token, const PrivateKey& mine, const PublicKey& theirs) {
    const auto shared = x25519(mine, theirs).value();
    const auto [ck, k] = noise_hkdf2(state.chaining_key(), shared.view());
    state.mix_key(shared.view());
    text.field(fmt::format("DH {}", token), view(shared.view()));
    text.field("  ck", state.chaining_key());
    text.field("  k", view(k.view()));
    BOOST_TEST((ck == SecretArray<32>(std::span<const std::uint8_t, 32>(state.chaining_key()))));
  };
  show_h("protocol name");
  state.mix_hash(h.header_1.prologue);
  show_h("prologue");
  state.mix_hash(h.server.public_key().bytes());
  show_h("server static");
  state.mix_hash(e.public_key().bytes());
  show_h("e of message 1");
  dh("es", e, h.server.public_key());
  Bytes out(2048);
  BOOST_TEST(state.encrypt_and_hash(h.client.public_key().bytes(), out) == 48u);
  show_h("encrypted s");
  dh("ss", h.client, h.server.public_key());
  state.encrypt_and_hash(h.payload_1, out);
  show_h("message 1");
  BOOST_TEST(hex_of(ByteView(out).first(h.payload_1.size() + 16)) == hex_of(h.header_1.noise_message.subspan(80)));
  state.mix_hash(re.bytes());
  show_h("e of message 2");
  dh("ee", e, re);
  dh("se", h.client, re);
  BOOST_TEST(state.decrypt_and_hash(h.header_2.noise_message.subspan(32), out).has_value());
  show_h("message 2");
  BOOST_TEST(hex_of(state.handshake_hash()) == hex_of(h.secrets.handshake_hash));
  expect_example("noise", text.text());
}

BOOST_AUTO_TEST_CASE(key_schedule_of_the_worked_example) {
  const Handshake& h = example_handshake();
  ExampleText text;
  text.field("exporter secret", view(h.secrets.exporter_secret.view()));
  text.field("resumption secret", view(h.secrets.resumption_secret.view()));
  const auto direction = [&](std::string_view name, const TrafficSecret& secret) {
    const PacketKeys keys = derive_packet_keys(secret);
    text.field(name, view(secret.view()));
    text.field("  key", view(keys.key.view()));
    text.field("  iv", view(keys.iv.view()));
    text.field("  hp", view(keys.hp.view()));
    text.field("  next secret", view(derive_next_secret(secret).view()));
  };
  direction("client to server", h.secrets.client_to_server);
  direction("server to client", h.secrets.server_to_client);
  expect_example("key-schedule", text.text());

  const std::string lines = key_log_lines(
      {h.client_id, h.server_id, 0, h.secrets.client_to_server.view(), h.secrets.server_to_client.view()});
  expect_example("key-log", lines);
  // What one room writes another one reads.
  const std::size_t newline = lines.find('\n');
  const auto first = parse_key_log_line(std::string_view(lines).substr(0, newline));
  const auto second = parse_key_log_line(std::string_view(lines).substr(newline + 1, lines.size() - newline - 2));
  BOOST_REQUIRE((first.has_value() && second.has_value()));
  BOOST_TEST((first->direction == KeyLogLine::TrafficDirection::client_to_server && first->destination == h.server_id));
  BOOST_TEST((first->secret == h.secrets.client_to_server));
  BOOST_TEST(
      (second->direction == KeyLogLine::TrafficDirection::server_to_client && second->destination == h.client_id));
  BOOST_TEST((second->secret == h.secrets.server_to_client));
}

BOOST_AUTO_TEST_CASE(packets_of_the_worked_example) {
  const Handshake& h = example_handshake();
  const Bytes hello = frame([](Writer& out) { return write_stream(out, StreamId(0), 0, "hello", true); });
  const auto first = describe_packet(kSuite, h.secrets.client_to_server, h.server_id, PacketNumber(0), 2, hello);
  BOOST_TEST(hex_of(first.wire) == hex_of(h.first_packet));
  expect_example("packet", first.text);
  // The shortest packet there is: one frame, and padding up to four bytes with its number.
  expect_example("packet-short", describe_packet(kSuite, h.secrets.server_to_client, h.client_id, PacketNumber(0x1234),
                                                 2, Bytes{0x01, 0x00})
                                     .text);
  expect_example("packet-chacha20", describe_packet(Suite::chacha20_poly1305, h.secrets.client_to_server, h.server_id,
                                                    PacketNumber(0), 2, hello)
                                        .text);
  expect_example("packet-phase-1", describe_packet(kSuite, h.secrets.client_to_server, h.server_id, PacketNumber(300),
                                                   2, Bytes{0x01, 0x00}, 1)
                                       .text);
}

BOOST_AUTO_TEST_CASE(frames_of_the_worked_example) {
  ExampleText text;
  const auto show = [&](std::string_view name, std::string_view meaning, const std::function<bool(Writer&)>& write) {
    text.field(name, frame(write), meaning);
  };
  const auto show_frame = [&](std::string_view name, std::string_view meaning, const auto& value) {
    show(name, meaning, [&](Writer& out) { return write_frame(out, value); });
  };
  const std::array ranges = {AckRange{PacketNumber(18), PacketNumber(20)}, AckRange{PacketNumber(10), PacketNumber(15)},
                             AckRange{PacketNumber(8), PacketNumber(8)}};
  const std::array whole = {AckRange{PacketNumber(17), PacketNumber(20)}};
  const Duration delay = std::chrono::microseconds(1500);
  show("PADDING", "three of them", [](Writer& out) { return write_padding(out, 3); });
  show("PING", "", [](Writer& out) { return write_ping(out); });
  show("ACK", "20..18, 15..10 and 8 after 1500 µs",
       [&](Writer& out) { return write_ack(out, ranges, delay, std::nullopt); });
  show("ACK with ECN", "20..18 at once; 7 ECT(0), 0 ECT(1), 1 CE",
       [&](Writer& out) { return write_ack(out, std::span(ranges).first(1), {}, EcnCounts{7, 0, 1}); });
  const auto at = [](std::uint64_t number, int us) {
    return ReceiveTime{PacketNumber(number), std::chrono::microseconds(us)};
  };
  // 17 was overtaken.
  const std::array times = {at(18, 70'000), at(19, 70'040), at(17, 71'000), at(20, 71'500)};
  show("ACK with times", "20..17 at once; 20 after 71500 µs, 17 after 71000, 19 after 70040, 18 after 70000",
       [&](Writer& out) { return write_ack(out, whole, {}, std::nullopt, {times}); });
  show("ACK with ECN and times", "20..17 at once; 7 ECT(0), 0 ECT(1), 1 CE; 20 after 71500 µs",
       [&](Writer& out) { return write_ack(out, whole, {}, EcnCounts{7, 0, 1}, {std::span(times).last(1)}); });
  show_frame("RESET_STREAM", "stream 4, code 256, final size 70000", ResetStreamFrame{StreamId(4), 256, 70000});
  show_frame("STOP_SENDING", "stream 4, code 256", StopSendingFrame{StreamId(4), 256});
  show("STREAM", "stream 0, offset 0, \"hello\"",
       [](Writer& out) { return write_stream(out, StreamId(0), 0, "hello", false); });
  show("STREAM", "stream 6, offset 1000, \"bye\", FIN",
       [](Writer& out) { return write_stream(out, StreamId(6), 1000, "bye", true); });
  show("STREAM", "stream 0, offset 5, no data, FIN",
       [](Writer& out) { return write_stream(out, StreamId(0), 5, "", true); });
  show_frame("MAX_DATA", "8388608", MaxDataFrame{8388608});
  show_frame("MAX_STREAM_DATA", "stream 0, 2097152", MaxStreamDataFrame{StreamId(0), 2097152});
  show_frame("MAX_STREAMS", "two-way, 1536", MaxStreamsFrame{StreamType::bidirectional, 1536});
  show_frame("MAX_STREAMS", "one-way, 1536", MaxStreamsFrame{StreamType::unidirectional, 1536});
  show_frame("DATA_BLOCKED", "at 8388608", DataBlockedFrame{8388608});
  show_frame("STREAM_DATA_BLOCKED", "stream 0, at 2097152", StreamDataBlockedFrame{StreamId(0), 2097152});
  show_frame("STREAMS_BLOCKED", "two-way, at 1536", StreamsBlockedFrame{StreamType::bidirectional, 1536});
  show_frame("STREAMS_BLOCKED", "one-way, at 1536", StreamsBlockedFrame{StreamType::unidirectional, 1536});
  const ConnectionId new_id({0xc0, 0xc1, 0xc2, 0xc3, 0xc4, 0xc5, 0xc6, 0xc7});
  show_frame("ACK_FREQUENCY", "request 3: every eleventh packet, within 5000 µs, at once for every gap",
             AckFrequencyFrame{3, 10, std::chrono::milliseconds(5), 1});
  show_frame("IMMEDIATE_ACK", "", ImmediateAckFrame{});
  show_frame("NEW_CONNECTION_ID", "number 2, retire those below 1", NewConnectionIdFrame{2, 1, new_id});
  show_frame("RETIRE_CONNECTION_ID", "number 1", RetireConnectionIdFrame{1});
  show_frame("PATH_CHALLENGE", "", PathChallengeFrame{{0xd0, 0xd1, 0xd2, 0xd3, 0xd4, 0xd5, 0xd6, 0xd7}});
  show_frame("PATH_RESPONSE", "to the same", PathResponseFrame{{0xd0, 0xd1, 0xd2, 0xd3, 0xd4, 0xd5, 0xd6, 0xd7}});
  show_frame("DATAGRAM", "\"hello\"", DatagramFrame{as_bytes("hello")});
  show("DATAGRAM", "\"hello\", to the end of the packet", [](Writer& out) {
    Writer rest(out.free_space().first(6));  // no room is left for its length
    if (!write_frame(rest, DatagramFrame{as_bytes("hello")})) return false;
    out.commit(rest.written());
    return true;
  });
  show_frame("CLOSE by the transport", "FLOW_CONTROL_ERROR in a STREAM frame, \"too much\"",
             CloseFrame{false, 0x03, 0x08, as_bytes("too much")});
  show_frame("CLOSE by the application", "code 0, \"done\"", CloseFrame{true, 0, 0, as_bytes("done")});
  const Message message{.type = MessageType::event, .id = 5, .payload = as_bytes("up")};
  Bytes event(encoded_size(message));
  BOOST_TEST(encode_message(message, event).has_value());
  show_frame("MESSAGE", "number 9: an Event, id 5, \"up\"", MessageFrame{MessageFrame::Form::full, 9, event});
  show_frame("EXPIRED", "numbers 10 to 12, 142 bytes each", ExpiredFrame{10, 3, 142});
  show_frame("MAX_MESSAGES", "window 16384, 3145728 bytes", MaxMessagesFrame{16384, 3u << 20});
  show_frame("COMPACT_MESSAGE", "number 9: the same Event",
             MessageFrame{MessageFrame::Form::compact, 9, Bytes{0x12, 0x00, 0x05, 'u', 'p'}});
  show_frame("MESSAGES_BLOCKED", "at 3145728 bytes, 4194384 needed", MessagesBlockedFrame{3u << 20, (4u << 20) + 80});
  show_frame("MESSAGE_PART", "number 13: bytes 2400 to 2404 of 4194344",
             MessagePartFrame{MessageFrame::Form::full, 13, (4u << 20) + 40, 2400, as_bytes("piece")});
  show_frame("COMPACT_MESSAGE_PART", "number 14: the last 5 of 4194311 bytes",
             MessagePartFrame{MessageFrame::Form::compact, 14, (4u << 20) + 7, (4u << 20) + 2, as_bytes("piece")});
  show_frame("ORDERED", "class control, 4 back; COMPACT_MESSAGE number 15: the same Event",
             MessageFrame{MessageFrame::Form::compact, 15, Bytes{0x12, 0x00, 0x05, 'u', 'p'},
                          OrderLink{MessageClass::control, 4}});
  show_frame("ORDERED", "class background, 20 back; EXPIRED numbers 30 and 31, 142 bytes each",
             ExpiredFrame{30, 2, 142, OrderLink{MessageClass::background, 20}});
  show_frame("DRAIN", "begins: 30000 ms at most", DrainFrame{DrainFrame::State::begins, std::chrono::seconds(30)});
  show_frame("DRAIN", "done", DrainFrame{DrainFrame::State::done});
  show_frame("DRAIN", "agrees", DrainFrame{DrainFrame::State::agrees});
  expect_example("frames", text.text());
}

BOOST_AUTO_TEST_CASE(every_example_of_the_document_is_made_by_a_test) {
  // Those of §1 are made by the tests of the message room.
  const std::set<std::string> made = {"keys",         "message-1",       "payload-1",      "mac1",    "message-2",
                                      "payload-2",    "noise",           "key-schedule",   "key-log", "packet",
                                      "packet-short", "packet-chacha20", "packet-phase-1", "frames",  "message",
                                      "compact",      "compressed",      "sealed",         "agents",  "calls"};
  const auto names = names_of_examples();
  BOOST_TEST((std::set<std::string>(names.begin(), names.end()) == made));
  BOOST_TEST(names.size() == made.size());
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace protocol_examples_test
