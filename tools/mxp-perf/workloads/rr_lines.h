// The two-way streams of a call/response test: each carries one call at a time. A call that finds every stream busy
// opens another one, where there may be more.
#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <unordered_map>
#include <vector>

#include "mxp-perf/options.h"
#include "mxp/connection.h"

namespace mxp::perf {

// A stream of one of several connections.
struct StreamKey {
  const Connection* connection;
  std::uint64_t id;
  bool operator==(const StreamKey&) const = default;
};
struct StreamKeyHash {
  std::size_t operator()(const StreamKey& key) const {
    return std::hash<const void*>()(key.connection) ^ (key.id * 0x9e3779b97f4a7c15);
  }
};

class RrLines {
 public:
  enum class WhenBusy : std::uint8_t { wait, open_more };
  // `size`: bytes of a call, and of its response.
  RrLines(std::uint64_t size, WhenBusy when_busy) : request_(size, 0x5a), when_busy_(when_busy) {}

  // Opens so many streams; false: the peer allows fewer.
  bool add_connection(Connection& connection, unsigned streams);
  // Sends the call of this number; false: no stream is free.
  bool call(std::uint64_t number);
  // The number of the call whose response is whole now.
  std::optional<std::uint64_t> on_data(const Connection& connection, StreamId id, std::size_t count);
  void on_writable(const Connection& connection, StreamId id);

 private:
  struct Line {
    Connection* connection = nullptr;
    StreamId id;
    std::uint64_t number = 0;      // of the call
    std::uint64_t to_write = 0;    // of it
    std::uint64_t to_receive = 0;  // of the response; 0 = idle
  };

  void write(Line& line);
  bool add_stream(Connection& connection);
  bool add_stream_somewhere();

  std::vector<std::uint8_t> request_;
  WhenBusy when_busy_;
  std::unordered_map<StreamKey, Line, StreamKeyHash> lines_;
  std::deque<Line*> idle_;
  std::vector<Connection*> connections_;  // those that may get another stream
  std::size_t next_connection_ = 0;
};

}  // namespace mxp::perf
