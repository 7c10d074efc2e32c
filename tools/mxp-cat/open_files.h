// The files that transfers have open, over all connections of the process. The system's descriptors are few (`ulimit
// -n`): where there is none for one more file, its transfer waits here until another file is closed.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>

#include "mxp/event_loop.h"
#include "udp/unique_fd.h"

namespace mxp::tools {

class OpenFiles {
 public:
  class Waiter {
   public:
    virtual void on_file_closed() = 0;

   protected:
    ~Waiter() = default;
  };

  // `loop` outlives the object.
  explicit OpenFiles(EventLoop& loop);
  ~OpenFiles();
  OpenFiles(const OpenFiles&) = delete;
  OpenFiles& operator=(const OpenFiles&) = delete;

  // Held as long as a file is open, and let go of after its descriptors.
  struct Leave {
    void operator()(OpenFiles* files) const { files->on_closed(); }
  };
  using Place = std::unique_ptr<OpenFiles, Leave>;
  Place enter();

  // What cannot wait, as it belongs to the end of a connection, runs with two descriptors that are kept for it.
  template <typename Action>
  auto with_reserve(Action action) {
    for (UniqueFd& one : reserve_) one.reset();
    auto result = action();
    fill_reserve();
    return result;
  }

  // Whether a file is open, so that waiting makes sense.
  bool any() const { return open_ > 0; }
  // `waiter` hears once of a file that was closed, in a later turn of the loop; those who came first hear first.
  void wait(Waiter& waiter);
  void leave(Waiter& waiter);

 private:
  void fill_reserve();
  void on_closed();
  void tell_waiters();

  EventLoop& loop_;
  std::array<UniqueFd, 2> reserve_;
  std::size_t open_ = 0;
  std::deque<Waiter*> waiting_;  // each once; no more than there are connections
  std::optional<std::uint64_t> timer_;
};

}  // namespace mxp::tools
