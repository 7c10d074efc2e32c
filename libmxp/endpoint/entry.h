// What an endpoint keeps for each connection.
#pragma once

#include <cstddef>
#include <list>
#include <memory>
#include <vector>

#include "connection/access.h"
#include "core/indexed_heap.h"
#include "endpoint/connection_budget.h"
#include "endpoint/ready_queue.h"
#include "mxp/ids.h"
#include "mxp/time.h"

namespace mxp {

// As an account of the budget it can be found by what it holds.
struct Entry final : ReadySignal, ConnectionBudget::Account {
  explicit Entry(ReadyQueue<Entry>& queue_) : queue(queue_) {}
  void on_ready() override { queue.push_back(*this); }

  ReadyQueue<Entry>& queue;
  std::unique_ptr<Connection> connection;
  std::vector<ConnectionId> ids;  // of packets to it
  std::list<Entry>::iterator place;
  Timestamp heap_deadline = kNever;
  std::size_t heap_index = kNotInHeap;
  Entry* next_ready = nullptr;
  Entry* previous_ready = nullptr;
  std::uint64_t silent_in = 0;  // the last call of poll_transmit in which it was driven and sent nothing
  bool ready = false;           // in the ready queue
  bool half_open = false;       // server: not confirmed yet
  bool unanswered = false;      // client: message 2 has not come; it has an id for each attempt
  bool draining = false;        // it has ended and sends nothing any more
};

inline Parts& parts_of(Entry& entry) { return ConnectionAccess::parts(*entry.connection); }

}  // namespace mxp
