// Two applications that do with a connection whatever they are told to, and hold what they hear against a model that
// knows what both of them did: bytes in order, messages, calls and datagrams at most once and whole, outcomes that are
// true, signals that follow where something was refused, nothing after the end. Whoever carries the packets, and
// whatever becomes of them, these things hold; what does not is reported as a violation.
//
//     Conversation talk([&] { return sim.now(); }, [&](std::string text) { problems.push_back(text); });
//     Endpoint client(config, random, talk.client);  …
//     talk.take({.verb = Command::Verb::send_message, .side = Role::client, .size = 100});
//     talk.end();                   // every reader reads, every stream is finished, every call is answered
//     … carry packets until talk.is_settled() or talk.is_over()
//     talk.check_end();
#pragma once

#include <array>
#include <deque>
#include <functional>
#include <iosfwd>
#include <map>
#include <optional>
#include <set>
#include <string>

#include "mxp/connection.h"
#include "mxp/handler.h"
#include "support/pattern.h"

namespace mxp::test {

// One thing that an application does. What the numbers mean depends on the verb; any value of them means something, so
// that a generator or a fuzzer may choose them freely.
struct Command {
  enum class Verb : std::uint8_t {
    open_stream,
    write,
    finish,
    reset,
    stop_sending,
    set_priority,
    send_message,
    cancel_message,
    call,
    cancel_call,
    answer,
    send_datagram,
    cork,
    uncork,
    pause,   // takes no messages and no bytes, or only some of them
    resume,  // takes everything again
    drain,
    close,
  };
  static constexpr std::uint8_t kVerbs = static_cast<std::uint8_t>(Verb::close) + 1;
  enum class When : std::uint8_t { now, in_next_callback };

  Verb verb = Verb::open_stream;
  Role side = Role::client;
  When when = When::now;
  std::uint32_t which = 0;    // of the streams, messages, calls that there are; else a choice
  std::uint32_t size = 0;     // bytes
  std::uint32_t options = 0;  // class, deadline, flags, …
};
std::ostream& operator<<(std::ostream& out, const Command& command);

class Conversation;

// One of the two.
class Talker final : public Handler {
 public:
  Talker(Conversation& all, Role role) : all_(all), role_(role) {}

  void take(const Command& command);
  void end();
  // What this side has done that is still under way, in words; nothing if all of it is settled. In the end a signal has
  // also followed wherever something was refused, unless the connection ended before.
  std::string work_under_way() const;
  std::string signals_owed() const;
  void check_end() const;

  void on_connected(Connection& connection) override;
  void on_stream_opened(Connection&, StreamId id) override;
  std::size_t on_stream_data(Connection&, StreamId id, ByteView data, bool fin) override;
  void on_stream_reset(Connection&, StreamId id, AppErrorCode) override;
  void on_stop_sending(Connection&, StreamId id, AppErrorCode) override;
  void on_stream_writable(Connection&, StreamId id) override;
  void on_stream_finished(Connection&, StreamId id) override;
  void on_streams_available(Connection&, StreamType type) override;
  void on_datagram(Connection&, ByteView data) override;
  void on_datagram_outcome(Connection&, std::uint64_t cookie, DatagramOutcome outcome) override;
  void on_datagrams_writable(Connection&) override;
  bool on_message(Connection&, const Message& message) override;
  void on_messages_expired(Connection&, std::uint64_t count) override;
  void on_message_outcome(Connection&, MessageTicket ticket, MessageOutcome outcome) override;
  void on_messages_writable(Connection&, MessageClass traffic_class) override;
  void on_answer(Connection&, const CallAnswer& answer) override;
  void on_call(Connection&, const IncomingCall& call) override;
  void on_call_cancelled(Connection&, IncomingCallId id, CallEnd) override;
  void on_drain(Connection&, Duration) override;
  bool on_drained(Connection&) override;
  void on_closed(Connection&, const CloseInfo& info) override;

  bool is_connected() const { return connection_ != nullptr; }
  const std::optional<CloseInfo>& closed() const { return closed_; }
  std::uint64_t heard() const { return heard_; }  // callbacks

 private:
  struct Outgoing {  // the sending half of a stream
    std::uint64_t written = 0;
    bool cut_short = false;  // a write was, and nothing said yet that it may go on
    bool ended = false, reset = false, stopped = false, finished = false;
    bool is_over() const { return finished || reset || stopped; }
  };
  struct Incoming {  // the receiving half
    std::uint64_t received = 0;
    bool waits = false;  // for resume, since not all was taken
    bool ended = false, reset = false, stopped = false;
    bool is_over() const { return ended || reset || stopped; }
  };
  struct Sent {  // a message
    MessageType type{};
    std::uint8_t flags = 0;
    std::uint64_t size = 0;
    MessageTicket ticket;
    bool reports = false, repetitive = false, sealed = false, has_deadline = false, cancelled = false;
    bool came = false, acknowledged = false;
    std::optional<MessageClass> channel;  // in which it is ordered
    std::optional<MessageOutcome> outcome;
  };
  struct Called {
    CallId id;
    std::uint64_t size = 0;
    Timestamp over_at{};
    bool cancelled = false, came = false;
    std::optional<CallOutcome> outcome;
    // What the other side answered: how many bytes, or that it failed.
    std::optional<std::uint64_t> answered;
    bool failed = false;
  };
  struct SentDatagram {
    std::uint64_t size = 0;
    bool came = false;
    std::optional<DatagramOutcome> outcome;
  };
  // Callbacks that may come after close() and those that may not.
  enum class AfterClose : std::uint8_t { allowed, not_allowed };

