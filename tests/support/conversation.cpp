// What the two applications do. What they hear is in conversation_heard.cpp.
#include "support/conversation.h"

#include <fmt/format.h>

#include <algorithm>
#include <ostream>
#include <string_view>
#include <utility>

#include "support/conversation_data.h"

namespace mxp::test {

namespace {

constexpr std::array<std::string_view, Command::kVerbs> kVerbNames = {
    "open_stream",  "write",          "finish", "reset",       "stop_sending", "set_priority",
    "send_message", "cancel_message", "call",   "cancel_call", "answer",       "send_datagram",
    "cork",         "uncork",         "pause",  "resume",      "drain",        "close"};

constexpr std::array<MessageType, 8> kTypes = {
    MessageType::agent_register, MessageType::agent_heartbeat, MessageType::event, MessageType::stream_open,
    MessageType::stream_chunk,   MessageType::stream_close,    MessageType(0x80),  MessageType(0xEF)};

bool is_ordered(std::uint32_t options) { return (options >> 20) % 2 != 0; }
MessageClass class_of(std::uint32_t choice) { return static_cast<MessageClass>(choice % kMessageClasses); }
PayloadCompression compression_of(std::uint32_t options) {
  return (options >> 8) % 4 == 0 ? PayloadCompression::zstd : PayloadCompression::none;
}
PayloadSealing sealing_of(std::uint32_t options) {
  return (options >> 10) % 8 == 0 ? PayloadSealing::to_peer : PayloadSealing::none;
}
// A deadline for one of four, 1 to 128 ms away.
Timestamp deadline_of(std::uint32_t options, Timestamp now) {
  return (options >> 13) % 4 == 0 ? now + std::chrono::milliseconds(1 << (options >> 15) % 8) : kNever;
}

template <typename Map>
auto pick(Map& map, std::uint32_t which) {
  return std::next(map.begin(), static_cast<std::ptrdiff_t>(which % map.size()));
}

}  // namespace

std::ostream& operator<<(std::ostream& out, const Command& it) {
  return out << fmt::format("{} {}{} which {} size {} options {:#x}", it.side == Role::client ? "client" : "server",
                            kVerbNames[static_cast<std::size_t>(it.verb)],
                            it.when == Command::When::now ? "" : " in its next callback", it.which, it.size,
                            it.options);
}

void Conversation::end() {
  client.end();
  server.end();
}

std::string Conversation::unsettled() const {
  return client.work_under_way() + client.signals_owed() + server.work_under_way() + server.signals_owed();
}

void Conversation::check_end() const {
  client.check_end();
  server.check_end();
}

Talker& Talker::peer() const { return all_.side(role_ == Role::client ? Role::server : Role::client); }
bool Talker::honest() const { return all_.honest_; }
Timestamp Talker::now() const { return all_.clock_(); }
void Talker::violation(const std::string& text) const {
  all_.violation_(fmt::format("{}: {}", role_ == Role::client ? "client" : "server", text));
}

void Talker::take(const Command& command) {
  if (connection_ == nullptr) return;
  if (command.when == Command::When::in_next_callback) in_callbacks_.push_back(command);
  else do_it(command);
}

void Talker::do_it(const Command& command) {
  switch (command.verb) {
    case Command::Verb::open_stream: return open_stream(command);
    case Command::Verb::write:
    case Command::Verb::finish:
    case Command::Verb::reset:
    case Command::Verb::stop_sending:
    case Command::Verb::set_priority: return on_stream_verb(command);
    case Command::Verb::send_message: return send_message(command);
    case Command::Verb::cancel_message: return cancel_message(command);
    case Command::Verb::call: return call(command);
    case Command::Verb::cancel_call: return cancel_call(command);
    case Command::Verb::answer: return answer(command);
    case Command::Verb::send_datagram: return send_datagram(command);
    case Command::Verb::cork: return connection_->cork();
    case Command::Verb::uncork: return connection_->uncork();
    case Command::Verb::pause: pause_ = 1 + command.options % 3; return;
    case Command::Verb::resume: return resume();
    case Command::Verb::drain:
      has_drain_deadline_ = has_drain_deadline_ || command.options % 4 == 0;
      return drain(command.options % 4 == 0 ? now() + std::chrono::milliseconds(command.size % 5000) : kNever);
    case Command::Verb::close:
      // Rare, so that others live on.
      if (command.options % 8 != 0) return;
      close_called_ = close_called_ || connection_->state() == ConnectionState::established;
      return connection_->close(7, "enough");
  }
}

void Talker::open_stream(const Command& command) {
  const auto type = command.options % 2 == 0 ? StreamType::unidirectional : StreamType::bidirectional;
  const auto id = connection_->open_stream(type);
  if (!id) {
    if (id.error() == StreamError::limit_reached) wanted_streams_.insert(type);
    if (drains_ || peer_drains_)
      expect(id.error() == StreamError::draining || id.error() == StreamError::connection_closed,
             "a draining connection says so");
    return;
  }
  expect(!drains_ && !peer_drains_ && !closed_, "no stream is opened on a connection that drains or has ended");
  if (type == StreamType::bidirectional) incoming_[*id];
  write(*id, outgoing_[*id], command.size);
}

void Talker::write(StreamId id, Outgoing& out, std::uint64_t size) {
  std::vector<std::uint8_t> data(size);
  fill_pattern(id, role_, out.written, data);
  const auto taken = connection_->write(id, data);
  if (!taken) {
    const auto stopped = peer().incoming_.find(id);
    expect(!honest() || out.ended || out.is_over() || connection_->state() != ConnectionState::established ||
               (stopped != peer().incoming_.end() && stopped->second.stopped),
           "an open stream takes data");
    return;
  }
  expect(!out.ended && !out.reset, "a stream that was ended or reset takes no data");
  expect(*taken <= size, "no more is taken than was offered");
  out.written += *taken;
  if (size != 0) out.cut_short = *taken < size;
}

void Talker::finish(StreamId id, Outgoing& out) {
  if (!out.reset && connection_->finish(id)) out.ended = true;
}

void Talker::on_stream_verb(const Command& command) {
  if (command.verb == Command::Verb::stop_sending) {
    if (incoming_.empty()) return;
    auto& [id, in] = *pick(incoming_, command.which);
    if (connection_->stop_sending(id, 9)) in.stopped = true;
    return;
  }
  if (outgoing_.empty()) return;
  auto& [id, out] = *pick(outgoing_, command.which);
  switch (command.verb) {
    case Command::Verb::write: return write(id, out, command.size);
    case Command::Verb::finish: return finish(id, out);
    case Command::Verb::reset:
      if (connection_->reset(id, 8)) out.reset = true;
      return;
    default:
      (void)connection_->set_priority(id, {.traffic_class = class_of(command.options),
                                           .urgency = static_cast<std::uint8_t>(command.size % 9),
                                           .weight = static_cast<std::uint8_t>(command.size),
                                           .incremental = command.options % 8 < 4});
  }
}

void Talker::send_message(const Command& command) {
  const std::uint64_t name = all_.next_name_;
  Sent sent{.type = kTypes[command.which % kTypes.size()],
            .flags = static_cast<std::uint8_t>((command.options >> 4) % 4 * 4),  // REQUIRES_ACK, FINAL
            .size = command.size};
  sent.repetitive = compression_of(command.options) == PayloadCompression::zstd;
  sent.sealed = sealing_of(command.options) == PayloadSealing::to_peer;
  sent.reports = (command.options >> 6) % 4 != 0;
  if (is_ordered(command.options)) sent.channel = class_of(command.options);
  const MessageOptions options{.traffic_class = class_of(command.options),
                               .expires_at = deadline_of(command.options, now()),
                               .report_outcome = sent.reports,
                               .order = sent.channel ? MessageOrder::in_class : MessageOrder::any,
                               .compress = compression_of(command.options),
                               .seal = sealing_of(command.options)};
  sent.has_deadline = options.expires_at != kNever;
  const std::vector<std::uint8_t> payload = message_data(name, sent.size, sent.repetitive);
  const auto ticket = connection_->send_message(
      {.type = sent.type, .flags = sent.flags, .id = name, .trace_id = ~name, .payload = payload}, options);
  if (ticket) {
    expect(!drains_ && !peer_drains_ && !closed_, "nothing is sent on a connection that drains or has ended");
    ++all_.next_name_;
    sent.ticket = *ticket;
    expect(tickets_.emplace(ticket->value(), name).second, "no two tickets are equal");
    messages_.emplace(name, sent);
    return;
  }
  switch (ticket.error()) {
    case SendMessageError::queue_full: full_.insert(*options.traffic_class); return;
    case SendMessageError::too_large: return expect(sent.size > 1000, "what fits into a packet is not too large");
    case SendMessageError::connection_closed:
      return expect(connection_->state() != ConnectionState::established, "an open connection takes messages");
    case SendMessageError::draining: return;
    case SendMessageError::not_taken:
    case SendMessageError::order_not_taken:
    case SendMessageError::invalid: return violation("a good message is refused");
  }
}

void Talker::cancel_message(const Command& command) {
  if (messages_.empty()) return;
  auto& [name, sent] = *pick(messages_, command.which);
  const auto outcome = connection_->cancel_message(sent.ticket);
  if (!outcome) return;
  expect(!sent.outcome, "what has its outcome is not cancelled");
  expect(*outcome == MessageOutcome::not_sent || *outcome == MessageOutcome::expired, "a cancelled message expires");
  sent.cancelled = true;
  sent.outcome = *outcome;
}

void Talker::call(const Command& command) {
  const std::uint64_t name = all_.next_name_;
  Called called{.size = command.size};
  const Duration timeout = std::chrono::milliseconds(1 + (command.options >> 2) % 4096);
  const CallOptions options{.timeout = timeout,
                            .trace_id = name,
                            .cookie = name,
                            .traffic_class = class_of(command.options),
                            .compress = compression_of(command.options),
                            .seal = sealing_of(command.options)};
  const auto id = connection_->call(Uuid{7}, message_data(name, called.size, false), options);
  if (id) {
    expect(!drains_ && !peer_drains_ && !closed_, "nobody is called on a connection that drains or has ended");
    ++all_.next_name_;
    called.id = *id;
    called.over_at = now() + timeout;
    calls_.emplace(name, called);
    return;
  }
  switch (id.error()) {
    case CallError::queue_full: full_.insert(*options.traffic_class); return;
    case CallError::too_large: return expect(called.size > 900, "what fits into a packet is not too large");
    case CallError::too_many:
    case CallError::draining: return;
    case CallError::connection_closed:
      return expect(connection_->state() != ConnectionState::established, "an open connection takes calls");
    case CallError::not_enabled:
    case CallError::invalid_timeout:
    case CallError::not_taken: return violation("a good call is refused");
  }
}

void Talker::cancel_call(const Command& command) {
  if (calls_.empty()) return;
  Called& called = pick(calls_, command.which)->second;
  const bool waited = connection_->cancel_call(called.id);
  expect(waited == (!called.outcome && !called.cancelled) || connection_->state() != ConnectionState::established,
         "a call can be cancelled until it has ended, and once");
  if (waited) called.cancelled = true;
}

void Talker::answer(const Command& command) {
  if (held_.empty()) return;
  const auto [id, name] = *pick(held_, command.which);
  if (answer(id, name, command.options % 4 == 0 ? Answer::failure : Answer::data, command.size)) held_.erase(id);
}

bool Talker::answer(std::uint64_t id, std::uint64_t name, Answer how, std::uint64_t size) {
  const auto found = peer().calls_.find(name);
  // Before the verb, which may do its work at once.
  const std::vector<std::uint8_t> data = message_data(~name, size, false);
  const AnswerOptions options{.compress = compression_of(static_cast<std::uint32_t>(name)),
                              .seal = sealing_of(static_cast<std::uint32_t>(name))};
  const auto answered = how == Answer::data
                            ? connection_->answer(IncomingCallId(id), data, options)
                            : connection_->answer_error(IncomingCallId(id), ErrorReason(kFailure), "no");
  if (answered) {
    if (honest() && found != peer().calls_.end()) {
      expect(!found->second.answered && !found->second.failed, "a call is answered once");
      if (how == Answer::data) found->second.answered = size;
      else found->second.failed = true;
    }
    return true;
  }
  switch (answered.error()) {
    case AnswerError::queue_full: full_.insert(MessageClass::critical); return false;
    case AnswerError::connection_closed: return false;
    case AnswerError::too_large: return expect(size > 900, "what fits into a packet is not too large"), false;
    default: violation("an open call is not answered"); return true;
  }
}

void Talker::answer_held() {
  for (const auto& [id, name] : std::map(held_))
    if (held_.contains(id) && answer(id, name, Answer::data, 10)) held_.erase(id);
}

void Talker::send_datagram(const Command& command) {
  const std::uint64_t name = all_.next_name_;
  const std::uint64_t size = 8 + command.size % 1500;
  const bool reports = (command.options >> 6) % 4 != 0;
  const DatagramOptions options{.traffic_class = class_of(command.options),
                                .policy = static_cast<DatagramPolicy>((command.options >> 4) % 3),
                                .expires_at = deadline_of(command.options, now()),
                                .cookie = reports ? std::optional(name) : std::nullopt};
  const auto taken = connection_->send_datagram(datagram_data(name, size), options);
  if (taken) {
    expect(!drains_ && !peer_drains_ && !closed_, "nothing is sent on a connection that drains or has ended");
    ++all_.next_name_;
    datagrams_.emplace(name, SentDatagram{.size = size});
    return;
  }
  using Kind = DatagramError::Kind;
  switch (taken.error().kind) {
    case Kind::queue_full:
      if (options.policy == DatagramPolicy::block) datagrams_full_ = true;
      return;
    case Kind::too_large: return expect(size > taken.error().limit, "what is too large is beyond the limit");
    case Kind::connection_closed:
      return expect(connection_->state() != ConnectionState::established, "an open connection takes datagrams");
    case Kind::draining: return;
    case Kind::expired:
    case Kind::not_taken_by_peer: return violation("a good datagram is refused");
  }
}

void Talker::resume() {
  pause_ = 0;
  connection_->resume_messages();
  std::vector<StreamId> waiting;
  for (auto& [id, in] : incoming_)
    if (std::exchange(in.waits, false)) waiting.push_back(id);
  for (const StreamId id : waiting)
    if (connection_ != nullptr) (void)connection_->resume(id);
}

void Talker::drain(Timestamp deadline) {
  if (connection_->drain(deadline)) drains_ = true;
  else expect(connection_->state() != ConnectionState::established, "an open connection drains");
}

void Talker::end() {
  ends_ = true;
  in_callbacks_.clear();
  if (connection_ == nullptr) return;
  connection_->uncork();
  resume();
  // One whose last write was cut short is finished when it may go on.
  for (auto& [id, out] : outgoing_)
    if (!out.ended && !out.cut_short) finish(id, out);
  answer_held();
  if (refused_consent_) drain(kNever);
}

}  // namespace mxp::test
