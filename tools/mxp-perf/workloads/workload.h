// What a test is to do: which one it is, how much of it, and for how long.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "mxp-perf/arrivals/arrivals.h"
#include "mxp/message_options.h"
#include "mxp/time.h"

namespace mxp::perf {

enum class Test : std::uint8_t { bulk, rr, messages, datagrams, isolation, mixed, streams, connect };
std::string_view to_string(Test test);
// The test of this name, if there is one.
std::optional<Test> test_of(std::string_view name);
std::vector<std::string> test_names();

// Which way bulk data flow, seen from the client.
enum class LoadDirection : std::uint8_t { up, down, both };
std::string_view to_string(LoadDirection flow);

// What one test may ask for: a server keeps these bounds as well (tools/mxp-perf/control.h).
inline constexpr unsigned kMaxConnections = 1000;
inline constexpr unsigned kMaxStreams = 1000;         // of a connection
inline constexpr unsigned kMaxStreamsInAll = 10'000;  // each may hold 16 KiB, however small its share of the memory is
inline constexpr std::uint64_t kMaxSize = 1u << 20;   // bytes of a call
// Bytes of a datagram: at least its number, at most what every path carries (Connection::max_datagram_size).
inline constexpr std::uint64_t kLeastDatagram = 8, kLargestDatagram = 1170;
inline constexpr std::uint64_t kMaxMessageSize = kMaxShortMessage;  // our choice: short ones are what is measured
inline constexpr Duration kMaxDuration = std::chrono::hours(1);
inline constexpr Duration kMinDuration = std::chrono::milliseconds(1);
inline constexpr double kMinRate = 1e-3, kMaxRate = 1e7;  // calls, messages or datagrams per second
inline constexpr double kIsolationRate = 1000;            // calls per second, unless said otherwise
// Calls, streams or handshakes that may wait for their answers at a time in open loop, unless said otherwise. rr: as
// many as may have a stream, kMaxStreamsInAll.
inline constexpr unsigned kOutstanding = 1000;
inline constexpr Duration kMaxDelay = std::chrono::seconds(10);  // --delay of a server
inline constexpr std::uint64_t kLeastMaxRate = 8'000;            // --max-rate of a server, bit/s
inline constexpr Duration kMinInterval = std::chrono::milliseconds(10);

struct Workload {
  std::uint64_t run = 0;  // which client this is, of those with one key; random
  Test test = Test::bulk;
  LoadDirection flow = LoadDirection::up;
  Duration duration = std::chrono::seconds(10);
  Duration omit{};          // measured from the first delivered byte on; what comes before it does not count
  std::uint64_t size = 64;  // bytes of a call and of its response, of a message, or of a datagram
  // Over all connections. rr, streams, connect: open loop; 0 = closed loop, one outstanding for each stream, or as many
  // handshakes as `outstanding`. Datagrams: 0 = as fast as they go.
  double calls_per_second = 0;
  double messages_per_second = 0;           // open loop: over all connections; 0 = as many as are taken
  ArrivalLaw arrivals = ArrivalLaw::fixed;  // open loop
  unsigned outstanding = kOutstanding;      // that may wait for their answers at a time: open loop, mixed and connect
  unsigned connections = 1;
  Duration wait{};  // that the client will take from the server's "ready" to the begin, for --start-at
  // Whether a server at an address of this machine reads the same clock as we do: not behind an emulated link.
  bool address_tells_clock = true;
  unsigned streams = 1;  // per connection; open loop: at first, since calls that would wait for one open more

  bool uses_streams() const {
    return test == Test::bulk || test == Test::rr || test == Test::isolation || test == Test::streams;
  }
  // rr, streams, connect: how many calls may wait for their answers at a time.
  std::size_t most_waiting() const {
    return calls_per_second > 0 || test == Test::connect ? outstanding : std::size_t{connections} * streams;
  }
};

}  // namespace mxp::perf
