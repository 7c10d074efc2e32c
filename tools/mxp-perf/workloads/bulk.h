// Bulk data: a sender that keeps streams full for a time, and a meter at the other end.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <vector>

#include "mxp-perf/accounts/rate_gate.h"
#include "mxp/connection.h"
#include "mxp/time.h"

namespace mxp::perf {

// Counts the bytes that are delivered within a window: it opens `omit` after the first byte and closes `duration` after
// it. What comes later is backlog, and not part of the test.
class BulkMeter {
 public:
  BulkMeter(Duration omit, Duration duration) : omit_(omit), duration_(duration) {}

  void on_bytes(Timestamp now, std::size_t count) {
    if (count == 0) return;
    total_ += count;
    if (!started_) started_ = now;
    if (!is_open(now)) return;
    // The first piece only starts the clock: its bytes were sent before that.
    if (!first_) first_ = now;
    else bytes_ += count;
    last_ = now;
  }
  // Whether what comes now counts.
  bool is_open(Timestamp now) const { return started_ && now >= *started_ + omit_ && now <= *started_ + duration_; }
  std::uint64_t bytes() const { return bytes_; }
  Timestamp first() const { return first_.value_or(Timestamp{}); }
  Timestamp last() const { return last_; }
  // Everything that came, also outside the window.
  std::uint64_t total() const { return total_; }
  // When the window closes; nothing before the first byte.
  std::optional<Timestamp> closes() const { return started_ ? std::optional(*started_ + duration_) : std::nullopt; }

 private:
  Duration omit_, duration_;
  std::optional<Timestamp> started_;
  std::optional<Timestamp> first_;
  Timestamp last_{};
  std::uint64_t bytes_ = 0;
  std::uint64_t total_ = 0;
};

// Opens one-way streams and writes until told to stop.
class BulkSender {
 public:
  explicit BulkSender(Connection& connection) : connection_(connection) {}

  // Nothing is written beyond what the gate lets pass; `later` calls back when it may be asked again.
  struct Limit {
    RateGate& gate;
    std::function<Timestamp()> now;
    std::function<void(std::function<void()>)> later;
  };
  // Before start().
  void limit(Limit limit) { limit_.emplace(std::move(limit)); }

  bool start(unsigned streams);  // false: the peer does not allow so many
  void on_writable(StreamId id);
  // No new bytes; what the connection has taken already still goes out.
  void stop() { stopped_ = true; }
  // What the connection has taken already does not go out either.
  void abandon(AppErrorCode code);

 private:
  Connection& connection_;
  std::vector<StreamId> ids_;
  bool stopped_ = false;
  std::optional<Limit> limit_;
  bool waits_ = false;  // for the gate
  std::size_t next_ = 0;

  // How much of a chunk may be written now.
  std::size_t passes(std::size_t bytes);
  void go_on_later();
};

}  // namespace mxp::perf
