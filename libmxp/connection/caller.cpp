#include "connection/caller.h"

#include <algorithm>
#include <array>

#include "message/payload_writer.h"

namespace mxp {
namespace {

using std::chrono::seconds;

// What a Call can say of its time; a longer one is no limit, neither here nor there.
constexpr Duration kLongestTimeout = seconds(std::uint32_t{0} - 1);

// docs/protocol.md §1: rounded up, 0 = no limit.
std::uint32_t seconds_on_the_wire(Duration timeout) {
  if (timeout > kLongestTimeout) return 0;
  return static_cast<std::uint32_t>(std::chrono::ceil<seconds>(timeout).count());
}

CallError call_error(SendMessageError error) {
  switch (error) {
    case SendMessageError::too_large: return CallError::too_large;
    case SendMessageError::not_taken: return CallError::not_taken;
    case SendMessageError::queue_full: return CallError::queue_full;
    case SendMessageError::invalid: break;  // a Call is a known type, and has no flags
    case SendMessageError::connection_closed:
    case SendMessageError::draining: break;         // told by Connection::send_message alone
    case SendMessageError::order_not_taken: break;  // these ask for no order
  }
  return CallError::connection_closed;
}

}  // namespace

std::expected<CallId, CallError> Caller::call(const Uuid& target, ByteView data, const CallOptions& options) {
  if (options.timeout <= Duration::zero()) return std::unexpected(CallError::invalid_timeout);
  if (data.size() > kMaxCallData) return std::unexpected(CallError::too_large);
  const auto id = waiting_.begin(kNotBegun, options.cookie);
  if (!id) return std::unexpected(CallError::too_many);

  std::array<std::uint8_t, kMaxShortMessage> short_payload;
  std::vector<std::uint8_t> long_payload;
  MutableBytes payload(short_payload);
  if (const std::size_t size = kCallPayloadOverhead + data.size(); size > payload.size()) {
    long_payload.resize(size);
    payload = long_payload;
  }
  Writer out(payload);
  write_payload(out, CallPayload{target, seconds_on_the_wire(options.timeout), data});
  const MessageClass traffic_class = options.traffic_class.value_or(message_class(MessageType::call));
  const auto ticket =
      out_.send({.type = MessageType::call, .id = *id, .trace_id = options.trace_id, .payload = out.so_far()},
                {.traffic_class = traffic_class, .compress = options.compress, .seal = options.seal});
  if (!ticket) {
    waiting_.cancel(*id);
    return std::unexpected(call_error(ticket.error()));
  }
  if (waiting_.place_of(*id) == records_.size()) records_.emplace_back();  // places are given out in order
  record_of(*id) = {*ticket, options.timeout, traffic_class};
  ++counters_.made;
  return CallId(*id);
}

bool Caller::cancel(CallId id) {
  const auto call = waiting_.cancel(id.value());
  if (!call) return false;
  const Record& record = record_of(call->id);
  const auto message = out_.cancel(record.message);
  if (message == MessageOutcome::not_sent) return true;  // and the peer has nothing to forget
  std::array<std::uint8_t, kErrorPayloadOverhead> payload;
  Writer out(payload);
  write_payload(out, ErrorPayload{ErrorReason::cancelled, {}});
  // Without room for it the peer answers in vain, or its own time limit ends the call.
  static_cast<void>(
      out_.send({.type = MessageType::error, .id = call->id, .payload = ByteView(payload).first(out.written())},
                {.traffic_class = record.traffic_class, .expires_at = call->deadline}));
  return true;
}

bool Caller::on_response(const Message& response) {
  const auto call = waiting_.finish(response.id);
  if (!call) return note_unmatched(response.id);
  ++counters_.answered;
  events_.on_answer({.call = CallId(call->id),
                     .cookie = call->cookie,
                     .outcome = CallOutcome::answered,
                     .trace_id = response.trace_id,
                     .flags = response.flags,
                     .origin = response.origin,
                     .data = response.payload});
  return true;
}

bool Caller::on_failure(const Message& error, const ErrorPayload& payload) {
  const auto call = waiting_.finish(error.id);
  if (!call) return note_unmatched(error.id);
  ++counters_.answered;
  events_.on_answer({.call = CallId(call->id),
                     .cookie = call->cookie,
                     .outcome = CallOutcome::failed,
                     .trace_id = error.trace_id,
                     .flags = error.flags,
                     .origin = error.origin,
                     .reason = payload.reason,
                     .text = payload.text});
  return true;
}

bool Caller::note_unmatched(std::uint64_t id) {
  if (!waiting_.was_given_out(id)) return false;
  ++counters_.answers_unmatched;
  return true;
}

Timestamp Caller::deadline() const { return std::max(waiting_.next_deadline(), now_); }

void Caller::on_clock(Timestamp now) {
  now_ = now;
  while (waiting_.next_deadline() == kNotBegun) {
    const std::uint64_t id = waiting_.next().id;
    const Duration timeout = record_of(id).timeout;
    const bool limited = timeout <= kLongestTimeout && timeout < kNever - now;
    waiting_.set_deadline(id, limited ? now + timeout : kNever);
  }
  // A call that the application makes from inside an event has no deadline yet, so this comes to an end.
  for (;;) {
    if (waiting_.next_deadline() == kNotBegun || waiting_.next_deadline() > now) return;
    const auto call = waiting_.poll_expired(now);
    // It must not be sent after its time, and the peer need not wait for it.
    out_.cancel(record_of(call->id).message);
    ++counters_.timed_out;
    events_.on_answer({.call = CallId(call->id), .cookie = call->cookie, .outcome = CallOutcome::timed_out});
  }
}

void Caller::end() {
  while (const auto call = waiting_.poll_expired(kNever)) {
    const bool not_sent = out_.cancel(record_of(call->id).message) == MessageOutcome::not_sent;
    events_.on_answer({.call = CallId(call->id),
                       .cookie = call->cookie,
                       .outcome = not_sent ? CallOutcome::not_sent : CallOutcome::unknown});
  }
}

}  // namespace mxp
