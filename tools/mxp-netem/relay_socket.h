// The relay's UDP sockets, and sending and receiving on them in batches. ECN bits, the address that a client sent to
// and the time at which the kernel took a datagram are kept. ICMP errors never surface as failures of the relay: those
// about datagrams to the target wait in the socket's error queue (refusal.h).
#pragma once

#include <sys/socket.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "common/tool_error.h"
#include "mxp/address.h"
#include "mxp/bytes.h"
#include "mxp/endpoint.h"
#include "udp/unique_fd.h"

namespace mxp::tools {

class RelaySocket {
 public:
  // For clients. "::" takes IPv4 clients, too. If the address is in use, the error (exit 1) says what to do about it.
  static Result<RelaySocket> listen(const SocketAddress& address);
  // To the target, from a port of its own: only the target can answer there. `source` is an address of this host;
  // without one the kernel chooses. Its port does not matter.
  static Result<RelaySocket> connect(const SocketAddress& target,
                                     const std::optional<SocketAddress>& source = std::nullopt);

  int fd() const { return fd_.get(); }
  void close() { fd_ = UniqueFd(); }
  const SocketAddress& local() const { return local_; }
  // Of the socket, not of a packet: an IPv6 socket may carry IPv4.
  AddressFamily family() const { return family_; }
  // Datagrams that the kernel threw away because the receive buffer was full.
  std::uint64_t kernel_drops() const;

 private:
  RelaySocket(UniqueFd fd, SocketAddress local, AddressFamily family)
      : fd_(std::move(fd)), local_(local), family_(family) {}
  static Result<UniqueFd> make(AddressFamily family);
  UniqueFd fd_;
  SocketAddress local_;
  AddressFamily family_;
};

struct InDatagram {
  ByteView bytes;  // valid until the next receive()
  SocketAddress from;
  std::optional<SocketAddress> to;  // the local address it was sent to, without port; only from listening sockets
  Ecn ecn = Ecn::not_ect;
  std::optional<Duration> stamp;  // when the kernel put it into the socket's buffer, since the Unix epoch
};

// Waits until the kernel stamps datagrams on arrival, at most some tens of milliseconds. Linux begins with it a moment
// after the first socket has asked for it; a datagram that came before that gets the time at which it is read, which
// would hide a stall of the relay. Does nothing where datagrams on loopback are not possible.
void await_stamps();

class BatchReceiver {
 public:
  static constexpr std::size_t kBatch = 64;
  BatchReceiver();
  // What is there now, up to kBatch datagrams; empty if nothing is.
  std::span<const InDatagram> receive(const RelaySocket& socket);

 private:
  static constexpr std::size_t kBufferBytes = 65536;  // more than any UDP datagram: nothing is cut
  struct Buffer;
  std::vector<std::uint8_t> storage_;
  std::vector<InDatagram> received_;
  std::vector<Buffer> buffers_;
  std::vector<mmsghdr> messages_;

 public:
  ~BatchReceiver();
};

struct OutDatagram {
  ByteView bytes;                              // valid until the next flush()
  std::optional<SocketAddress> to;             // none on a connected socket
  std::optional<SocketAddress> from;           // the local address to answer from; none: the kernel's choice
  AddressFamily family = AddressFamily::ipv4;  // of the packet
  Ecn ecn = Ecn::not_ect;
};

// Collects datagrams for one socket and sends them with few system calls.
class BatchSender {
 public:
  static constexpr std::size_t kBatch = 64;
  BatchSender();
  ~BatchSender();
  // Flushes by itself when the batch is full, or when the datagram goes to another socket than the one before.
  void add(const RelaySocket& socket, const OutDatagram& datagram);
  void flush();

  // Datagrams that this machine could not send: buffers were full, or they were too big for the interface.
  std::uint64_t failures() const { return failures_; }
  // Datagrams that were not sent because there is no route to their address. A refusal by another host is reported
  // later, as a Refusal.
  std::uint64_t unreachable() const { return unreachable_; }

 private:
  struct Buffer;
  const RelaySocket* socket_ = nullptr;
  std::vector<Buffer> buffers_;
  std::vector<mmsghdr> messages_;
  std::size_t used_ = 0;
  std::uint64_t failures_ = 0;
  std::uint64_t unreachable_ = 0;
};

}  // namespace mxp::tools
