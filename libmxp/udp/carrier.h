// What carries datagrams: one small interface over a bound UDP socket. Two implementations: portable_carrier.h
// (sendto/recvfrom) and linux_carrier.h (GSO, GRO, batches, packet info, ECN, error queue). Nothing here blocks: the
// caller waits for fd() to become readable or writable. One thread at a time.
#pragma once

#include <cstddef>
#include <cstdint>
#include <expected>
#include <optional>
#include <span>

#include "mxp/address.h"
#include "mxp/bytes.h"
#include "mxp/endpoint.h"
#include "mxp/event_loop.h"

namespace mxp {

// Datagrams of one size to one peer. send() removes those that have left, or had to be dropped, from the front of
// `bytes`; these are always whole datagrams.
struct OutgoingRun {
  Transmit to;     // remote, local, segment_size and ecn; size is ignored
  ByteView bytes;  // what remains to be sent
};

// One receive buffer: as many datagrams as the kernel coalesced, all from the same peer with the same ECN bits.
// Every datagram but the last has segment_size bytes.
struct ReceivedRun {
  MutableBytes bytes;  // valid until the next receive()
  std::size_t segment_size = 0;
  SocketAddress remote;
  SocketAddress local;  // default-constructed if the carrier cannot tell
  Ecn ecn = Ecn::not_ect;
};

// A datagram that was dropped because the interface on the way to `remote` takes none of this size.
struct TooLarge {
  SocketAddress remote;
  std::size_t size = 0;  // bytes of UDP payload
};

enum class SendStatus : std::uint8_t {
  all_sent,
  wait_writable,  // EAGAIN: go on when fd() is writable
  wait_a_while,   // ENOBUFS, ENOMEM: full, but the socket stays writable; go on after kRetryAfter
};

enum class ReceiveStatus : std::uint8_t {
  drained,       // nothing more now
  more,          // every buffer was used: call again
  wait_a_while,  // receiving fails and would go on failing at once; try again after kRetryAfter
};

// No UDP datagram is larger. A carrier has room for so much unless it is told that less is enough.
inline constexpr std::size_t kLargestDatagram = 65535;

// How long to leave a socket alone after an error that does not say when to try again. Long enough not to spin, and
// shorter than any timer of the transport.
inline constexpr Duration kRetryAfter = std::chrono::milliseconds(1);

struct ReceiveResult {
  std::span<const ReceivedRun> runs;  // valid until the next receive()
  ReceiveStatus status = ReceiveStatus::drained;
};

class Carrier {
 public:
  virtual ~Carrier() = default;
  virtual int fd() const = 0;
  virtual SocketAddress local_address() const = 0;
  virtual CarrierCapabilities capabilities() const = 0;
  virtual const CarrierStats& stats() const = 0;

  // Sends the runs in order. What cannot be sent at all (too big, not permitted, no route) is dropped and counted, as
  // if the network had lost it; a refusal takes with it only those datagrams of its run that would fare the same. What
  // cannot be sent now stays in the runs. Where the kernel refuses the mark, datagrams go without it.
  virtual SendStatus send(std::span<OutgoingRun> runs) = 0;

  // What send() dropped as too large since the last call: for each address the smallest size, for
  // Endpoint::on_too_large. Nothing that came over the network shows here.
  virtual std::optional<TooLarge> poll_too_large() = 0;

  virtual ReceiveResult receive() = 0;

  // The next address at which nobody listens, as the network reported during send() or receive().
  virtual std::optional<SocketAddress> poll_unreachable() = 0;
};

// Calls `each(MutableBytes)` for every datagram of a run.
template <typename Each>
void for_each_datagram(const ReceivedRun& run, Each&& each) {
  const std::size_t size = run.segment_size == 0 ? run.bytes.size() : run.segment_size;
  MutableBytes rest = run.bytes;
  while (rest.size() > size) {
    each(rest.first(size));
    rest = rest.subspan(size);
  }
  each(rest);  // the last one, which may be shorter, and is empty for an empty datagram
}

}  // namespace mxp
