#include "support/attacker.h"

#include <algorithm>

#include "core/frame_reader.h"
#include "core/packet_header.h"
#include "crypto/mac1.h"

namespace mxp::test {

namespace {

SeenClose seen(const CloseFrame& frame) {
  return {frame.application, frame.code, frame.frame_type, std::string(frame.reason.begin(), frame.reason.end())};
}

}  // namespace

Bytes varint(std::uint64_t value, std::size_t size) {
  Bytes out(size);
  encode_varint(value, size, out.data());
  return out;
}

Bytes operator+(Bytes a, const Bytes& b) {
  a.insert(a.end(), b.begin(), b.end());
  return a;
}

Bytes raw_ack(std::uint64_t largest, std::uint64_t first_range, const std::vector<std::uint64_t>& rest,
              std::uint64_t delay) {
  Bytes out = Bytes{0x02} + varint(largest) + varint(delay) + varint(rest.size() / 2) + varint(first_range);
  for (const std::uint64_t value : rest) out = std::move(out) + varint(value);
  return out;
}

Bytes stream_frame(StreamId id, std::uint64_t offset, ByteView data, bool fin) {
  return frames(StreamFrame{id, offset, data, fin});
}

// ---- session

RogueSession::RogueSession(Role role, Suite suite, const IkResult& keys, ConnectionId remote)
    : remote_id(remote),
      sealer_(suite, role == Role::client ? keys.client_to_server : keys.server_to_client),
      opener_(suite, role == Role::client ? keys.server_to_client : keys.client_to_server) {}

Bytes RogueSession::seal(ByteView plaintext, std::optional<std::uint64_t> number, std::uint8_t bits) {
  const std::uint64_t used = number.value_or(next_number);
  next_number = std::max(next_number, used + 1);
  Bytes packet(kShortHeaderSize + 4 + plaintext.size() + kTagSize);
  Writer writer(packet);
  write_short_header(writer, remote_id, sealer_.phase() % 2 == 1, PacketNumber(used), 4);
  writer.bytes(plaintext);
  packet[0] |= bits;
  sealer_.seal(packet, kShortHeaderSize + 4, PacketNumber(used));
  return packet;
}

std::optional<Answer> RogueSession::open(ByteView datagram) {
  Bytes packet = copy_of(datagram);
  const auto opened = opener_.open(packet, window_);
  if (!opened) return std::nullopt;
  if (follows_updates && sealer_.phase() < opener_.phase()) sealer_.update();
  Answer answer;
  answer.size = datagram.size();
  answer.number = opened->number;
  answer.plaintext = copy_of(opened->payload);
  largest_opened = std::max(largest_opened, opened->number.value());
  FrameReader reader(answer.plaintext);
  for (auto frame = reader.next(); frame && frame->has_value(); frame = reader.next()) answer.frames.push_back(**frame);
  return answer;
}

// ---- attacker as a client

Attacker::Attacker(Host& victim, const Timestamp& now, Config config_)
    : config(std::move(config_)),
      identity([&] {
        SeededRandom random(mix(config.seed));
        return PrivateKey::generate(random);
      }()),
      victim_(victim),
      now_(now),
      random_(config.seed) {
  ConnectionId::Bytes id;
  random_.fill(id);
  client_id = config.client_id.value_or(ConnectionId(id));
}

Bytes Attacker::honest_payload() const {
  Bytes payload(kMinInitialSize - kHandshakeHeaderSize - 4 - kIkMessage1Overhead - kMac1Size);
  write_handshake_payload(payload, local_parameters(config.transport, config.suites, std::nullopt), std::nullopt,
                          nullptr);
  return payload;
}

Bytes Attacker::message_1(std::optional<Bytes> payload) {
  Bytes plaintext = payload ? std::move(*payload) : honest_payload();
  const std::size_t least = kMinInitialSize - kHandshakeHeaderSize - 4 - kIkMessage1Overhead - kMac1Size;
  if (plaintext.size() < least) plaintext.resize(least);  // PADDING is zero bytes
  Bytes datagram(kHandshakeHeaderSize + 4 + kIkMessage1Overhead + plaintext.size() + kMac1Size);
  Writer writer(datagram);
  write_initial_header(writer, config.suite, client_id, {}, {});
  noise_.emplace(config.suite, identity, victim_.endpoint.public_key(), writer.so_far(), PrivateKey::generate(random_));
  writer.commit(*noise_->write_message_1(plaintext, writer.free_space()));
  writer.bytes(Mac1Key(victim_.endpoint.public_key()).compute(writer.so_far()));
  return datagram;
}

bool Attacker::read_message_2(ByteView datagram) {
  const auto header = parse_packet_header(datagram);
  if (!header || !std::holds_alternative<ResponseHeader>(*header)) return false;
  Bytes payload(kMaxInitialSize);
  const auto keys = noise_->read_message_2(std::get<ResponseHeader>(*header).noise_message, payload);
  if (!keys) return false;
  const auto parsed = parse_handshake_payload(ByteView(payload).first(keys->payload_size), Role::server);
  if (!parsed) return false;
  server_payload = *parsed;
  if (parsed->close) handshake_close = seen(*parsed->close);
  server_payload->close.reset();  // its reason is a view
  if (!parsed->parameters.connection_id) return false;
  session.emplace(Role::client, config.suite, *keys, *parsed->parameters.connection_id);
  return true;
}

bool Attacker::handshake(std::optional<Bytes> payload) {
  send_raw(message_1(std::move(payload)));
  collect();
  if (unopened.empty()) return false;
  const Bytes answer = std::move(unopened.back());
  unopened.pop_back();
  return read_message_2(answer);
}

bool Attacker::connect() {
  const std::size_t before = victim_.app.connected.size();
  if (!handshake()) return false;
  ask(frames(PingFrame{}));
  if (victim_.app.connected.size() != before + 1) return false;
  own_ = victim_.app.connected.back();
  return true;
}

std::size_t Attacker::collect(const TransmitLimits& limits) {
  return victim_.poll(
      now_,
      [&](const SocketAddress& remote, ByteView datagram) {
        if (remote != config.address) return;
        bytes_received += datagram.size();
        ++datagrams_received;
        auto answer = session && (datagram.front() & packet_bits::kForm) == 0 ? session->open(datagram) : std::nullopt;
        if (answer) answers.push_back(std::move(*answer));
        else unopened.push_back(copy_of(datagram));
      },
      limits);
}

void Attacker::acknowledge() {
  std::vector<std::uint64_t> numbers;
  for (const Answer& answer : answers) numbers.push_back(answer.number.value());
  std::sort(numbers.rbegin(), numbers.rend());
  numbers.erase(std::unique(numbers.begin(), numbers.end()), numbers.end());
  if (numbers.empty()) return;
  std::vector<AckRange> ranges;
  for (const std::uint64_t number : numbers) {
    if (!ranges.empty() && ranges.back().first.value() == number + 1) ranges.back().first = PacketNumber(number);
    else if (ranges.size() <= kMaxAckRanges) ranges.push_back({PacketNumber(number), PacketNumber(number)});
  }
  Bytes plaintext(1100);
  Writer writer(plaintext);
  write_ack(writer, ranges, Duration::zero(), counts, {times});
  send(ByteView(plaintext).first(writer.written()));
}

bool Attacker::wake() {
  if (victim_.endpoint.next_timeout() > now_) return false;
  victim_.endpoint.on_timeout(now_);
  return true;
}

bool Attacker::run_due() {
  for (int turn = 0; turn < 10'000; ++turn) {
    const bool woke = wake();
    if (collect() == 0 && !woke) return true;
  }
  return false;
}

std::optional<SeenClose> Attacker::seen_close() const {
  for (const Answer& answer : answers)
    for (const Frame& frame : answer.frames)
      if (const auto* close = std::get_if<CloseFrame>(&frame)) return seen(*close);
  return std::nullopt;
}

// ---- attacker as a server

std::optional<RogueResponse> rogue_message_2(ByteView message_1, const PrivateKey& server, const Bytes& payload,
                                             SeededRandom& random, std::size_t size) {
  const auto parsed = parse_packet_header(message_1);
  if (!parsed || !std::holds_alternative<InitialHeader>(*parsed)) return std::nullopt;
  const auto& header = std::get<InitialHeader>(*parsed);
  const auto suite = static_cast<Suite>(header.suite);
  IkResponder noise(suite, server, header.prologue);
  Bytes ignored(kMaxInitialSize);
  if (!noise.read_message_1(header.noise_message, ignored)) return std::nullopt;
  Bytes datagram(size);
  Writer writer(datagram);
  write_response_header(writer, suite, header.client_id);
  Bytes plaintext = payload;
  plaintext.resize(writer.space() - kIkMessage2Overhead);
  const auto message = noise.write_message_2(plaintext, PrivateKey::generate(random), writer.free_space());
  if (!message) return std::nullopt;
  return RogueResponse{std::move(datagram), RogueSession(Role::server, suite, message->result, header.client_id)};
}

Bytes server_payload(std::optional<ConnectionId> id, const std::function<void(TransportParameters&)>& change,
                     const std::optional<CloseFrame>& close) {
  const std::vector<Suite> suites = {Suite::aes_256_gcm, Suite::chacha20_poly1305};
  TransportParameters parameters = local_parameters(TransportConfig{}, suites, id);
  if (change) change(parameters);
  Bytes payload(kMinInitialSize - kHandshakeHeaderSize - kIkMessage2Overhead);
  write_handshake_payload(payload, parameters, close, nullptr);
  return payload;
}

}  // namespace mxp::test
