// What the two applications hear, held against what the other one did.
#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "support/conversation.h"
#include "support/conversation_data.h"

namespace mxp::test {

namespace {

constexpr auto kWrapped =
    static_cast<std::uint8_t>(MessageFlag::compressed) | static_cast<std::uint8_t>(MessageFlag::encrypted);

bool is_same(ByteView a, ByteView b) { return std::ranges::equal(a, b); }

}  // namespace

void Talker::begin(AfterClose after) {
  ++heard_;
  expect(!closed_, "nothing is told after on_closed");
  expect(!close_called_ || after == AfterClose::allowed, "nothing but outcomes and answers is told after close()");
}

void Talker::act() {
  if (in_callbacks_.empty() || connection_ == nullptr) return;
  const Command command = in_callbacks_.front();
  in_callbacks_.pop_front();
  do_it(command);
}

void Talker::on_connected(Connection& connection) {
  const Callback callback(*this);
  expect(connection_ == nullptr, "a connection is made once");
  connection_ = &connection;
  if (all_.connected_hook) all_.connected_hook(role_, connection);
}

// ---- streams

void Talker::on_stream_opened(Connection&, StreamId id) {
  const Callback callback(*this);
  if (honest()) {
    expect(id.initiator() != role_, "the peer opens streams of its own only");
    expect(peer().outgoing_.contains(id), "a stream is opened by somebody");
  }
  expect(!incoming_.contains(id), "a stream is opened once");
  incoming_[id];
  if (id.type() == StreamType::bidirectional) outgoing_[id];
  if (ends_ && connection_ != nullptr && id.type() == StreamType::bidirectional) finish(id, outgoing_[id]);
}

std::size_t Talker::on_stream_data(Connection&, StreamId id, ByteView data, bool fin) {
  begin(AfterClose::allowed);
  act();
  const auto found = incoming_.find(id);
  if (found == incoming_.end()) return violation("data come on a stream that is not open"), data.size();
  Incoming& in = found->second;
  expect(!in.ended && !in.reset, "nothing comes after the end of a stream");
  expect(!in.waits, "what was not taken waits for resume");
  if (honest()) {
    const Outgoing& out = peer().outgoing_[id];
    expect(in.received + data.size() <= out.written, "no more comes than was written");
    expect(matches_pattern(id, peer().role_, in.received, data), "bytes come as they were written, in order");
    expect(!fin || (out.ended && in.received + data.size() == out.written), "a stream ends where it was ended");
  }
  const std::size_t taken = pause_ == 0 ? data.size() : pause_ == 1 ? 0 : data.size() / 2;
  in.received += taken;
  if (taken < data.size()) in.waits = true;
  else in.ended = in.ended || fin;
  return taken;
}

void Talker::on_stream_reset(Connection&, StreamId id, AppErrorCode) {
  const Callback callback(*this);
  Incoming& in = incoming_[id];
  if (honest()) {
    const Outgoing& out = peer().outgoing_[id];
    expect(out.reset || out.stopped, "a stream is reset by somebody");
  }
  expect(!in.reset, "a stream is reset once");
  in.reset = true;
  in.waits = false;
}

void Talker::on_stop_sending(Connection&, StreamId id, AppErrorCode) {
  const Callback callback(*this);
  if (honest()) expect(peer().incoming_[id].stopped, "somebody wants no more data");
  outgoing_[id].stopped = true;
}

void Talker::on_stream_writable(Connection&, StreamId id) {
  const Callback callback(*this);
  Outgoing& out = outgoing_[id];
  expect(out.cut_short, "a stream is writable again where a write was cut short");
  out.cut_short = false;
  if (ends_ && connection_ != nullptr) finish(id, out);
}

void Talker::on_stream_finished(Connection&, StreamId id) {
  const Callback callback(*this);
  Outgoing& out = outgoing_[id];
  expect(out.ended && !out.finished, "a stream is finished once, after it was ended");
  out.finished = true;
}

void Talker::on_streams_available(Connection&, StreamType type) {
  const Callback callback(*this);
  expect(wanted_streams_.erase(type) == 1, "streams are available again where one was refused");
}

// ---- datagrams

void Talker::on_datagram(Connection&, ByteView data) {
  const Callback callback(*this);
  if (!honest()) return;
  std::uint64_t name = 0;
  for (std::size_t i = std::min<std::size_t>(data.size(), 8); i-- > 0;) name = name << 8 | data[i];
  const auto found = peer().datagrams_.find(name);
  if (found == peer().datagrams_.end()) return violation("a datagram comes that nobody sent");
  SentDatagram& sent = found->second;
  expect(!std::exchange(sent.came, true), "a datagram comes once");
  expect(data.size() == sent.size && is_same(data, datagram_data(name, sent.size)), "a datagram comes as it was sent");
  expect(!sent.outcome || *sent.outcome == DatagramOutcome::delivered || *sent.outcome == DatagramOutcome::lost,
         "a datagram that was not sent does not come");
}

void Talker::on_datagram_outcome(Connection&, std::uint64_t cookie, DatagramOutcome outcome) {
  const Callback callback(*this);
  const auto found = datagrams_.find(cookie);
  if (found == datagrams_.end()) return violation("an outcome of no datagram");
  expect(!std::exchange(found->second.outcome, outcome), "a datagram has one outcome");
  if (honest() && outcome == DatagramOutcome::delivered)
    expect(found->second.came || peer().close_called_, "a datagram that was delivered has come");
}

void Talker::on_datagrams_writable(Connection&) {
  const Callback callback(*this);
  expect(std::exchange(datagrams_full_, false), "datagrams are writable again where one was refused");
}

// ---- messages

bool Talker::on_message(Connection&, const Message& message) {
  begin();
  act();  // before it is decided whether the message is taken
  if (!honest()) return pause_ != 1;
  const auto found = (message.type == MessageType::ack ? *this : peer()).messages_.find(message.id);
  if (found == (message.type == MessageType::ack ? *this : peer()).messages_.end())
    return violation("a message comes that nobody sent"), true;
  auto& refused = refused_[static_cast<std::size_t>(message_class(message.type))];
  expect(!refused || *refused == message.id, "a message that was not taken is told before the next of its class");
  if (pause_ == 1 || (pause_ > 1 && ++asked_to_take_ % 3 == 0)) {
    refused = message.id;
    return false;
  }
  refused.reset();
  Sent& sent = found->second;
  if (message.type == MessageType::ack) {
    expect(sent.came && (sent.flags & static_cast<unsigned>(MessageFlag::requires_ack)) != 0,
           "an Ack is for a message that asked for it and was taken");
    expect(!std::exchange(sent.acknowledged, true), "a message is acknowledged once");
    return true;
  }
  expect(!std::exchange(sent.came, true), "a message comes once");
  if (sent.channel) {
    // Names are given in the order in which the messages were sent.
    auto& last = last_told_[static_cast<std::size_t>(*sent.channel)];
    expect(!last || *last < message.id, "ordered messages are told in their order");
    last = message.id;
  }
  expect(sent.outcome != MessageOutcome::not_sent, "a message that was not sent does not come");
  expect_same(message, sent);
  return true;
}

void Talker::expect_same(const Message& message, const Sent& sent) const {
  expect(message.type == sent.type && message.trace_id == ~message.id, "type and trace id are those that were sent");
  expect((message.flags & ~kWrapped) == sent.flags, "flags are those that were sent");
  if ((message.flags & kWrapped) != 0)
    // What waits for its turn to be opened when the connection ends is told as it is.
    return expect(connection_ == nullptr || connection_->state() != ConnectionState::established,
                  "an open connection opens what comes wrapped");
  expect(is_same(message.payload, message_data(message.id, sent.size, sent.repetitive)),
         "a message comes as it was sent");
  const std::uint8_t undone = message.origin == nullptr ? 0 : message.origin->flags;
  expect(sent.sealed == ((undone & static_cast<unsigned>(MessageFlag::encrypted)) != 0), "a seal is told");
  if (sent.sealed && connection_ != nullptr)
    expect(message.origin->sealed_by == connection_->peer_key(), "a seal is the sender's");
}

void Talker::on_messages_expired(Connection&, std::uint64_t count) {
  const Callback callback(*this);
  expired_of_peer_ += count;
}

void Talker::on_message_outcome(Connection&, MessageTicket ticket, MessageOutcome outcome) {
  const Callback callback(*this, AfterClose::allowed);
  const auto name = tickets_.find(ticket.value());
  if (name == tickets_.end()) return violation("an outcome of no message");
  Sent& sent = messages_[name->second];
  expect(sent.reports && !sent.cancelled && !sent.outcome, "a message that asks for it has one outcome");
  sent.outcome = outcome;
  expect(outcome != MessageOutcome::expired || sent.has_deadline, "a message expires that has a deadline");
  if (honest()) expect(outcome != MessageOutcome::not_sent || !sent.came, "a message that came was sent");
  const bool open = connection_ != nullptr && connection_->state() == ConnectionState::established;
  expect(outcome != MessageOutcome::unknown || !open, "an open connection knows what became of a message");
}

void Talker::on_messages_writable(Connection&, MessageClass traffic_class) {
  const Callback callback(*this);
  // It may be told unasked: an Ack, or the word that takes a call back, may have found no room as well.
  full_.erase(traffic_class);
  if (ends_ && connection_ != nullptr) answer_held();
}

// ---- calls

void Talker::on_answer(Connection&, const CallAnswer& answer) {
  const Callback callback(*this, AfterClose::allowed);
  const auto found = calls_.find(answer.cookie);
  if (found == calls_.end()) return violation("an answer to no call");
  Called& called = found->second;
  expect(called.id == answer.call, "an answer names its call");
  expect(!called.cancelled, "nothing is told of a call that was cancelled");
  expect(!std::exchange(called.outcome, answer.outcome), "a call ends once");
  const bool open = connection_ != nullptr && connection_->state() == ConnectionState::established;
  switch (answer.outcome) {
    case CallOutcome::timed_out: return expect(now() >= called.over_at, "a call has all of its time");
    case CallOutcome::unknown: return expect(!open, "an open connection knows what became of a call");
    case CallOutcome::not_sent: return expect(!open && (!called.came || !honest()), "a call that came was sent");
    case CallOutcome::answered:
      if (!honest() || (answer.flags & kWrapped) != 0) return;
      expect(called.answered && is_same(answer.data, message_data(~answer.cookie, *called.answered, false)),
             "an answer comes as it was given");
      return;
    case CallOutcome::failed:
      if (!honest()) return;
      if (answer.reason == ErrorReason::too_many) expect(!called.came, "a call that is refused is not told");
      else expect(answer.reason == ErrorReason(kFailure) && called.failed, "a failure comes as it was given");
  }
}

void Talker::on_call(Connection&, const IncomingCall& call) {
  const Callback callback(*this);
  const std::uint64_t name = call.trace_id;
  if (honest()) {
    const auto found = peer().calls_.find(name);
    if (found == peer().calls_.end()) return violation("a call comes that nobody made");
    Called& called = found->second;
    expect(!std::exchange(called.came, true), "a call comes once");
    expect(is_same(call.data, message_data(name, called.size, false)), "a call comes as it was made");
    expect(called.outcome != CallOutcome::not_sent, "a call that was not sent does not come");
  }
  expect(held_.emplace(call.id.value(), name).second, "no two calls are named alike");
  if (connection_ == nullptr || (name % 2 == 1 && !ends_)) return;
  const Answer how = name % 4 == 0 ? Answer::data : Answer::failure;
  if (answer(call.id.value(), name, how, name * 37 % 3000)) held_.erase(call.id.value());
}

void Talker::on_call_cancelled(Connection&, IncomingCallId id, CallEnd) {
  const Callback callback(*this);
  expect(held_.erase(id.value()) == 1, "a call is over that was open");
}

// ---- the end

void Talker::on_drain(Connection&, Duration) {
  const Callback callback(*this);
  expect(!std::exchange(peer_drains_, true), "a drain is told once");
  expect(!honest() || peer().drains_, "somebody drains");
}

bool Talker::on_drained(Connection&) {
  const Callback callback(*this);
  expect(drains_ || peer_drains_, "nobody is asked who does not drain");
  if (ends_ || refused_consent_ || heard_ % 3 != 0) return true;
  refused_consent_ = true;
  return false;
}

void Talker::on_closed(Connection&, const CloseInfo& info) {
  const Callback callback(*this, AfterClose::allowed);
  expect(!closed_, "a connection ends once");
  closed_ = info;
  connection_ = nullptr;
  for (const auto& [name, sent] : messages_)
    expect(!sent.reports || sent.outcome, "every outcome is told before on_closed");
  for (const auto& [name, called] : calls_)
    expect(called.outcome || called.cancelled, "every answer is told before on_closed");
  if (!honest()) return;
  const bool asked = close_called_ || peer().close_called_;
  const bool drained = (drains_ || peer_drains_) && info.code == 0 && info.reason == "drained";
  const bool deadline = (has_drain_deadline_ || peer().has_drain_deadline_) &&
                        info.code == static_cast<std::uint64_t>(TransportErrorCode::drain_deadline);
  // A CLOSE may be lost, and is not repeated to somebody who is silent.
  const bool timeout = (all_.may_time_out || peer().closed_) && info.by == CloseInfo::By::timeout;
  if (!timeout && !(info.application ? asked || drained : deadline))
    violation(fmt::format("closed without a cause: code {}, {}", info.code, info.reason));
}

std::string Talker::work_under_way() const {
  const auto nth = [&](const char* what, std::uint64_t name) {
    return fmt::format("{}: {} {}; ", role_ == Role::client ? "client" : "server", what, name);
  };
  for (const auto& [id, out] : outgoing_)
    if (!out.is_over()) return nth(out.ended ? "not acknowledged stream" : "unfinished stream", id.value());
  std::uint64_t missing = 0;
  for (const auto& [name, sent] : messages_) {
    if (sent.reports && !sent.outcome) return nth("no outcome of message", name);
    if (sent.outcome == MessageOutcome::delivered && !sent.came) return nth("not told: message", name);
    if (!sent.came && sent.outcome != MessageOutcome::not_sent) ++missing;
  }
  if (missing > peer().expired_of_peer_)
    return nth("messages neither came nor expired, beyond", peer().expired_of_peer_);
  for (const auto& [name, called] : calls_)
    if (!called.outcome && !called.cancelled) return nth("no answer to call", name);
  for (const auto& [id, in] : incoming_)
    if (!in.is_over()) return nth("no end of stream", id.value());
  return held_.empty() || closed_ ? "" : nth("held calls", held_.size());
}

std::string Talker::signals_owed() const {
  const std::string who = role_ == Role::client ? "client: " : "server: ";
  if (!full_.empty() && !drains_ && !peer_drains_)
    return who + fmt::format("nothing says that class {} is writable; ", static_cast<int>(*full_.begin()));
  if (!wanted_streams_.empty() && !drains_ && !peer_drains_) return who + "nothing says that there are streams; ";
  if (datagrams_full_ && !drains_ && !peer_drains_) return who + "nothing says that datagrams are writable; ";
  for (const auto& [id, out] : outgoing_)
    if (out.cut_short && !out.is_over() && !out.ended)
      return who + fmt::format("nothing says that stream {} is writable; ", id.value());
  return "";
}

void Talker::check_end() const {
  if (!honest()) return;
  if (!closed_) return;
  if (closed_->application && closed_->reason == "drained") {
    const std::string left = work_under_way();
    if (!left.empty()) violation("drained with something under way: " + left);
  }
}

}  // namespace mxp::test
