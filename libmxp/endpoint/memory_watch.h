// Counts what the connections hold after each drive, and closes those that hold most when it is too much (threat t56).
#pragma once

#include <string_view>

#include "endpoint/entry.h"
#include "mxp/stats.h"

namespace mxp {

class MemoryWatch {
 public:
  MemoryWatch(ConnectionBudget& budget, ReadyQueue<Entry>& ready, EndpointStats& stats)
      : budget_(budget), ready_(ready), stats_(stats) {}

  // The connection of a client has been confirmed, and counts for the client's key from now on.
  void on_confirmed(Entry& entry);
  // The connection was driven.
  void count(Entry& entry);

 private:
  void make_room();
  void shed(Entry& entry, std::string_view reason);

  ConnectionBudget& budget_;
  ReadyQueue<Entry>& ready_;
  EndpointStats& stats_;
};

}  // namespace mxp
