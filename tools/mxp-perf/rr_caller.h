// Call and response: each stream has at most one call outstanding. Closed loop: the next call leaves when the response
// is there. Open loop: calls are due at fixed times; a call that finds every stream busy waits, and its latency counts
// from when it was due, so that a slow answer is not hidden by calls that were never made (coordinated omission).
#pragma once

#include <deque>
#include <functional>
#include <unordered_map>
#include <vector>

#include "mxp-perf/latency_histogram.h"
#include "mxp/connection.h"
#include "mxp/time.h"

namespace mxp::perf {

class RrCaller {
 public:
  RrCaller(std::uint64_t size, std::function<Timestamp()> now);

  // Takes a stream of a connection into use; with `call_at_once` its first call leaves now.
  void add_stream(Connection& connection, StreamId id, bool call_at_once);
  // Open loop: a call is due.
  void call_due(Timestamp due);
  void on_data(Connection& connection, StreamId id, std::size_t count);
  void on_writable(Connection& connection, StreamId id);

  // From now on responses count.
  void begin_measuring() { measuring_ = true; }
  // No new calls.
  void stop() { stopped_ = true; }
  bool idle() const { return outstanding_ == 0; }

  const LatencyHistogram& latency() const { return latency_; }
  const LatencyHistogram& service_time() const { return service_time_; }

 private:
  struct Line {
    Connection* connection = nullptr;
    StreamId id;
    std::uint64_t to_write = 0;    // of the call
    std::uint64_t to_receive = 0;  // of the response; 0 = idle
    Timestamp due{};
    Timestamp sent{};
  };
  struct Key {
    const Connection* connection;
    std::uint64_t id;
    bool operator==(const Key&) const = default;
  };
  struct KeyHash {
    std::size_t operator()(const Key& key) const {
      return std::hash<const void*>()(key.connection) ^ (key.id * 0x9e3779b97f4a7c15);
    }
  };

  void call(Line& line, Timestamp due);
  void write(Line& line);

  std::vector<std::uint8_t> request_;
  std::function<Timestamp()> now_;
  std::unordered_map<Key, Line, KeyHash> lines_;
  std::deque<Line*> idle_;         // open loop
  std::deque<Timestamp> overdue_;  // calls that found every stream busy
  bool open_loop_ = false;
  bool measuring_ = false;
  bool stopped_ = false;
  std::size_t outstanding_ = 0;
  LatencyHistogram latency_;
  LatencyHistogram service_time_;
};

}  // namespace mxp::perf
