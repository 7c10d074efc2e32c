// The calls that this side made and whose answers it waits for (docs/protocol.md §5.3). Each ends exactly once: with
// an answer, with the end of its time, with cancel(), or with the connection. After that its id finds nothing
// (message/call_table.h), so a late answer, or a second one, is only counted.
//
// A verb of the application knows no time. So the time of a call begins with the next on_clock(), and until then the
// call stands before all others in the table and counts as due.
#pragma once

#include <cstdint>
#include <expected>
#include <vector>

#include "connection/call_events.h"
#include "connection/message_wrapper.h"
#include "message/call_table.h"
#include "mxp/config.h"

namespace mxp {

class Caller {
 public:
  struct Counters {
    std::uint64_t made = 0;
    std::uint64_t answered = 0;  // or failed, by an answer of the peer
    std::uint64_t timed_out = 0;
    std::uint64_t answers_unmatched = 0;  // too late, or repeated
  };

  // `out` and `events` outlive this object.
  Caller(const CallConfig& config, MessageWrapper& out, CallEvents& events)
      : out_(out), events_(events), waiting_(config.max_waiting) {}

  // Errors: all but not_enabled and connection_closed.
  std::expected<CallId, CallError> call(const Uuid& target, ByteView data, const CallOptions& options);
  // Whether the call waited for its answer. If so, it does no longer, and nothing is told of it.
  bool cancel(CallId id);

  // A Response or Error of the peer. Whether it has the id of a call of ours, be it over or not; if not, it is none of
  // our business.
  bool on_response(const Message& response);
  bool on_failure(const Message& error, const ErrorPayload& payload);
  bool is_ours(std::uint64_t id) const { return waiting_.was_given_out(id); }
  bool waits_for(std::uint64_t id) const { return waiting_.find(id) != nullptr; }

  Timestamp deadline() const;
  // Tells of the calls whose time is over.
  void on_clock(Timestamp now);
  // The connection has ended: tells of all calls that wait.
  void end();

  const Counters& counters() const { return counters_; }
  std::size_t waiting() const { return waiting_.size(); }
  std::size_t memory() const { return waiting_.memory_bound() + records_.capacity() * sizeof(Record); }

 private:
  static constexpr Timestamp kNotBegun = Timestamp::min();

  struct Record {
    MessageTicket message;
    Duration timeout{};
    MessageClass traffic_class = MessageClass::critical;
  };
  bool note_unmatched(std::uint64_t id);
  Record& record_of(std::uint64_t id) { return records_[waiting_.place_of(id)]; }

  MessageWrapper& out_;
  CallEvents& events_;
  CallTable waiting_;
  std::vector<Record> records_;  // by place in the table
  Timestamp now_{};
  Counters counters_;
};

}  // namespace mxp
