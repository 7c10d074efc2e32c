// The datagrams of one connection that wait to be sent, and what became of those that were (RFC 9221). Four queues, one
// for each class of messages, share one bound on bytes and one on their number. Within a class the order is kept; which
// class sends next is decided above.
//
// Datagrams are never cut and never sent again. One that its packet has no room for waits for the next packet, and one
// that no packet of the path can hold is dropped. Nothing is allocated for a datagram once the queue has been as full
// as it gets.
//
// The application is told nothing from inside a verb: outcomes are kept until tell_outcomes(), so that it may send more
// from inside an event. The object belongs to one thread.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <expected>
#include <memory>
#include <optional>
#include <vector>

#include "core/cursor.h"
#include "core/indexed_heap.h"
#include "core/sent_frame.h"
#include "mxp/config.h"
#include "mxp/datagram.h"
#include "scheduler/chunk_store.h"
#include "scheduler/datagram_events.h"
#include "scheduler/intrusive_list.h"
#include "scheduler/rate_limiter.h"
#include "scheduler/sent_frame_sink.h"

namespace mxp {

// Since the start. Each datagram that was taken and is no longer queued is in one of sent, expired, dropped, too_large.
struct DatagramCounters {
  std::uint64_t sent = 0;
  std::uint64_t acknowledged = 0;  // of those sent
  std::uint64_t lost = 0;          // of those sent
  std::uint64_t expired = 0;
  std::uint64_t dropped = 0;    // with those that DatagramPolicy::drop_newest did not take
  std::uint64_t too_large = 0;  // dropped after they had been taken
};

class Datagrams {
 public:
  Datagrams(const DatagramConfig& config, DatagramEvents& events);
  Datagrams(const Datagrams&) = delete;
  Datagrams& operator=(const Datagrams&) = delete;

  // The largest datagram that the peer has announced to take, in bytes of data; until then, and with 0, none is taken.
  void on_peer_limit(std::size_t bytes) { peer_limit_ = bytes; }
  // The largest that an otherwise empty packet on the path can carry now.
  void set_path_limit(std::size_t bytes) { path_limit_ = bytes; }
  // What send() takes now; 0 if the peer takes none.
  std::size_t largest() const;

  // The latest time that is known here: send() refuses what has expired by then. Otherwise an application that sends
  // such datagrams as soon as there is room would never let go: each would make room for the next.
  void on_clock(Timestamp now) { now_ = now; }

  // Takes a copy of `data`, which may be empty. Never fails with connection_closed.
  std::expected<void, DatagramError> send(ByteView data, const DatagramOptions& options);

  // Whether write() would send something of this class, or drop something, into an empty packet.
  bool has_pending(MessageClass traffic_class, Timestamp now) const;
  bool has_pending(Timestamp now) const;
  // As many datagrams of the class as are due and fit. Each frame is told to `sent` after it was written. Returns
  // whether there was any.
  bool write(MessageClass traffic_class, Timestamp now, Writer& out, SentFrameSink sent);

  // The fate of what `sent` was told: one call for each frame.
  void on_acknowledged(const SentFrame& frame);
  void on_lost(const SentFrame& frame);

  // When expire() has something to do.
  Timestamp deadline() const { return by_expiry_.empty() ? kNever : by_expiry_.top().expires_at; }
  void expire(Timestamp now);
  // When the rate limiter lets a datagram go that it holds back now; kNever if it holds none.
  Timestamp held_until(Timestamp now) const;

  // Tells what has become of datagrams since the last call, and whether there is room again. Not called from inside an
  // event.
  bool has_outcomes() const { return !outcomes_.empty() || writable_is_due(); }
  void tell_outcomes();

  // Nothing is queued or under way, and nothing is left to tell.
  bool all_outcomes_are_told() const {
    return total_.count == 0 && outcomes_.empty() && counters_.sent == counters_.acknowledged + counters_.lost;
  }

  // The connection is over: what is queued is forgotten, and nothing more is told.
  void drop_all();
  // Gives back memory that only a busy time needed.
  void shrink();

  std::size_t queued() const { return total_.count; }
  const DatagramCounters& counters() const { return counters_; }
  std::size_t memory() const;

 private:
  struct Entry {
    ChunkStore::Chain data = ChunkStore::kEmpty;
    std::size_t size = 0;
    MessageClass traffic_class{};
    Timestamp expires_at = kNever;
    std::optional<std::uint64_t> cookie;
    std::size_t place = kNotInHeap;  // among those that expire
    ListLink<Entry> link;            // in its class, or among the free ones
  };
  using Block = std::array<Entry, 16>;
  struct ExpiresBefore {
    bool operator()(const Entry& a, const Entry& b) const { return a.expires_at < b.expires_at; }
  };
  using Queue = IntrusiveList<Entry, &Entry::link>;
  struct Sum {
    std::size_t count = 0;
    std::size_t bytes = 0;
  };
  struct Told {
    std::uint64_t cookie;
    DatagramOutcome outcome;
  };

  static constexpr std::size_t index(MessageClass traffic_class) { return static_cast<std::size_t>(traffic_class); }
  bool fits(const Sum& queued, std::size_t size) const;
  bool make_room(MessageClass traffic_class, std::size_t size);
  bool writable_is_due() const { return blocked_size_ && fits(total_, *blocked_size_); }
  void remove(Entry& entry);
  // Removes it and keeps its outcome, if somebody wants to know.
  void end(Entry& entry, DatagramOutcome outcome, std::uint64_t& counter);

  DatagramConfig config_;
  DatagramEvents& events_;
  RateLimiter limiter_;
  std::size_t peer_limit_ = 0;
  std::size_t path_limit_ = 0;
  Timestamp now_ = Timestamp::min();

  ChunkStore store_;
  std::vector<std::unique_ptr<Block>> blocks_;  // entries never move, because lists and heap point to them
  Queue free_;
  std::array<Queue, kMessageClasses> queues_;
  std::array<Sum, kMessageClasses> sums_;
  Sum total_;
  IndexedHeap<Entry, ExpiresBefore, &Entry::place> by_expiry_;

  std::vector<Told> outcomes_;               // in the order in which they came about
  std::vector<Told> telling_;                // those that tell_outcomes is telling
  std::optional<std::size_t> blocked_size_;  // of the last datagram that DatagramPolicy::block refused
  DatagramCounters counters_;
};

}  // namespace mxp
