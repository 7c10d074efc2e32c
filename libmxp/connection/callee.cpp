#include "connection/callee.h"

#include <algorithm>
#include <array>
#include <bit>
#include <utility>

#include "core/split_mix.h"
#include "core/utf8.h"
#include "core/work.h"
#include "message/payload_writer.h"

namespace mxp {
namespace {

using std::chrono::seconds;

AnswerError answer_error_of(SendMessageError error) {
  switch (error) {
    case SendMessageError::too_large: return AnswerError::too_large;
    case SendMessageError::invalid: return AnswerError::invalid;
    case SendMessageError::not_taken: return AnswerError::not_taken;
    case SendMessageError::queue_full: return AnswerError::queue_full;
    case SendMessageError::connection_closed:
    case SendMessageError::draining: break;         // told by Connection::send_message alone
    case SendMessageError::order_not_taken: break;  // these ask for no order
  }
  return AnswerError::connection_closed;
}

}  // namespace

void Callee::on_call(const Message& message) {
  if (open_.size() != 0 && find(message.id) != kNone) {
    // An answer would end the call that is open as well, so there is none.
    ++counters_.malformed;
    return;
  }
  const auto payload = decode_call(message.payload);
  if (!payload) {
    ++counters_.malformed;
    return refuse(message, ErrorReason::bad_payload, kNever);
  }
  const Duration limit = payload->timeout_seconds == 0 ? Duration::max() : seconds(payload->timeout_seconds);
  const Timestamp deadline = limit < kNever - now_ ? now_ + limit : kNever;
  const auto id = open_.begin(deadline, message.id);
  if (!id) {
    ++counters_.refused;
    return refuse(message, ErrorReason::too_many, deadline);
  }
  const std::size_t place = open_.place_of(*id);
  if (place == records_.size()) records_.emplace_back();  // bounded by max_incoming, as the table is
  records_[place] = {.id = *id, .id_of_peer = message.id, .trace_id = message.trace_id};
  add_to_chain(static_cast<Place>(place));
  ++counters_.taken;
  events_.on_call({.id = IncomingCallId(*id),
                   .trace_id = message.trace_id,
                   .target = payload->target,
                   .time_left = limit,
                   .data = payload->data,
                   .origin = message.origin});
}

void Callee::on_cancel(std::uint64_t id_of_peer) {
  if (open_.size() == 0) return;
  const Place place = find(id_of_peer);
  if (place == kNone) return;  // it was answered, or its time was over
  const std::uint64_t id = records_[place].id;
  forget(id);
  events_.on_call_cancelled(IncomingCallId(id), CallEnd::cancelled);
}

std::expected<void, AnswerError> Callee::answer(IncomingCallId id, ByteView data, const AnswerOptions& options) {
  return send(MessageType::response, id, data, options);
}

std::expected<void, AnswerError> Callee::answer_error(IncomingCallId id, ErrorReason reason, std::string_view text) {
  if (text.size() > kMaxAnswerText) return std::unexpected(AnswerError::too_large);
  std::array<std::uint8_t, kMaxShortMessage> payload;
  Writer out(payload);
  if (reason == ErrorReason::cancelled || !write_payload(out, ErrorPayload{reason, text}))
    return std::unexpected(AnswerError::invalid);
  return send(MessageType::error, id, ByteView(payload).first(out.written()), {});
}

std::expected<void, AnswerError> Callee::send(MessageType type, IncomingCallId id, ByteView payload,
                                              const AnswerOptions& options) {
  const CallTable::Call* const call = open_.find(id.value());
  if (call == nullptr) return std::unexpected(AnswerError::unknown_call);
  const Record& record = records_[open_.place_of(id.value())];
  const auto ticket =
      out_.send({.type = type, .id = record.id_of_peer, .trace_id = record.trace_id, .payload = payload},
                {.traffic_class = MessageClass::critical,
                 .expires_at = call->deadline,
                 .compress = options.compress,
                 .seal = options.seal});
  if (!ticket) return std::unexpected(answer_error_of(ticket.error()));
  forget(id.value());
  return {};
}

void Callee::refuse(const Message& call, ErrorReason reason, Timestamp deadline) {
  std::array<std::uint8_t, kErrorPayloadOverhead> payload;
  Writer out(payload);
  write_payload(out, ErrorPayload{reason, {}});
  static_cast<void>(
      out_.send({.type = MessageType::error, .id = call.id, .trace_id = call.trace_id, .payload = payload},
                {.traffic_class = MessageClass::critical, .expires_at = deadline}));
}

void Callee::on_clock(Timestamp now) {
  now_ = now;
  while (open_.next_deadline() <= now && open_.size() != 0) {
    const std::uint64_t id = open_.next().id;
    forget(id);
    events_.on_call_cancelled(IncomingCallId(id), CallEnd::timed_out);
  }
}

Callee::Place& Callee::chain_of(std::uint64_t id_of_peer) {
  return chains_[split_mix(id_of_peer * hash_key_) & (chains_.size() - 1)];
}

Callee::Place& Callee::find(std::uint64_t id_of_peer) {
  Place* link = &chain_of(id_of_peer);
  for (; *link != kNone && records_[*link].id_of_peer != id_of_peer; link = &records_[*link].next) MXP_WORK(1);
  return *link;
}

void Callee::add_to_chain(Place place) {
  if (records_.size() > chains_.size()) return grow_chains();
  Place& first = chain_of(records_[place].id_of_peer);
  records_[place].next = std::exchange(first, place);
}

// Makes all chains anew, that of a call that has just been put into its place included. A place is added only when all
// others are taken, so all of them hold open calls.
void Callee::grow_chains() {
  chains_.assign(std::max(std::bit_ceil(records_.size()), kFirstChains), kNone);
  for (std::size_t place = 0; place != records_.size(); ++place) {
    Record& record = records_[place];
    Place& first = chain_of(record.id_of_peer);
    record.next = std::exchange(first, static_cast<Place>(place));
  }
}

void Callee::forget(std::uint64_t id) {
  Record& record = records_[open_.place_of(id)];
  Place& link = find(record.id_of_peer);
  link = record.next;
  open_.finish(id);
}

}  // namespace mxp
