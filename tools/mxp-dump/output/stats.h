// --stats connections, streams, loss and rtt: one row for each connection (or each stream of it), as JSON or as a table.
//
// Each packet is shown to see(); add() takes a connection of which no more will be seen, and drop() one that a filter
// left out. Memory is bounded: what no longer fits is counted and not listed. What the capture does not tell is absent
// from JSON and "-" in the table.
#pragma once

#include <cstdint>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "mxp-dump/dissect/connection.h"
#include "mxp-dump/output/stats_rtt.h"
#include "mxp-dump/output/stats_streams.h"

namespace mxp::dump {

enum class StatisticsKind : std::uint8_t { summary, connections, streams, loss, rtt };
// "connections"; also the name of the rows in JSON, but that loss and rtt have connections too.
std::optional<StatisticsKind> statistics_kind(std::string_view word);

class Statistics {
 public:
  // Our choices: rows of connections that are listed, and packets of all directions that wait for an acknowledgement
  // (24 bytes each).
  static constexpr std::size_t kMaxRows = 4096;
  static constexpr std::size_t kMaxOutstanding = 262'144;

  explicit Statistics(StatisticsKind kind) : kind_(kind) {}

  void see(const PacketRecord& record);
  void add(const Connection& connection);
  void drop(const Connection& connection);

  // Whether PacketFates::remember_lost() is wanted.
  bool needs_lost_numbers() const { return kind_ == StatisticsKind::loss; }
  nlohmann::json to_json() const;
  std::string to_text() const;

 private:
  struct Direction {
    StatsRtt rtt;
    StatsHistogram reordering;  // how far behind the largest number
    std::optional<std::uint64_t> largest;
  };
  struct Figures {
    std::optional<std::uint64_t> first_ns, last_ns;
    std::array<Direction, 2> directions;
    nlohmann::json closed;
  };
  void see_close(Figures& figures, const PacketRecord& record);
  void forget(std::uint64_t connection);
  static nlohmann::json describe_connection(const Connection& connection, const Figures& figures);
  static nlohmann::json describe_loss(const Connection& connection, const Figures& figures);
  static nlohmann::json describe_rtt(const Connection& connection, const Figures& figures);

  StatisticsKind kind_;
  std::unordered_map<std::uint64_t, Figures> figures_;  // of connections in the table
  std::size_t outstanding_ = 0;
  StatsStreams streams_;
  std::map<std::uint64_t, nlohmann::json> rows_;  // by connection
  std::uint64_t not_listed_ = 0, not_timed_ = 0;
};

}  // namespace mxp::dump
