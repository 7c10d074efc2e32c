#include "udp/portable_carrier.h"

#include <algorithm>
#include <cerrno>
#include <vector>

#include "udp/refused_sizes.h"
#include "udp/socket_address.h"
#include "udp/udp_socket.h"

namespace mxp {
namespace {

// Datagrams of one receive().
constexpr std::size_t kBuffers = 16;
// A call that a signal interrupts is repeated at once, but not for ever.
constexpr int kMaxInterruptions = 8;

class PortableCarrier final : public Carrier {
 public:
  PortableCarrier(UdpSocket socket, std::size_t largest_datagram, Syscalls& syscalls)
      : socket_(std::move(socket)),
        syscalls_(syscalls),
        buffer_bytes_(largest_datagram + 1),  // the extra byte shows that a datagram was too large
        memory_(buffer_bytes_ * kBuffers) {}

  int fd() const override { return socket_.fd.get(); }
  SocketAddress local_address() const override { return socket_.local; }
  const CarrierStats& stats() const override { return stats_; }
  CarrierCapabilities capabilities() const override {
    return {.packet_info = !socket_.any_address,
            .receive_buffer_bytes = socket_.receive_buffer_bytes,
            .send_buffer_bytes = socket_.send_buffer_bytes};
  }
  // Without an error queue nothing says which address a refusal belongs to.
  std::optional<SocketAddress> poll_unreachable() override { return std::nullopt; }
  std::optional<TooLarge> poll_too_large() override { return refused_sizes_.poll(); }

  SendStatus send(std::span<OutgoingRun> runs) override {
    for (OutgoingRun& run : runs) {
      const auto to = to_system(run.to.remote, socket_.local.family);
      int attempts = 0;
      if (!run.bytes.empty()) set_mark(run.to.ecn);
      while (!run.bytes.empty()) {
        const std::size_t size =
            run.to.segment_size == 0 ? run.bytes.size() : std::min(run.bytes.size(), run.to.segment_size);
        ++stats_.send_calls;
        const int error = to ? send_one(*to, run.bytes.first(size)) : EAFNOSUPPORT;
        if (error == EAGAIN || error == EWOULDBLOCK || error == ENOBUFS || error == ENOMEM) {
          ++stats_.sends_blocked;
          return error == ENOBUFS || error == ENOMEM ? SendStatus::wait_a_while : SendStatus::wait_writable;
        }
        // The refusal may be an old one, of another datagram: this one has not been tried yet.
        if ((error == EINTR || error == ECONNREFUSED) && ++attempts < kMaxInterruptions) continue;
        attempts = 0;
        if (error == EMSGSIZE) {
          // Without an error queue no report from the network ends up in a call: this is our own interface.
          stats_.dropped_too_big += refused_sizes_.take_off(run, size);
          continue;
        }
        if (error == 0) {
          ++stats_.datagrams_sent;
          stats_.bytes_sent += size;
        } else {
          ++stats_.dropped_on_error;
        }
        run.bytes = run.bytes.subspan(size);
      }
    }
    return SendStatus::all_sent;
  }

  ReceiveResult receive() override {
    std::size_t count = 0;
    int interruptions = 0;
    while (count < kBuffers) {
      SystemAddress from;
      from.size = sizeof(from.v6);
      std::uint8_t* buffer = memory_.data() + count * buffer_bytes_;
      ++stats_.receive_calls;
      const ssize_t size = syscalls_.receive_from(fd(), buffer, buffer_bytes_, MSG_DONTWAIT, &from.any, &from.size);
      if (size < 0) {
        if (errno == EAGAIN || errno == EWOULDBLOCK) return {{runs_.data(), count}, ReceiveStatus::drained};
        if (errno != EINTR) ++stats_.receive_errors;
        // This is the refusal of something that was sent before, and nothing says to which address. The next call may
        // succeed.
        if ((errno == EINTR || errno == ECONNREFUSED) && ++interruptions < kMaxInterruptions) continue;
        return {{runs_.data(), count}, ReceiveStatus::wait_a_while};
      }
      const auto remote = from_system(&from.any, from.size);
      if (static_cast<std::size_t>(size) >= buffer_bytes_ || !remote) {
        ++stats_.received_truncated;
        continue;
      }
      ++stats_.datagrams_received;
      stats_.bytes_received += static_cast<std::size_t>(size);
      runs_[count++] = {.bytes = {buffer, static_cast<std::size_t>(size)},
                        .segment_size = static_cast<std::size_t>(size),
                        .remote = *remote,
                        .local = socket_.any_address ? SocketAddress{} : socket_.local};
    }
    return {{runs_.data(), count}, ReceiveStatus::more};
  }

 private:
  int send_one(const SystemAddress& to, ByteView datagram) {
    const ssize_t sent = syscalls_.send_to(fd(), datagram.data(), datagram.size(), MSG_DONTWAIT, &to.any, to.size);
    return sent < 0 ? errno : 0;
  }

  // sendto takes no mark for a single datagram, so the socket gets it, whenever it is another than before. Where the
  // system refuses that, what follows goes without.
  void set_mark(Ecn ecn) {
    if (ecn == mark_ || !can_mark_) return;
    const int value = static_cast<int>(ecn);
    int result = syscalls_.set_option(fd(), IPPROTO_IP, IP_TOS, &value, sizeof(value));
    if (socket_.local.family == AddressFamily::ipv6) {
      result = syscalls_.set_option(fd(), IPPROTO_IPV6, IPV6_TCLASS, &value, sizeof(value));
    }
    can_mark_ = result == 0;
    if (!can_mark_) ++stats_.ecn_failures;
    mark_ = ecn;
  }

  UdpSocket socket_;
  Ecn mark_ = Ecn::not_ect;  // that the socket has
  bool can_mark_ = true;
  RefusedSizes refused_sizes_;
  Syscalls& syscalls_;
  std::size_t buffer_bytes_;
  std::vector<std::uint8_t> memory_;
  std::array<ReceivedRun, kBuffers> runs_{};
  CarrierStats stats_;
};

}  // namespace

std::expected<std::unique_ptr<Carrier>, IoError> make_portable_carrier(const SocketConfig& config, Syscalls& syscalls,
                                                                       std::size_t largest_datagram) {
  auto socket = bind_udp_socket(config, syscalls);
  if (!socket) return std::unexpected(socket.error());
  return std::make_unique<PortableCarrier>(std::move(*socket), largest_datagram, syscalls);
}

}  // namespace mxp
