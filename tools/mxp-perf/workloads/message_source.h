// Makes the messages of a test. Closed loop: as many as their class takes, and more as soon as it has room again. Open
// loop: messages are due at times of their own (arrivals/arrivals.h); one that finds no room is sent later and counts
// from when it was due, so that a slow connection is not hidden by messages that were never made.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <vector>

#include "mxp-perf/arrivals/arrivals.h"
#include "mxp-perf/arrivals/call_book.h"
#include "mxp-perf/workloads/latency_histogram.h"
#include "mxp/connection.h"
#include "mxp/message.h"
#include "mxp/time.h"

namespace mxp::perf {

class MessageSource {
 public:
  enum class Mix : std::uint8_t {
    events,
    mixed  // of ten messages five are calls, which are to be answered, three chunks of streams, and two events
  };
  // At most `most_calls` wait for their answers, and whatever would come next waits with them, so that the mix keeps
  // its shares. `arrivals`: open loop.
  MessageSource(Mix mix, std::uint64_t size, std::size_t most_calls, std::optional<Arrivals> arrivals = {})
      : mix_(mix), payload_(size, 0x5a), most_calls_(most_calls), arrivals_(std::move(arrivals)) {}

  void add_connection(Connection& connection) { connections_.push_back(&connection); }
  void begin(Timestamp now) {
    room_since_ = now;
    if (arrivals_) arrivals_->begin(now);
  }

  // Closed loop: sends until the connection takes no more.
  template <typename Clock>
  void fill(Connection& connection, const Clock& now) {
    for (Timestamp at = now(); send(connection, {.due = at, .made = at}); at = now()) {
    }
  }
  // Open loop: sends what is due by `until`. Returns when the next message is; nothing while no connection has room.
  std::optional<Timestamp> send_due(Timestamp until, Timestamp now);

  // The call with this id was answered; nothing if it does not wait.
  std::optional<CallBook::Call> on_answer(std::uint64_t id);
  // By their ids.
  const std::map<std::uint64_t, CallBook::Call>& waiting_calls() const { return waiting_calls_; }

  std::uint64_t taken() const { return taken_; }  // by the connections
  // Open loop: how many messages that are due before `time` were not sent.
  std::uint64_t left_before(Timestamp time) const { return arrivals_ ? arrivals_->left_before(time) : 0; }
  // Open loop: from when each was due, or from when there was room for it, to when it was handed over.
  const LatencyHistogram& sender_late() const { return sender_late_; }

 private:
  MessageType next_type() const;
  bool send(Connection& connection, const CallBook::Call& times);
  bool send_somewhere(const CallBook::Call& times);
  // What became due together is all there is for now: its last packet, too, goes without waiting for more.
  void flush_burst();

  Mix mix_;
  std::vector<std::uint8_t> payload_;
  std::size_t most_calls_;
  std::optional<Arrivals> arrivals_;
  std::vector<Connection*> connections_;
  std::size_t next_connection_ = 0;
  std::vector<Connection*> burst_;  // who took a message since the last flush_burst()
  Timestamp room_since_{};
  bool blocked_ = false;
  LatencyHistogram sender_late_;
  std::uint64_t taken_ = 0;
  std::map<std::uint64_t, CallBook::Call> waiting_calls_;
};

}  // namespace mxp::perf
