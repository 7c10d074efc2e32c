// The connections of an endpoint, each from its opening until it is forgotten: which ids lead to it, whether it waits for
// its turn to send, when its deadline comes, and which of the counts of the endpoint it is part of.
//
// Whoever has driven a connection says so: after_input, after_transmit. Everything here follows from what the connection has
// become by then. A reference to an entry is good until one of these two is called for it, since they free a connection that
// is closed.
#pragma once

#include <cstddef>
#include <list>
#include <memory>
#include <optional>
#include <vector>

#include "endpoint/admission.h"
#include "endpoint/deadline_heap.h"
#include "endpoint/entry.h"
#include "endpoint/id_index.h"
#include "endpoint/memory_watch.h"
#include "endpoint/recent_transmits.h"
#include "mxp/endpoint.h"

namespace mxp {

class ConnectionTable {
 public:
  // All references outlive the table.
  ConnectionTable(const EndpointConfig& config, Random& random, Admission& admission, ConnectionBudget& budget,
                  EndpointStats& stats);

  // An id that nobody has, for add().
  ConnectionId fresh_id() { return index_.fresh(*id_source_); }
  // Adds the connection that `open(ReadySignal&)` returns. If that is null, nothing is added, and the result is null.
  template <typename Open>
  Entry* add(ConnectionId id, Open&& open);

  std::size_t size() const { return entries_.size(); }
  std::list<Entry>& entries() { return entries_; }
  // Null: nobody has it.
  Entry* find(ConnectionId id) { return index_.find(id); }
  // Calls `visit(Entry&)` once for each connection that sent to `remote` not long ago (recent_transmits.h).
  template <typename Visit>
  void for_each_recent_sender(const SocketAddress& remote, Visit&& visit) {
    recent_transmits_.for_each(remote, std::forward<Visit>(visit));
  }

  // Those that have something to send. A connection joins by itself, too, when the application has used it.
  ReadyQueue<Entry>& ready() { return ready_; }
  Timestamp first_deadline() const { return deadlines_.next(); }
  // Those whose deadline has come, each of them once. They have no deadline until after_input gives them the next one.
  const std::vector<Entry*>& take_due(Timestamp now);
  // A client that tries more than one suite: begins the next attempt, with an id of its own, if it is time.
  void begin_attempt_if_due(Entry& entry, Timestamp now);

  // After any flow but transmit ran over the connection.
  void after_input(Entry& entry, Timestamp now);
  // After transmit, which returned `sent`. REQUIRES: it was taken from ready() before.
  void after_transmit(Entry& entry, Timestamp now, const std::optional<Transmit>& sent);

  std::size_t half_open() const { return half_open_; }    // servers' that are not confirmed
  std::size_t unanswered() const { return unanswered_; }  // clients' that wait for message 2
  std::size_t draining() const { return draining_; }      // that have ended and send nothing any more

 private:
  void join(Entry& entry, ConnectionId id);
  void after_drive(Entry& entry, Timestamp now);
  void count_memory(Entry& entry);
  void leave_half_open_if_decided(Entry& entry);
  void trace_if_never_accepted(Parts& parts, Timestamp now);
  void count_if_silent(Entry& entry);
  void free_ids_of_attempts_if_over(Entry& entry);
  void keep_ids(Entry& entry, Timestamp now);
  void register_id(Entry& entry, ConnectionId id);
  void forget_all_ids_but(Entry& entry, std::optional<ConnectionId> kept);
  void remove(Entry& entry, Timestamp now);

  Admission& admission_;
  ConnectionBudget& budget_;
  EndpointStats& stats_;

  const std::unique_ptr<IdSource> id_source_;
  std::list<Entry> entries_;  // owns the connections
  IdIndex<Entry> index_;
  DeadlineHeap<Entry> deadlines_;
  ReadyQueue<Entry> ready_;
  MemoryWatch memory_{budget_, ready_, stats_};
  RecentTransmits<Entry> recent_transmits_;
  std::vector<Entry*> due_;
  std::size_t half_open_ = 0;
  std::size_t unanswered_ = 0;
  std::size_t draining_ = 0;
};

template <typename Open>
Entry* ConnectionTable::add(ConnectionId id, Open&& open) {
  Entry& added = entries_.emplace_back(ready_);
  added.place = std::prev(entries_.end());
  added.connection = open(static_cast<ReadySignal&>(added));
  if (!added.connection) {
    entries_.erase(added.place);
    return nullptr;
  }
  join(added, id);
  return &added;
}

}  // namespace mxp
