#include "mxp-netem/api/loop_mailbox.h"

#include <sys/eventfd.h>
#include <unistd.h>

#include <cstdint>

namespace mxp::tools {

LoopMailbox::LoopMailbox() : wake_(::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)) {}

bool LoopMailbox::post(std::function<void()> task) {
  {
    const std::lock_guard lock(mutex_);
    if (closed_ || tasks_.size() >= kMostTasks) return false;
    tasks_.push_back(std::move(task));
  }
  constexpr std::uint64_t kOne = 1;
  [[maybe_unused]] const ssize_t ignored = ::write(wake_.get(), &kOne, sizeof kOne);
  return true;
}

void LoopMailbox::run_all() {
  std::uint64_t count = 0;
  [[maybe_unused]] const ssize_t ignored = ::read(wake_.get(), &count, sizeof count);
  std::deque<std::function<void()>> tasks;
  {
    const std::lock_guard lock(mutex_);
    tasks.swap(tasks_);
  }
  for (auto& task : tasks) task();
}

void LoopMailbox::close() {
  const std::lock_guard lock(mutex_);
  closed_ = true;
  tasks_.clear();
}

}  // namespace mxp::tools
