// A peer that holds the keys and keeps no rule: it makes the real handshake with an endpoint and then seals whatever it
// likes into packets that verify, sends any bytes from any address, and reads every answer. RogueServer is the same
// towards a client.
#pragma once

#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <vector>

#include "connection/handshake_payload.h"
#include "core/frames.h"
#include "crypto/noise_ik.h"
#include "crypto/packet_protection.h"
#include "support/frame_codec.h"
#include "support/host.h"

namespace mxp::test {

// The bytes of frames, written by the library's writers; Bytes are taken as they are.
template <typename... Frames>
Bytes frames(const Frames&... each) {
  Bytes out(8192);
  Writer writer(out);
  const auto one = [&](const auto& frame) {
    if constexpr (std::is_same_v<std::decay_t<decltype(frame)>, Bytes>) writer.bytes(frame);
    else write_any(writer, frame);
  };
  (one(each), ...);
  out.resize(writer.written());
  return out;
}
// A varint of the given size (1, 2, 4, 8), also where a shorter one would do.
Bytes varint(std::uint64_t value, std::size_t size);
inline Bytes varint(std::uint64_t value) { return varint(value, varint_size(value)); }
Bytes operator+(Bytes a, const Bytes& b);
// An ACK with these fields as they are: `rest` holds gap, range, gap, range, …
Bytes raw_ack(std::uint64_t largest, std::uint64_t first_range, const std::vector<std::uint64_t>& rest = {},
              std::uint64_t delay = 0);
Bytes stream_frame(StreamId id, std::uint64_t offset, ByteView data, bool fin = false);

struct SeenClose {
  bool application = false;
  std::uint64_t code = 0;
  std::uint64_t frame_type = 0;
  std::string reason;
  TransportErrorCode transport_code() const { return static_cast<TransportErrorCode>(code); }
};

// One packet that the victim sent, opened.
struct Answer {
  std::size_t size = 0;  // of the datagram
  PacketNumber number;
  Bytes plaintext;
  std::vector<Frame> frames;  // views into plaintext
};

// Keys, ids and packet numbers of one side.
class RogueSession {
 public:
  RogueSession(Role role, Suite suite, const IkResult& keys, ConnectionId remote_id);

  // `bits` are ORed into the first byte before sealing; without a number the next one is used.
  Bytes seal(ByteView plaintext, std::optional<std::uint64_t> number = std::nullopt, std::uint8_t bits = 0);
  std::optional<Answer> open(ByteView datagram);
  // Whether a new key phase of the victim's is followed, as the protocol has it.
  bool follows_updates = true;
  // What is sealed from here on is under the keys of the next phase, whether that is allowed or not.
  void update_keys() { sealer_.update(); }
  std::uint32_t sending_phase() const { return sealer_.phase(); }
  std::uint32_t receiving_phase() const { return opener_.phase(); }

  ConnectionId remote_id;
  std::uint64_t next_number = 0;
  std::uint64_t largest_opened = 0;

 private:
  PacketSealer sealer_;
  PacketOpener opener_;
  ReplayWindow window_;
};

class Attacker {
 public:
  struct Config {
    std::uint64_t seed = 66;
    Suite suite = Suite::aes_256_gcm;
    std::vector<Suite> suites = {Suite::aes_256_gcm, Suite::chacha20_poly1305};
    SocketAddress address = SocketAddress::ipv4(10, 0, 0, 3, 45000);
    // What the victim sends counts in packets here: no larger datagrams than the path surely carries, and no ids that
    // wait for an acknowledgement. tests/security/migration_test.cpp is about those.
    TransportConfig transport = {.max_receive_udp_payload = kMinInitialSize, .migration = false};
    std::optional<ConnectionId> client_id;  // default: by chance
  };
  // `now` is the clock of the test.
  Attacker(Host& victim, const Timestamp& now) : Attacker(victim, now, Config{}) {}
  Attacker(Host& victim, const Timestamp& now, Config config);

  // -- the handshake, step by step
  // A message 1 with this payload (default: an honest one), or with another header than the Noise message covers.
  Bytes message_1(std::optional<Bytes> payload = std::nullopt);
  Bytes honest_payload() const;
  // The victim's answer to the last message_1(); its parameters and its CLOSE are kept.
  bool read_message_2(ByteView datagram);
  // message 1 to message 2; true if the victim let us in. Nothing confirms the keys yet.
  bool handshake(std::optional<Bytes> payload = std::nullopt);
  // The handshake and a PING; true if the victim told its application.
  bool connect();

  // -- what a session can do
  void send(ByteView plaintext) { send_raw(session->seal(plaintext)); }
  void send_raw(ByteView datagram) { send_raw(datagram, config.address); }
  void send_raw(ByteView datagram, const SocketAddress& from) { victim_.receive(now_, datagram, from); }
  // Takes what the victim wants to send now, in runs of this size; packets for us are opened and appended to answers.
  std::size_t collect(const TransmitLimits& limits = {});
  // send() and collect().
  std::size_t ask(ByteView plaintext) {
    send(plaintext);
    return collect();
  }
  // Acknowledges every packet that was opened, with these counts of ECN marks and these receive times.
  std::optional<EcnCounts> counts;
  std::vector<ReceiveTime> times;
  void acknowledge();
  // A deadline of the victim that has come is run. Returns whether one had.
  bool wake();
  // wake() and collect() until neither has anything to do at this point of time; false if that takes implausibly long.
  bool run_due();

  template <typename F>
  std::size_t count() const {
    std::size_t found = 0;
    for (const Answer& answer : answers)
      for (const Frame& frame : answer.frames) found += std::holds_alternative<F>(frame);
    return found;
  }
  std::optional<SeenClose> seen_close() const;
  // The victim's own view of the connection that connect() made; gone once the victim has forgotten it.
  Connection& connection() const { return *own_; }

  Config config;
  PrivateKey identity;
  ConnectionId client_id;
  std::optional<RogueSession> session;
  std::optional<HandshakePayload> server_payload;
  std::optional<SeenClose> handshake_close;
  std::vector<Answer> answers;
  std::vector<Bytes> unopened;       // datagrams for us that are not packets of the session
  std::uint64_t bytes_received = 0;  // all datagrams to our address
  std::uint64_t datagrams_received = 0;

 private:
  Host& victim_;
  Connection* own_ = nullptr;
  const Timestamp& now_;
  SeededRandom random_;
  std::optional<IkInitiator> noise_;
};

// A message 2 for this message 1, by a server with this key, with this payload.
struct RogueResponse {
  Bytes datagram;
  RogueSession session;
};
// `payload` is padded, or its padding cut, to a datagram of `size` bytes.
std::optional<RogueResponse> rogue_message_2(ByteView message_1, const PrivateKey& server, const Bytes& payload,
                                             SeededRandom& random, std::size_t size = kMinInitialSize);
// The payload of an honest server; `change` may falsify it first.
Bytes server_payload(std::optional<ConnectionId> id, const std::function<void(TransportParameters&)>& change = {},
                     const std::optional<CloseFrame>& close = std::nullopt);

}  // namespace mxp::test
