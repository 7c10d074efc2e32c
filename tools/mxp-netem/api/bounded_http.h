// httplib's server with bounds on what a connection may cost: one request each, all of it within a deadline, so many
// connections at a time and no more; and an end that does not wait for clients.
#pragma once

#include <httplib.h>

#include <atomic>
#include <chrono>
#include <cstddef>
#include <memory>
#include <mutex>
#include <set>

namespace mxp::tools {

class BoundedHttpServer : public httplib::Server {
 public:
  // Our choices. A request is small, and slow clients must not keep the others waiting for long.
  static constexpr std::size_t kThreads = 4;
  static constexpr std::size_t kMostWaiting = 64;
  static constexpr std::chrono::seconds kDeadline{5};

  BoundedHttpServer();
  // Closes what is open, so that no thread waits for a client, and stops to listen.
  void end();

 private:
  class Threads;
  // One request is answered, and then the connection ends: what follows in it may be the body of a refused request.
  bool process_and_close_socket(socket_t fd) override;
  bool remember(socket_t fd);
  void forget_and_close(socket_t fd);

  std::mutex mutex_;
  std::set<socket_t> open_;
  bool ending_ = false;
};

}  // namespace mxp::tools
