// Calls and answers over the messages of a connection (docs/protocol.md §5.3). This part stands between the messages
// and the application, and takes out what belongs to calls; everything else it hands on. Where calls are not enabled,
// that is everything. Each half exists from its first use on, because most connections make no calls.
#pragma once

#include <cstdint>
#include <expected>
#include <memory>
#include <string_view>

#include "connection/call_events.h"
#include "connection/callee.h"
#include "connection/caller.h"
#include "connection/message_acks.h"
#include "mxp/config.h"
#include "scheduler/message_events.h"

namespace mxp {

class Calls final : public MessageEvents {
 public:
  // All of them outlive this object, and `out` may not be there yet. `hash_key` is secret and random.
  Calls(const CallConfig& config, MessageWrapper& out, MessageAcks& acks, CallEvents& events, std::uint64_t hash_key)
      : config_(config), out_(out), acks_(acks), events_(events), hash_key_(hash_key) {}

  // The verbs of the application, for a connection that has not ended.
  std::expected<CallId, CallError> call(const Uuid& target, ByteView data, const CallOptions& options);
  bool cancel(CallId id) { return caller_ != nullptr && caller_->cancel(id); }
  std::expected<void, AnswerError> answer(IncomingCallId id, ByteView data, const AnswerOptions& options = {}) {
    if (callee_ == nullptr) return std::unexpected(AnswerError::unknown_call);
    return callee_->answer(id, data, options);
  }
  std::expected<void, AnswerError> answer_error(IncomingCallId id, ErrorReason reason, std::string_view text) {
    if (callee_ == nullptr) return std::unexpected(AnswerError::unknown_call);
    return callee_->answer_error(id, reason, text);
  }

  Timestamp deadline() const;
  void on_clock(Timestamp now);
  // The connection is over, and its messages are not yet: each call that waits is told what became of it. Then nothing
  // more is told.
  void end();

  // Whether a call of ours waits for its answer, or one of the peer is open.
  bool any_waits() const { return caller_ != nullptr && caller_->waiting() != 0; }
  bool any_is_open() const { return callee_ != nullptr && callee_->open() != 0; }
  Caller::Counters made() const { return caller_ == nullptr ? Caller::Counters{} : caller_->counters(); }
  Callee::Counters taken() const { return callee_ == nullptr ? Callee::Counters{} : callee_->counters(); }
  // Errors with the id of a call of ours that have not the layout of docs/protocol.md §1.3.
  std::uint64_t malformed_errors() const { return malformed_errors_; }
  std::size_t memory() const;

  // Whether this message may be the connection's own, as far as that can be told without its payload.
  bool may_be_own(const Message& message) const;
  // Whether it answers a call of ours that is over, whatever is in it: it is taken, and need not be readable for that.
  bool is_too_late(const Message& message) const;

  // MessageEvents.
  Offered offer(const Message& message, Audience audience) override;
  bool on_message(const Message& message) override { return offer(message, Audience::everybody) == Offered::taken; }
  void on_messages_expired(std::uint64_t count) override { acks_.on_messages_expired(count); }
  void on_message_outcome(MessageTicket ticket, MessageOutcome outcome) override {
    acks_.on_message_outcome(ticket, outcome);
  }
  void on_messages_writable(MessageClass traffic_class) override { acks_.on_messages_writable(traffic_class); }

 private:
  bool is_taken(const Message& message);
  bool on_error(const Message& message);
  Caller& caller();
  Callee& callee();

  const CallConfig& config_;
  MessageWrapper& out_;
  MessageAcks& acks_;  // everything else goes there
  CallEvents& events_;
  std::uint64_t hash_key_;
  std::unique_ptr<Caller> caller_;
  std::unique_ptr<Callee> callee_;
  Timestamp now_{};
  std::uint64_t malformed_errors_ = 0;
  bool ended_ = false;
};

}  // namespace mxp
