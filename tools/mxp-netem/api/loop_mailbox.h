// The way from the threads of the HTTP server to the loop that owns the relays: they leave a task and wait for it. All
// state is the loop's; the only thing that both touch is the list in here, under its lock.
#pragma once

#include <chrono>
#include <deque>
#include <functional>
#include <future>
#include <memory>
#include <mutex>
#include <optional>
#include <utility>

#include "udp/unique_fd.h"

namespace mxp::tools {

class LoopMailbox {
 public:
  LoopMailbox();

  // The loop's side. fd() is readable when there is work.
  int fd() const { return wake_.get(); }
  void run_all();
  // From now on nobody is served; those that wait are told so.
  void close();

  // The others' side: the result of `task`, run by the loop; nothing if the loop has ended, or is busy for too long.
  // A task that is given up may still run: it must own what it uses.
  template <typename Task>
  auto ask(Task task) -> std::optional<decltype(task())> {
    using Value = decltype(task());
    auto promise = std::make_shared<std::promise<Value>>();
    auto future = promise->get_future();
    if (!post([promise, task = std::move(task)]() mutable { promise->set_value(task()); })) return std::nullopt;
    promise.reset();
    if (future.wait_for(kPatience) != std::future_status::ready) return std::nullopt;
    try {
      return future.get();
    } catch (const std::future_error&) {  // the task was thrown away
      return std::nullopt;
    }
  }

 private:
  static constexpr std::chrono::seconds kPatience{10};  // our choice
  static constexpr std::size_t kMostTasks = 64;         // more than the server has threads

  bool post(std::function<void()> task);

  UniqueFd wake_;
  std::mutex mutex_;
  std::deque<std::function<void()>> tasks_;
  bool closed_ = false;
};

}  // namespace mxp::tools
