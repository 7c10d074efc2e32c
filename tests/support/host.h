// One endpoint with an application that writes down what it hears, and two of them handing each other their datagrams
// in memory: no link between, no delay, and every datagram can be looked at, lost, kept or changed on its way.
#pragma once

#include <array>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "mxp/endpoint.h"
#include "support/pattern.h"
#include "support/sim_pair.h"

namespace mxp::test {

using Bytes = std::vector<std::uint8_t>;

inline Bytes copy_of(ByteView bytes) { return {bytes.begin(), bytes.end()}; }
inline ByteView text(std::string_view words) {
  return {reinterpret_cast<const std::uint8_t*>(words.data()), words.size()};
}

// Writes down what it hears. `hook`, if set, is called first, from inside each callback, with its name.
class Recorder final : public Handler {
 public:
  std::function<void(std::string_view event, Connection&, StreamId)> hook;
  std::function<std::size_t(Connection&, StreamId, ByteView)> take;  // how much to take; default all

  enum class Then : std::uint8_t { stays_open, finishes };
  // Writes all of it: what is not taken now follows as the stream takes more.
  void send(Connection& connection, StreamId id, ByteView bytes, Then then = Then::stays_open);

  void on_connected(Connection& connection) override;
  void on_stream_opened(Connection& connection, StreamId id) override;
  std::size_t on_stream_data(Connection& connection, StreamId id, ByteView data, bool fin) override;
  void on_stream_reset(Connection& connection, StreamId id, AppErrorCode code) override;
  void on_stop_sending(Connection& connection, StreamId id, AppErrorCode code) override;
  void on_stream_writable(Connection& connection, StreamId id) override;
  void on_stream_finished(Connection& connection, StreamId id) override;
  void on_streams_available(Connection& connection, StreamType type) override;
  void on_datagram(Connection& connection, ByteView data) override;
  void on_datagram_outcome(Connection& connection, std::uint64_t cookie, DatagramOutcome outcome) override;
  void on_datagrams_writable(Connection& connection) override;
  void on_drain(Connection& connection, Duration time_left) override;
  bool on_drained(Connection& connection) override;
  void on_closed(Connection& connection, const CloseInfo& info) override;

  bool keep_data = true;               // false: only count, for bulk
  std::vector<Connection*> connected;  // in order; those that closed stay in the list
  std::vector<CloseInfo> closed;
  std::vector<Duration> drains;
  std::function<bool(Connection&)> drained;  // whether to agree; default yes
  int consents_asked = 0;
  std::vector<StreamId> opened;
  std::map<StreamId, Bytes> data;  // of all connections together
  std::vector<StreamId> ended;
  std::vector<std::pair<StreamId, AppErrorCode>> resets;
  std::vector<std::pair<StreamId, AppErrorCode>> stops;
  std::vector<StreamId> finished;
  std::vector<Bytes> datagrams;
  std::vector<std::pair<std::uint64_t, DatagramOutcome>> outcomes;
  int datagrams_writable = 0;
  std::uint64_t bytes = 0;
  std::uint64_t events = 0;  // callbacks of any kind

 private:
  struct Rest {
    Bytes bytes;
    Then then;
  };
  std::map<std::pair<Connection*, StreamId>, Rest> rests_;  // of what send() was given
};

// Keeps what a key log and a nonce check need.
class TraceRecorder final : public TraceSink {
 public:
  void on(Timestamp now, ConnectionId connection, const TraceEvent& event) override;

  struct Secrets {
    ConnectionId client_id, server_id;
    Bytes client_to_server, server_to_client;
    std::uint32_t phase = 0;
  };
  std::vector<Secrets> secrets;
  // The first packets sent and received after the last of them.
  std::optional<PacketNumber> first_sent, first_received;
  std::vector<TraceKeyUpdated> key_updates;
  std::vector<std::pair<TraceDrain::Side, DrainStage>> drains;
  std::vector<std::pair<ConnectionId, PacketNumber>> sent;
  std::uint64_t probes = 0;
};

class Host {
 public:
  Host(EndpointConfig config, const SocketAddress& address, std::uint64_t seed, TraceSink* trace = nullptr);
  // With another source of chance.
  Host(EndpointConfig config, const SocketAddress& address, Random& random, TraceSink* trace = nullptr);

  // The bytes are copied: the endpoint decrypts in place.
  void receive(Timestamp now, ByteView datagram, const SocketAddress& from);
  // Hands over everything that wants to go now; `sink(remote, datagram)`. Returns how many datagrams that were.
  template <typename Sink>
  std::size_t poll(Timestamp now, Sink&& sink, const TransmitLimits& limits = {}) {
    std::size_t count = 0;
    while (const auto sent = endpoint.poll_transmit(now, out_, limits)) {
      for (std::size_t at = 0; at < sent->size; at += sent->segment_size, ++count)
        sink(sent->remote, ByteView(out_).subspan(at, std::min(sent->segment_size, sent->size - at)));
    }
    return count;
  }
  std::uint64_t dropped(DropReason reason) const { return endpoint.stats().dropped[static_cast<std::size_t>(reason)]; }

 private:
  SeededRandom own_random_;
  Bytes in_ = Bytes(65536);
  Bytes out_ = Bytes(65536);

 public:
  const SocketAddress address;
  Recorder app;
  Endpoint endpoint;
};

inline std::uint64_t dropped(const Connection& connection, DropReason reason) {
  return connection.stats().dropped[static_cast<std::size_t>(reason)];
}

inline const SocketAddress kClientAddress = SocketAddress::ipv4(10, 0, 0, 1, 40000);
inline const SocketAddress kServerAddress = SocketAddress::ipv4(10, 0, 0, 2, 9000);
inline const SocketAddress kStrangerAddress = SocketAddress::ipv4(10, 0, 0, 66, 40000);

class DirectPair {
 public:
  struct Config {
    EndpointConfig client = default_client();
    EndpointConfig server = default_server();
    std::uint64_t seed = 1;
    std::size_t max_segments = 64;
  };
  explicit DirectPair(Config config);
  DirectPair() : DirectPair(Config{}) {}

  Connection* connect();
  // Until neither side has anything to say at this point of time. False if that takes implausibly long (threat t39).
  bool exchange();
  // Lets time pass, from deadline to deadline.
  void advance(Duration span);
  // connect() and exchange().
  Connection* establish();
  Connection* server_connection() const { return server.app.connected.empty() ? nullptr : server.app.connected.back(); }

  // What happens to a datagram on its way: true loses it.
  std::function<bool(Role sender, ByteView datagram)> lose;

  Timestamp now{std::chrono::hours(1)};
  TraceRecorder client_trace;
  TraceRecorder server_trace;
  Host client;
  Host server;
  std::uint64_t datagrams[2] = {0, 0};  // by the sender's role

 private:
  bool pass(Role sender);
  std::size_t max_segments_;
};

}  // namespace mxp::test
