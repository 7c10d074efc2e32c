// The system calls of the carriers, behind one interface, so that a test can make the n-th one fail with any errno, or
// can stand for a kernel that lacks an option. That adds a virtual call to each system call, which costs a hundred
// times more. Results are those of the calls themselves: -1 and errno.
#pragma once

#include <sys/socket.h>
#include <sys/types.h>

#include <cstddef>

namespace mxp {

class Syscalls {
 public:
  virtual ~Syscalls() = default;
  virtual ssize_t send_to(int fd, const void* data, std::size_t size, int flags, const sockaddr* to, socklen_t to_size);
  virtual ssize_t receive_from(int fd, void* data, std::size_t size, int flags, sockaddr* from, socklen_t* from_size);
  virtual ssize_t send_message(int fd, const msghdr* message, int flags);
  virtual int send_messages(int fd, mmsghdr* messages, unsigned count, int flags);
  virtual ssize_t receive_message(int fd, msghdr* message, int flags);
  virtual int receive_messages(int fd, mmsghdr* messages, unsigned count, int flags);
  virtual int set_option(int fd, int level, int name, const void* value, socklen_t size);
  virtual int get_option(int fd, int level, int name, void* value, socklen_t* size);
};

// The real ones. Stateless: any thread may use it.
Syscalls& system_calls();

}  // namespace mxp
