// The last events of an endpoint, kept cheaply enough to be always on, for the moment when something has gone wrong.
//
//   RecentEvents recent;
//   recent.on_failure = [&](ConnectionId id, const TraceClosed&) { log(recent.text(id)); };
//
// One ring for all connections: each event is a record of 32 bytes, and says which connection it was of. So an idle
// connection costs nothing, and the busy ones have the ring among them: the records of a quiet connection are
// overwritten sooner beside a busy one. No secret and no byte of the application is kept.
//
// Outlives the loop or endpoint that it is given to. Threads: one object for each endpoint, whose thread also asks for
// the text.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "mxp/trace.h"

#pragma GCC visibility push(default)
namespace mxp {

class RecentEvents final : public TraceSink {
 public:
  static constexpr std::size_t kDefaultRecords = 4096;  // 128 KiB. Our choice
  // `records` is rounded up to a power of two.
  explicit RecentEvents(std::size_t records = kDefaultRecords);

  void on(Timestamp now, ConnectionId connection, const TraceEvent& event) override;

  // A connection has ended by a transport error, of whichever side, by silence or by the network. Called from within
  // on(), with that end in the ring already; must not call the endpoint.
  std::function<void(ConnectionId, const TraceClosed&)> on_failure;

  // A line for each of the last `most` events, of this connection or of all, the oldest first. Times count back from
  // the newest.
  std::string text(std::optional<ConnectionId> connection = std::nullopt, std::size_t most = 64) const;
  std::uint64_t total() const { return total_; }  // that were ever told

 private:
  // What `kind` says is the event (its place in TraceEvent), and what the numbers are is up to it.
  struct Record {
    std::int64_t time_ns;
    ConnectionId connection;
    std::uint8_t kind;
    std::uint8_t small;
    std::uint16_t medium;
    std::uint32_t number;
    std::uint64_t large;
  };
  static_assert(sizeof(Record) == 32);

  struct Pack;
  static void append_line(std::string& out, const Record& record, std::int64_t newest_ns);

  std::vector<Record> ring_;
  std::size_t mask_;
  std::uint64_t total_ = 0;
};

}  // namespace mxp
#pragma GCC visibility pop
