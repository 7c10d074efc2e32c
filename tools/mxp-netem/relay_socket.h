// The relay's UDP sockets, and sending and receiving on them in batches. ECN bits and the address that a client sent to
// are kept; ICMP errors never surface as failures of the relay.
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
  // For clients. "::" takes IPv4 clients, too. An address in use is exit 1 with the way out.
  static Result<RelaySocket> listen(const SocketAddress& address);
  // To the target, from a port of its own: only the target can answer there.
  static Result<RelaySocket> connect(const SocketAddress& target);

  int fd() const { return fd_.get(); }
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
};

class BatchReceiver {
 public:
  static constexpr std::size_t kBatch = 64;
  BatchReceiver();
  // What is there now, up to kBatch datagrams; empty if nothing is.
  std::span<const InDatagram> receive(const RelaySocket& socket);

 private:
  static constexpr std::size_t kSlotBytes = 65536;  // more than any UDP datagram: nothing is cut
  struct Slot;
  std::vector<std::uint8_t> storage_;
  std::vector<InDatagram> received_;
  std::vector<Slot> slots_;
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
  // Flushes by itself when the batch is full or the socket is another one.
  void add(const RelaySocket& socket, const OutDatagram& datagram);
  void flush();

  std::uint64_t failures() const {
    return failures_;
  }  // not sent because of us: buffers full, too big for the interface
  std::uint64_t unreachable() const { return unreachable_; }  // not sent because the network said no

 private:
  struct Slot;
  const RelaySocket* socket_ = nullptr;
  std::vector<Slot> slots_;
  std::vector<mmsghdr> messages_;
  std::size_t used_ = 0;
  std::uint64_t failures_ = 0;
  std::uint64_t unreachable_ = 0;
};

}  // namespace mxp::tools
