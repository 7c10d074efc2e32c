#include "udp/linux_carrier.h"

#include <netinet/in.h>
#include <netinet/udp.h>

#include <optional>

#include "udp/error_queue.h"
#include "udp/linux_receiver.h"
#include "udp/linux_sender.h"
#include "udp/udp_socket.h"

namespace mxp {
namespace {

// Which of the options the kernel took.
struct Options {
  bool gso = false;
  bool gro = false;
  bool packet_info = false;
  bool ecn = false;
};

class OptionSetter {
 public:
  OptionSetter(int fd, Syscalls& syscalls) : fd_(fd), syscalls_(syscalls) {}
  bool set(int level, int name, int value = 1) {
    return syscalls_.set_option(fd_, level, name, &value, sizeof(value)) == 0;
  }
  bool knows(int level, int name) {
    int value = 0;
    socklen_t size = sizeof(value);
    return syscalls_.get_option(fd_, level, name, &value, &size) == 0;
  }

 private:
  int fd_;
  Syscalls& syscalls_;
};

Options set_options(const UdpSocket& socket, bool offload, Syscalls& syscalls) {
  OptionSetter options(socket.fd.get(), syscalls);
  Options out;
  // An IPv6 socket that also takes IPv4 wants the IPv4 options as well; on one that does not they do no harm.
  out.ecn = options.set(IPPROTO_IP, IP_RECVTOS);
  options.set(IPPROTO_IP, IP_RECVERR);
  out.packet_info = !socket.any_address;  // one address: nothing to be told
  if (socket.any_address) out.packet_info = options.set(IPPROTO_IP, IP_PKTINFO);
  if (socket.local.family == AddressFamily::ipv6) {
    out.ecn = options.set(IPPROTO_IPV6, IPV6_RECVTCLASS);
    options.set(IPPROTO_IPV6, IPV6_RECVERR);
    if (socket.any_address) out.packet_info = options.set(IPPROTO_IPV6, IPV6_RECVPKTINFO);
  }
  options.set(SOL_SOCKET, SO_RXQ_OVFL);
  if (offload) {
    out.gso = options.knows(SOL_UDP, UDP_SEGMENT);
    out.gro = options.set(SOL_UDP, UDP_GRO);
  }
  return out;
}

class LinuxCarrier final : public Carrier {
 public:
  LinuxCarrier(UdpSocket socket, const Options& options, std::size_t largest_datagram, Syscalls& syscalls)
      : socket_(std::move(socket)),
        options_(options),
        errors_(socket_.fd.get(), syscalls),
        sender_(socket_.fd.get(), socket_.local.family, options.gso, socket_.any_address, syscalls),
        // A coalesced receive may be as large as any UDP datagram, whatever size the datagrams in it have.
        receiver_(socket_.fd.get(), socket_.local, socket_.any_address,
                  options.gro ? kLargestDatagram : largest_datagram, syscalls) {}

  int fd() const override { return socket_.fd.get(); }
  SocketAddress local_address() const override { return socket_.local; }
  const CarrierStats& stats() const override { return stats_; }
  CarrierCapabilities capabilities() const override {
    return {.gso = sender_.gso(),
            .gro = options_.gro,
            .packet_info = options_.packet_info,
            .ecn = options_.ecn,
            .receive_buffer_bytes = socket_.receive_buffer_bytes,
            .send_buffer_bytes = socket_.send_buffer_bytes};
  }
  SendStatus send(std::span<OutgoingRun> runs) override { return sender_.send(runs, errors_, stats_); }
  std::optional<TooLarge> poll_too_large() override { return sender_.poll_too_large(); }
  ReceiveResult receive() override { return receiver_.receive(errors_, stats_); }
  std::optional<SocketAddress> poll_unreachable() override { return errors_.poll_unreachable(); }

 private:
  UdpSocket socket_;
  Options options_;
  CarrierStats stats_;
  ErrorQueue errors_;
  LinuxSender sender_;
  LinuxReceiver receiver_;
};

}  // namespace

std::expected<std::unique_ptr<Carrier>, IoError> make_linux_carrier(const SocketConfig& config, Syscalls& syscalls,
                                                                    std::size_t largest_datagram) {
  auto socket = bind_udp_socket(config, syscalls);
  if (!socket) return std::unexpected(socket.error());
  const Options options = set_options(*socket, config.offload, syscalls);
  return std::make_unique<LinuxCarrier>(std::move(*socket), options, largest_datagram, syscalls);
}

}  // namespace mxp
