// Makes the messages of a test. Closed loop: as many as their class takes, and more as soon as it has room again. Open
// loop: messages are due at fixed times; one that finds no room is sent later and counts from when it was due, so that
// a slow connection is not hidden by messages that were never made.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <vector>

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
  // `per_second` over all connections; 0: closed loop.
  MessageSource(Mix mix, std::uint64_t size, double per_second)
      : mix_(mix), payload_(size, 0x5a), per_second_(per_second) {}

  void add_connection(Connection& connection) { connections_.push_back(&connection); }
  void begin(Timestamp now) { begin_ = now; }

  // Closed loop: sends until the connection takes no more.
  template <typename Clock>
  void fill(Connection& connection, const Clock& now) {
    while (send(connection, now())) {
    }
  }
  // Open loop: sends what is due. Returns when the next message is; nothing while no connection has room.
  std::optional<Timestamp> send_due(Timestamp now);

  // The call with this id was answered: when it was due; nothing if it does not wait. At most kMostCalls wait for their
  // answers, and whatever would come next waits with them, so that the mix keeps its shares.
  std::optional<Timestamp> on_answer(std::uint64_t id);
  // By their ids: when each was due.
  const std::map<std::uint64_t, Timestamp>& waiting_calls() const { return waiting_calls_; }

  std::uint64_t taken() const { return taken_; }  // by the connections
  // Open loop: how many messages are due before `time`.
  std::uint64_t due_before(Timestamp time) const;

 private:
  static constexpr std::uint64_t kMostCalls = 1000;

  MessageType next_type() const;
  bool send(Connection& connection, Timestamp due);
  Timestamp due_time(std::uint64_t number) const;

  Mix mix_;
  std::vector<std::uint8_t> payload_;
  double per_second_;
  std::vector<Connection*> connections_;
  std::size_t next_connection_ = 0;
  Timestamp begin_{};
  std::uint64_t taken_ = 0;
  std::map<std::uint64_t, Timestamp> waiting_calls_;
};

}  // namespace mxp::perf