  Talker& peer() const;
  bool honest() const;
  Timestamp now() const;
  void violation(const std::string& text) const;
  void expect(bool holds, const char* text) const {
    if (!holds) violation(text);
  }
  // Of a callback. What was put off until it is done last, or before it is decided how much of something is taken.
  class Callback {
   public:
    explicit Callback(Talker& of, AfterClose after = AfterClose::not_allowed) : of_(of) { of.begin(after); }
    ~Callback() { of_.act(); }

   private:
    Talker& of_;
  };
  void begin(AfterClose after = AfterClose::not_allowed);
  void act();
  void do_it(const Command& command);
  void open_stream(const Command& command);
  void write(StreamId id, Outgoing& out, std::uint64_t size);
  void on_stream_verb(const Command& command);
  void send_message(const Command& command);
  void cancel_message(const Command& command);
  void call(const Command& command);
  void cancel_call(const Command& command);
  enum class Answer : std::uint8_t { data, failure };
  bool answer(std::uint64_t id, std::uint64_t name, Answer how, std::uint64_t size);  // whether the call is over
  void answer(const Command& command);
  void send_datagram(const Command& command);
  void resume();
  void drain(Timestamp deadline);
  void answer_held();
  void finish(StreamId id, Outgoing& out);
  void expect_same(const Message& message, const Sent& sent) const;

  Conversation& all_;
  Role role_;
  Connection* connection_ = nullptr;
  std::deque<Command> in_callbacks_;
  std::uint64_t heard_ = 0;
  std::uint64_t asked_to_take_ = 0;

  std::map<StreamId, Outgoing> outgoing_;
  std::map<StreamId, Incoming> incoming_;
  std::set<StreamType> wanted_streams_;             // refused, and nothing said yet that there are some
  std::map<std::uint64_t, Sent> messages_;          // by id
  std::map<std::uint64_t, std::uint64_t> tickets_;  // to ids
  std::set<MessageClass> full_;                     // refused, and nothing said yet that there is room
  std::array<std::optional<std::uint64_t>, kMessageClasses> refused_;    // the message that this side did not take
  std::array<std::optional<std::uint64_t>, kMessageClasses> last_told_;  // of each channel of the other side
  std::uint64_t expired_of_peer_ = 0;
  std::map<std::uint64_t, Called> calls_;           // by name: the trace id
  std::map<std::uint64_t, std::uint64_t> cookies_;  // CallId to names
  std::map<std::uint64_t, std::uint64_t> held_;     // open calls of the peer, IncomingCallId to names
  std::map<std::uint64_t, SentDatagram> datagrams_;
  bool datagrams_full_ = false;
  unsigned pause_ = 0;  // 0: takes everything; 1: nothing; else: a part
  bool drains_ = false, peer_drains_ = false, refused_consent_ = false, has_drain_deadline_ = false;
  bool close_called_ = false, ends_ = false;
  std::optional<CloseInfo> closed_;
};

class Conversation {
 public:
  Conversation(std::function<Timestamp()> clock, std::function<void(std::string)> violation)
      : clock_(std::move(clock)), violation_(std::move(violation)) {}

  Talker& side(Role role) { return role == Role::client ? client : server; }
  void take(const Command& command) { side(command.side).take(command); }
  // No more commands: what is open is brought to its end.
  void end();
  bool is_settled() const { return unsettled().empty(); }
  std::string unsettled() const;
  bool is_over() const { return client.closed() && server.closed(); }
  // What must hold once it is settled or over.
  void check_end() const;
  // Somebody else has spoken in the name of one side: what is told may be anything, but still comes as the API says.
  void forged() { honest_ = false; }
  // A connection may end for want of an answer.
  bool may_time_out = false;
  std::function<void(Role, Connection&)> connected_hook;

 private:
  friend class Talker;
  std::function<Timestamp()> clock_;
  std::function<void(std::string)> violation_;
  bool honest_ = true;
  std::uint64_t next_name_ = 1;  // of messages, calls and datagrams

 public:
  Talker client{*this, Role::client};
  Talker server{*this, Role::server};
};

}  // namespace mxp::test
