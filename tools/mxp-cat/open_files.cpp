#include "mxp-cat/open_files.h"

#include <fcntl.h>

#include <algorithm>

namespace mxp::tools {

OpenFiles::OpenFiles(EventLoop& loop) : loop_(loop) { fill_reserve(); }

// With a limit that is too low even for this, what needs the reserve may fail and says so.
void OpenFiles::fill_reserve() {
  for (UniqueFd& one : reserve_) one.reset(::open("/dev/null", O_RDONLY | O_CLOEXEC));
}

OpenFiles::~OpenFiles() {
  if (timer_) loop_.cancel(*timer_);
}

OpenFiles::Place OpenFiles::enter() {
  ++open_;
  return Place(this);
}

void OpenFiles::wait(Waiter& waiter) {
  if (std::find(waiting_.begin(), waiting_.end(), &waiter) == waiting_.end()) waiting_.push_back(&waiter);
}

void OpenFiles::leave(Waiter& waiter) { std::erase(waiting_, &waiter); }

void OpenFiles::on_closed() {
  --open_;
  if (waiting_.empty() || timer_) return;
  // Never from inside here: the file may have been closed in the middle of its transfer's own work.
  timer_ = loop_.at(loop_.now(), [this] {
    timer_.reset();
    tell_waiters();
  });
}

void OpenFiles::tell_waiters() {
  // Who still finds no descriptor waits again, at the end.
  for (std::size_t left = waiting_.size(); left > 0 && !waiting_.empty(); --left) {
    Waiter* waiter = waiting_.front();
    waiting_.pop_front();
    waiter->on_file_closed();
  }
}

}  // namespace mxp::tools
