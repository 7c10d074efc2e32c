// Who gives way when the memory runs out? What a client holds is what its key holds: with many connections, each of which
// holds little, it takes as much as with one that holds a lot. So the key that holds most in all gives way, and of its
// connections the one that holds most. A client that downloads or uploads over one connection stays, as long as it holds
// less than the largest of all keys do together. Connections that we opened ourselves, and those that are not confirmed,
// belong to no key, and each of them is compared with the keys by itself.
//
// One connection is closed after another, so the next largest is asked for again each time. ConnectionBudget has them in
// heaps. A closed connection costs O(log n), and none is closed twice, so a drive that finds the memory full costs no
// walk over all connections.
#include "endpoint/memory_watch.h"

#include "connection/flows.h"

namespace mxp {

// More handshakes may have been under way at once than the key has places.
void MemoryWatch::on_confirmed(Entry& entry) {
  Parts& parts = parts_of(entry);
  if (const auto reason = budget_.refusal_of_key(parts.peer_key)) {
    close_by_error(parts, {TransportErrorCode::connection_refused, 0, *reason});
    ++stats_.handshakes_refused_for_room;
    ready_.push_back(entry);
  } else {
    budget_.attach(entry, parts.peer_key);
  }
}

void MemoryWatch::count(Entry& entry) {
  Parts& parts = parts_of(entry);
  budget_.set(entry, memory_in_use(parts));
  if (budget_.key_is_over(entry)) shed(entry, "this key's connections hold too much memory");
  if (budget_.is_over()) make_room();
  on_memory_counted(parts, budget_.is_short_for(entry) ? Memory::is_short : Memory::suffices);
}

// It frees at least a sixteenth of the memory.
void MemoryWatch::make_room() {
  while (!budget_.has_room()) {
    ConnectionBudget::Account* const largest = budget_.largest();
    if (largest == nullptr) return;
    shed(static_cast<Entry&>(*largest), "this endpoint is out of memory, and this connection holds much of it");
  }
}

// Its buffers go as soon as its CLOSE has gone out, and are counted no longer.
void MemoryWatch::shed(Entry& entry, std::string_view reason) {
  Parts& parts = parts_of(entry);
  if (!parts.lifecycle.ending) {
    close_by_error(parts, {TransportErrorCode::internal_error, 0, reason});
    ++stats_.connections_shed;
    ready_.push_back(entry);
  }
  budget_.set(entry, memory_in_use(parts));
}

}  // namespace mxp
