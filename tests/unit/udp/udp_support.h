// Helpers of the udp tests: carriers on loopback, whole datagrams as values, and system calls that fail on order.
#pragma once

#include <poll.h>

#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <cerrno>
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "udp/carrier.h"
#include "udp/linux_carrier.h"
#include "udp/portable_carrier.h"
#include "udp/syscalls.h"

namespace mxp::test {

using Datagram = std::vector<std::uint8_t>;

enum class Kind : std::uint8_t { portable, linux_offload, linux_plain };
inline constexpr Kind kKinds[] = {Kind::portable, Kind::linux_offload, Kind::linux_plain};

inline const char* name_of(Kind kind) {
  switch (kind) {
    case Kind::portable: return "portable";
    case Kind::linux_offload: return "linux with offload";
    case Kind::linux_plain: return "linux without offload";
  }
  return "";
}

inline const SocketAddress kLoopback = SocketAddress::ipv4(127, 0, 0, 1, 0);
inline const SocketAddress kAnyIpv4 = SocketAddress::ipv4(0, 0, 0, 0, 0);

inline std::unique_ptr<Carrier> make(Kind kind, SocketConfig config, Syscalls& syscalls = system_calls(),
                                     std::size_t largest_datagram = kLargestDatagram) {
  config.offload = kind == Kind::linux_offload;
  auto made = kind == Kind::portable ? make_portable_carrier(config, syscalls, largest_datagram)
                                     : make_linux_carrier(config, syscalls, largest_datagram);
  if (!made) BOOST_FAIL(made.error().message);
  return std::move(*made);
}

inline std::unique_ptr<Carrier> make(Kind kind, const SocketAddress& bind = kLoopback,
                                     Syscalls& syscalls = system_calls()) {
  return make(kind, SocketConfig{.bind = bind}, syscalls);
}

// `bytes` of a pattern that differs at every place and by `seed`.
inline Datagram pattern(std::size_t bytes, std::uint32_t seed = 1) {
  Datagram out(bytes);
  std::uint32_t state = seed * 2654435761u + 1;
  for (auto& byte : out) {
    state = state * 1664525u + 1013904223u;
    byte = static_cast<std::uint8_t>(state >> 24);
  }
  return out;
}

inline std::vector<Datagram> split(const Datagram& bytes, std::size_t segment) {
  std::vector<Datagram> out;
  for (std::size_t at = 0; at < bytes.size(); at += segment) {
    out.emplace_back(bytes.begin() + static_cast<std::ptrdiff_t>(at),
                     bytes.begin() + static_cast<std::ptrdiff_t>(std::min(at + segment, bytes.size())));
  }
  return out;
}

inline OutgoingRun run_to(const SocketAddress& remote, ByteView bytes, std::size_t segment) {
  return {Transmit{.remote = remote, .local = {}, .segment_size = segment, .size = bytes.size()}, bytes};
}

// Whether the message has this control message beside it (cmsg(3)).
inline bool has_control(const msghdr& message, int level, int type) {
  for (const cmsghdr* header = CMSG_FIRSTHDR(&message); header != nullptr;
       header = CMSG_NXTHDR(const_cast<msghdr*>(&message), const_cast<cmsghdr*>(header))) {
    if (header->cmsg_level == level && header->cmsg_type == type) return true;
  }
  return false;
}

inline bool wait_for(const Carrier& carrier, short events, int timeout_ms = 2000) {
  pollfd entry{.fd = carrier.fd(), .events = events, .revents = 0};
  return ::poll(&entry, 1, timeout_ms) == 1;
}

// What arrived, as values.
struct Arrived {
  Datagram bytes;
  SocketAddress remote;
  SocketAddress local;
  Ecn ecn = Ecn::not_ect;
};

// Appends what is there now.
inline void receive_now(Carrier& carrier, std::vector<Arrived>& out) {
  for (const ReceivedRun& run : carrier.receive().runs) {
    for_each_datagram(run, [&](MutableBytes bytes) {
      out.push_back({Datagram(bytes.begin(), bytes.end()), run.remote, run.local, run.ecn});
    });
  }
}

// Receives until `count` datagrams have come; fewer if none comes for two seconds.
inline std::vector<Arrived> receive_count(Carrier& carrier, std::size_t count) {
  std::vector<Arrived> out;
  while (out.size() < count && wait_for(carrier, POLLIN)) receive_now(carrier, out);
  return out;
}

inline std::vector<Datagram> bytes_of(const std::vector<Arrived>& arrived) {
  std::vector<Datagram> out;
  for (const Arrived& one : arrived) out.push_back(one.bytes);
  return out;
}

// The same calls, but those that `fails` chooses return -1 with its errno without reaching the kernel.
class FaultySyscalls final : public Syscalls {
 public:
  enum class Call : std::uint8_t { send, receive, error_queue, set_option };
  // Gets the kind of call and how many of that kind there were before; 0 lets it through.
  std::function<int(Call, std::size_t)> fails = [](Call, std::size_t) { return 0; };
  // What the kernel says to this message, by its contents; 0 lets it through.
  std::function<int(const msghdr&)> refuses = [](const msghdr&) { return 0; };
  std::function<bool(int level, int name)> lacks = [](int, int) { return false; };
  std::size_t sends = 0;
  std::size_t receives = 0;
  std::size_t error_reads = 0;

  ssize_t send_to(int fd, const void* data, std::size_t size, int flags, const sockaddr* to,
                  socklen_t to_size) override {
    return refused(Call::send, sends) ? -1 : Syscalls::send_to(fd, data, size, flags, to, to_size);
  }
  ssize_t receive_from(int fd, void* data, std::size_t size, int flags, sockaddr* from, socklen_t* from_size) override {
    return refused(Call::receive, receives) ? -1 : Syscalls::receive_from(fd, data, size, flags, from, from_size);
  }
  ssize_t send_message(int fd, const msghdr* message, int flags) override {
    return refused(Call::send, sends) || refused(*message) ? -1 : Syscalls::send_message(fd, message, flags);
  }
  // As sendmmsg(2): the messages before a refused one go out.
  int send_messages(int fd, mmsghdr* messages, unsigned count, int flags) override {
    if (refused(Call::send, sends) || refused(messages[0].msg_hdr)) return -1;
    unsigned taken = 1;
    while (taken < count && refuses(messages[taken].msg_hdr) == 0) ++taken;
    return Syscalls::send_messages(fd, messages, taken, flags);
  }
  ssize_t receive_message(int fd, msghdr* message, int flags) override {
    return refused(Call::error_queue, error_reads) ? -1 : Syscalls::receive_message(fd, message, flags);
  }
  int receive_messages(int fd, mmsghdr* messages, unsigned count, int flags) override {
    return refused(Call::receive, receives) ? -1 : Syscalls::receive_messages(fd, messages, count, flags);
  }
  int set_option(int fd, int level, int name, const void* value, socklen_t size) override {
    if (!lacks(level, name)) return Syscalls::set_option(fd, level, name, value, size);
    errno = ENOPROTOOPT;
    return -1;
  }
  int get_option(int fd, int level, int name, void* value, socklen_t* size) override {
    if (!lacks(level, name)) return Syscalls::get_option(fd, level, name, value, size);
    errno = ENOPROTOOPT;
    return -1;
  }

 private:
  bool refused(const msghdr& message) const {
    const int code = refuses(message);
    errno = code;
    return code != 0;
  }
  bool refused(Call call, std::size_t& count) {
    const int code = fails(call, count++);
    if (code == 0) return false;
    errno = code;
    return true;
  }
};

}  // namespace mxp::test
