// Bulk data: a sender that keeps streams full for a time, and a meter at the other end.
#pragma once

#include <optional>
#include <vector>

#include "mxp/connection.h"
#include "mxp/time.h"

namespace mxp::perf {

// Counts delivered bytes from the first one on, or from `omit` after it.
class BulkMeter {
 public:
  explicit BulkMeter(Duration omit = {}) : omit_(omit) {}

  void on_bytes(Timestamp now, std::size_t count) {
    if (count == 0) return;
    if (!begins_) begins_ = now + omit_;
    if (now < *begins_) return;
    // The first piece opens the measurement: its time counts, its bytes came before.
    if (!first_) first_ = now;
    else bytes_ += count;
    last_ = now;
  }
  std::uint64_t bytes() const { return bytes_; }
  Timestamp first() const { return first_.value_or(Timestamp{}); }
  Timestamp last() const { return last_; }

 private:
  Duration omit_;
  std::optional<Timestamp> begins_;
  std::optional<Timestamp> first_;
  Timestamp last_{};
  std::uint64_t bytes_ = 0;
};

// Opens one-way streams and writes until told to stop; then ends them.
class BulkSender {
 public:
  BulkSender(Connection& connection, unsigned streams);

  bool start();  // false: the peer does not allow so many streams
  void on_writable(StreamId id);
  void stop();  // no new bytes; the streams end after what was written
  void on_finished(StreamId id);
  bool all_finished() const { return stopped_ && open_ == 0; }
  bool owns(StreamId id) const;

 private:
  void pump(StreamId id);

  Connection& connection_;
  unsigned wanted_;
  std::vector<StreamId> ids_;
  std::size_t open_ = 0;
  bool stopped_ = false;
};

}  // namespace mxp::perf
