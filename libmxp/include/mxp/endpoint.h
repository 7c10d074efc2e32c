// Many connections on one address. Sans-I/O: takes datagrams and the time, gives datagrams and the next deadline;
// mxp/event_loop.h drives it with real sockets, a simulator with virtual time.
//
//   loop:  receive() for each datagram → on_timeout() when next_timeout() has come → poll_transmit() until nullopt
//
// Threads: one endpoint belongs to one thread. The clock must not go backwards; a smaller `now` is read as the last
// one.
#pragma once

#include <cstddef>
#include <expected>
#include <memory>
#include <optional>
#include <vector>

#include "mxp/address.h"
#include "mxp/bytes.h"
#include "mxp/config.h"
#include "mxp/connection.h"
#include "mxp/ecn.h"
#include "mxp/handler.h"
#include "mxp/random.h"
#include "mxp/stats.h"
#include "mxp/time.h"
#include "mxp/trace.h"

#pragma GCC visibility push(default)
namespace mxp {

struct ReceivedDatagram {
  MutableBytes bytes;    // decrypted in place
  SocketAddress remote;  // where it came from
  SocketAddress local;   // where it arrived; default-constructed if the carrier cannot tell
  Ecn ecn = Ecn::not_ect;
};

// One run of same-size datagrams to one peer, as a single GSO send takes them: every segment but the last has
// segment_size bytes.
struct Transmit {
  SocketAddress remote;
  SocketAddress local;           // source address to use; default-constructed = any
  std::size_t segment_size = 0;  // bytes of UDP payload of each datagram but the last
  std::size_t size = 0;          // bytes used of the caller's buffer
  Ecn ecn = Ecn::not_ect;        // the mark that every datagram of the run carries in its IP header
  std::size_t segments() const { return segment_size == 0 ? 0 : (size + segment_size - 1) / segment_size; }
};

// What the caller of poll_transmit can send in one go.
struct TransmitLimits {
  std::size_t max_segments = 64;  // at least 1; 1 = no GSO; more than 64 count as 64, which is Linux's limit
};

enum class ConnectError : std::uint8_t {
  too_many_connections,
  invalid_server_key,  // a low-order point: no handshake can succeed
};
std::string_view to_string(ConnectError error);

class Endpoint {
 public:
  // `random` and `handler` (and `trace`, if given) outlive the endpoint. Error: the first setting outside its range.
  static std::expected<std::unique_ptr<Endpoint>, ConfigError> create(EndpointConfig config, Random& random,
                                                                      Handler& handler, TraceSink* trace = nullptr);
  // The same for settings that are known to be good. REQUIRES: validate(config) succeeds; otherwise the process stops
  // and names the setting.
  Endpoint(EndpointConfig config, Random& random, Handler& handler, TraceSink* trace = nullptr);
  // Connections end without a word: no CLOSE is sent and on_closed is not called. To say goodbye: close_all(), then go
  // on until draining_count() is connection_count(). Peers that miss the one CLOSE of a poll_transmit wait for their
  // idle timeout.
  ~Endpoint();
  Endpoint(const Endpoint&) = delete;
  Endpoint& operator=(const Endpoint&) = delete;

  // Starts a handshake with the server that owns `server_key`. on_connected or on_closed tells how it went; neither is
  // called before this returns. The connection belongs to the endpoint. An error means that no attempt was begun.
  std::expected<Connection*, ConnectError> connect(Timestamp now, const SocketAddress& remote,
                                                   const PublicKey& server_key);

  // One datagram that arrived. Its bytes are decrypted in place and not looked at after the call. What is not for us is
  // dropped and counted (EndpointStats::dropped, ConnectionStats::dropped).
  void receive(Timestamp now, const ReceivedDatagram& datagram);

  // Fills `buffer` with the next datagrams that are due, all to one peer. nullopt: nothing to send now. 64 KiB use GSO
  // fully. REQUIRES: buffer.size() >= TransportConfig::max_udp_payload, which is 65507 unless it is set.
  std::optional<Transmit> poll_transmit(Timestamp now, MutableBytes buffer, const TransmitLimits& limits = {});

  // When on_timeout wants to be called; kNever if nothing is pending. Every other call may bring it nearer.
  Timestamp next_timeout() const;
  // Does what is due; too early a call does nothing.
  void on_timeout(Timestamp now);

  // The network reported that nobody listens at `remote` (ICMP port unreachable). Ends only handshakes that have had
  // no answer: the report is not authenticated (threat t44). Calls Handler::on_closed for each of them.
  void on_unreachable(Timestamp now, const SocketAddress& remote);

  // This machine could not send a datagram of `size` bytes of UDP payload to `remote`, because the interface on the way
  // there takes none so large (EMSGSIZE). The datagram is lost. The connections that have lately sent to `remote` count
  // it (ConnectionStats::datagrams_too_large). Only a refusal by our own system belongs here: what ICMP says of sizes
  // is not authenticated and must not be passed on (threat t44). The work is bounded: a fixed number of the last runs
  // from poll_transmit is looked at, however many connections there are. Call poll_transmit again afterwards.
  void on_too_large(Timestamp now, const SocketAddress& remote, std::size_t size);

  // The addresses of this machine have changed: datagrams to `remote` leave from `local` now, whose port does not
  // count. Clients of that server that were reached at another address of ours move at once: whatever they sent from
  // there would be lost, and so would what the server sends there. Where the address is the same nothing happens.
  // Nothing happens to a connection that is not established, that may not move (TransportConfig::migration), or whose
  // driver leaves ReceivedDatagram::local empty. Linear in the number of connections, so for the rare change only. Call
  // poll_transmit afterwards.
  void on_local_address(Timestamp now, const SocketAddress& remote, const SocketAddress& local);
  // The servers of the clients' connections, each once: what to ask the system about for on_local_address. Linear;
  // allocates.
  std::vector<SocketAddress> servers() const;

  // Calls Connection::close on every connection. on_closed follows for each, in later drives.
  void close_all(AppErrorCode code, std::string_view reason);

  // Clients that come from now on get no answer, as where EndpointConfig::accept is false. One in the middle of its
  // handshake goes on.
  void stop_accepting();

  std::size_t connection_count() const;  // those not yet closed, half-open ones included
  std::size_t draining_count() const;    // of them, those that have ended and have nothing left to send
  EndpointStats stats() const;
  const PublicKey& public_key() const;

 private:
  struct [[gnu::visibility("hidden")]] Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace mxp
#pragma GCC visibility pop
