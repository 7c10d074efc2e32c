// The calls of the peer that are open: the application has been told of them and has not answered (docs/protocol.md
// §5.3). Each is answered at most once, and forgotten when it is answered, taken back, or when its time is over.
//
// The application names a call by an id of ours, which finds nothing once the call is over, and the peer by its own
// message id. Those ids are the peer's choice, so they are looked up in a hash table with a secret key, where nobody
// can make many of them meet in one place (threat t13). It has as many chains as there have been open calls, and the
// calls of a chain are linked by their places in the table of calls.
//
// The peer decides how many calls it makes, so the application is told of CallConfig::max_incoming at a time; what goes
// beyond is answered with an Error at once. A refusal that finds no room among the messages that wait is not sent.
#pragma once

#include <cstdint>
#include <expected>
#include <string_view>
#include <vector>

#include "connection/call_events.h"
#include "connection/message_wrapper.h"
#include "message/call_table.h"
#include "mxp/config.h"

namespace mxp {

class Callee {
 public:
  struct Counters {
    std::uint64_t taken = 0;      // told to the application
    std::uint64_t refused = 0;    // beyond the limit
    std::uint64_t malformed = 0;  // not of the layout, or with the id of a call that is open
  };

  // `out` and `events` outlive this object. `hash_key` is secret and random.
  Callee(const CallConfig& config, MessageWrapper& out, CallEvents& events, std::uint64_t hash_key)
      : out_(out), events_(events), hash_key_(hash_key | 1), open_(config.max_incoming) {}

  // A Call of the peer, and the Error with which it takes one back.
  void on_call(const Message& message);
  void on_cancel(std::uint64_t id_of_peer);

  // Errors: all but connection_closed. After an error nothing has changed: unless it is unknown_call, the call is still
  // open.
  std::expected<void, AnswerError> answer(IncomingCallId id, ByteView data, const AnswerOptions& options = {});
  std::expected<void, AnswerError> answer_error(IncomingCallId id, ErrorReason reason, std::string_view text);

  Timestamp deadline() const { return open_.next_deadline(); }
  // Forgets the calls whose time is over.
  void on_clock(Timestamp now);

  std::size_t open() const { return open_.size(); }
  const Counters& counters() const { return counters_; }
  std::size_t memory() const {
    return open_.memory_bound() + records_.capacity() * sizeof(Record) + chains_.capacity() * sizeof(Place);
  }

 private:
  using Place = std::uint32_t;
  static constexpr Place kNone = ~Place{0};
  static constexpr std::size_t kFirstChains = 16;

  struct Record {
    std::uint64_t id = 0;  // ours
    std::uint64_t id_of_peer = 0;
    std::uint64_t trace_id = 0;
    Place next = kNone;  // of its chain
  };

  Place& chain_of(std::uint64_t id_of_peer);
  // The link that leads to the open call with this id, or the end of its chain.
  Place& find(std::uint64_t id_of_peer);
  void add_to_chain(Place place);
  void grow_chains();
  void forget(std::uint64_t id);
  void refuse(const Message& call, ErrorReason reason, Timestamp deadline);
  std::expected<void, AnswerError> send(MessageType type, IncomingCallId id, ByteView payload,
                                        const AnswerOptions& options);

  MessageWrapper& out_;
  CallEvents& events_;
  std::uint64_t hash_key_;
  CallTable open_;
  std::vector<Record> records_;  // by place in the table
  std::vector<Place> chains_;    // empty, or its size is a power of two
  Timestamp now_{};
  Counters counters_;
};

}  // namespace mxp
