#include "connection/calls.h"

#include <algorithm>

#include "message/flags.h"

namespace mxp {
namespace {

// What is still compressed or sealed here could not be opened, or was not to be.
bool is_readable(const Message& message) { return (message.flags & (kCompressed | kEncrypted)) == 0; }

}  // namespace

std::expected<CallId, CallError> Calls::call(const Uuid& target, ByteView data, const CallOptions& options) {
  if (!config_.enabled) return std::unexpected(CallError::not_enabled);
  return caller().call(target, data, options);
}

MessageEvents::Offered Calls::offer(const Message& message, Audience audience) {
  if (!config_.enabled || !is_taken(message)) return acks_.offer(message, audience);
  acks_.on_taken(message);
  return Offered::taken;
}

bool Calls::is_taken(const Message& message) {
  switch (message.type) {
    case MessageType::call:
      if (!is_readable(message)) return false;
      callee().on_call(message);
      return true;
    case MessageType::response: return caller_ != nullptr && caller_->on_response(message);
    case MessageType::error: return on_error(message);
    default: return false;
  }
}

bool Calls::may_be_own(const Message& message) const {
  if (!config_.enabled) return false;
  switch (message.type) {
    case MessageType::call: return true;
    case MessageType::response: return caller_ != nullptr && caller_->is_ours(message.id);
    case MessageType::error: return callee_ != nullptr || (caller_ != nullptr && caller_->is_ours(message.id));
    default: return false;
  }
}

bool Calls::is_too_late(const Message& message) const {
  return config_.enabled && message.type == MessageType::response && caller_ != nullptr &&
         caller_->is_ours(message.id) && !caller_->waits_for(message.id);
}

bool Calls::on_error(const Message& message) {
  const auto payload =
      is_readable(message) ? decode_error(message.payload) : std::unexpected(MessageError::bad_payload);
  if (payload && payload->reason == ErrorReason::cancelled) {
    if (callee_ != nullptr) callee_->on_cancel(message.id);
    return true;
  }
  if (caller_ == nullptr) return false;
  if (payload) return caller_->on_failure(message, *payload);
  if (!caller_->is_ours(message.id)) return false;
  ++malformed_errors_;  // the call goes on waiting: perhaps there is a better answer
  return true;
}

Caller& Calls::caller() {
  if (caller_ == nullptr) {
    caller_ = std::make_unique<Caller>(config_, out_, events_);
    caller_->on_clock(now_);
  }
  return *caller_;
}

Callee& Calls::callee() {
  if (callee_ == nullptr) {
    callee_ = std::make_unique<Callee>(config_, out_, events_, hash_key_);
    callee_->on_clock(now_);
  }
  return *callee_;
}

Timestamp Calls::deadline() const {
  if (ended_) return kNever;
  const Timestamp of_ours = caller_ == nullptr ? kNever : caller_->deadline();
  const Timestamp of_theirs = callee_ == nullptr ? kNever : callee_->deadline();
  return std::min(of_ours, of_theirs);
}

void Calls::on_clock(Timestamp now) {
  if (ended_) return;
  now_ = now;
  if (caller_ != nullptr) caller_->on_clock(now);
  if (callee_ != nullptr) callee_->on_clock(now);
}

void Calls::end() {
  if (ended_) return;
  ended_ = true;
  if (caller_ != nullptr) caller_->end();
}

std::size_t Calls::memory() const {
  std::size_t total = 0;
  if (caller_ != nullptr) total += sizeof(Caller) + caller_->memory();
  if (callee_ != nullptr) total += sizeof(Callee) + callee_->memory();
  return total;
}

}  // namespace mxp
