#include "udp/syscalls.h"

namespace mxp {

ssize_t Syscalls::send_to(int fd, const void* data, std::size_t size, int flags, const sockaddr* to,
                          socklen_t to_size) {
  return ::sendto(fd, data, size, flags, to, to_size);
}

ssize_t Syscalls::receive_from(int fd, void* data, std::size_t size, int flags, sockaddr* from, socklen_t* from_size) {
  return ::recvfrom(fd, data, size, flags, from, from_size);
}

ssize_t Syscalls::send_message(int fd, const msghdr* message, int flags) { return ::sendmsg(fd, message, flags); }

int Syscalls::send_messages(int fd, mmsghdr* messages, unsigned count, int flags) {
  return ::sendmmsg(fd, messages, count, flags);
}

ssize_t Syscalls::receive_message(int fd, msghdr* message, int flags) { return ::recvmsg(fd, message, flags); }

int Syscalls::receive_messages(int fd, mmsghdr* messages, unsigned count, int flags) {
  return ::recvmmsg(fd, messages, count, flags, nullptr);
}

int Syscalls::set_option(int fd, int level, int name, const void* value, socklen_t size) {
  return ::setsockopt(fd, level, name, value, size);
}

int Syscalls::get_option(int fd, int level, int name, void* value, socklen_t* size) {
  return ::getsockopt(fd, level, name, value, size);
}

Syscalls& system_calls() {
  static Syscalls calls;
  return calls;
}

}  // namespace mxp
