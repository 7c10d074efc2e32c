// Call and response: each stream has at most one call outstanding. Closed loop: the next call leaves when the response
// is there. Open loop: calls are due at fixed times. One that finds every stream busy opens another stream, and where
// there may be no more it waits; its latency counts from when it was due, so that a slow answer is not hidden by calls
// that were never made (coordinated omission).
#pragma once

#include <deque>
#include <functional>
#include <optional>
#include <unordered_map>
#include <vector>

#include "mxp-perf/workloads/latency_histogram.h"
#include "mxp/connection.h"
#include "mxp/time.h"

namespace mxp::perf {

class RrCaller {
 public:
  RrCaller(std::uint64_t size, std::function<Timestamp()> now);

  // Opens so many streams for calls; false: the peer allows fewer.
  bool add_connection(Connection& connection, unsigned streams);
  // Begins to send calls on the streams that were opened. Those due before `measured_from` are not measured.
  void begin_closed_loop(Timestamp measured_from);
  void begin_open_loop(Timestamp begin, Timestamp measured_from, double calls_per_second);

  // Open loop: makes the calls that are due. Returns when the next one is; nothing while no stream is free.
  std::optional<Timestamp> call_due(Timestamp now);
  void on_data(Connection& connection, StreamId id, std::size_t count);
  void on_writable(Connection& connection, StreamId id);

  // The end of the test: calls due before it are made as far as streams are free, and no others.
  void stop(Timestamp end);
  std::size_t outstanding() const { return outstanding_; }
  // After stop(): measured calls without an answer, made or not, count in latency() with the time that they have
  // waited. Does so only once.
  void count_unanswered(Timestamp now);

  std::uint64_t answered() const { return answered_; }  // from the begin on
  // Of the calls that are measured:
  std::uint64_t measured() const { return service_time_.count(); }    // answered
  std::uint64_t measured_by_end() const { return measured_by_end_; }  // answered before stop()
  std::uint64_t unanswered() const { return unanswered_; }
  std::uint64_t due() const { return measured() + unanswered_; }
  Timestamp last_answer() const { return last_answer_; }
  Duration shortest() const { return shortest_.value_or(Duration::zero()); }  // service time
  const LatencyHistogram& latency() const { return latency_; }                // from when a call was due
  const LatencyHistogram& service_time() const { return service_time_; }      // from when it was made

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
  // When the call with this number is due.
  Timestamp due_time(std::uint64_t number) const;
  bool add_stream(Connection& connection);
  bool add_stream_somewhere();

  std::vector<std::uint8_t> request_;
  std::function<Timestamp()> now_;
  std::unordered_map<Key, Line, KeyHash> lines_;
  std::deque<Line*> idle_;
  std::vector<Connection*> connections_;  // those that may get another stream
  std::size_t next_connection_ = 0;
  double calls_per_second_ = 0;  // 0 = closed loop
  Timestamp begin_{};
  Timestamp measured_from_{};
  std::optional<Timestamp> stopped_at_;
  std::uint64_t made_ = 0;
  std::size_t outstanding_ = 0;

  std::uint64_t answered_ = 0;
  std::uint64_t measured_by_end_ = 0;
  std::uint64_t unanswered_ = 0;
  bool unanswered_counted_ = false;
  Timestamp last_answer_{};
  std::optional<Duration> shortest_;
  LatencyHistogram latency_;
  LatencyHistogram service_time_;
};

}  // namespace mxp::perf
