#include "mxp-dump/output/stats.h"

#include <algorithm>

#include "common/escape.h"

namespace mxp::dump {
namespace {

constexpr std::array<std::pair<std::string_view, StatisticsKind>, 5> kStatisticsWords{
    {{"summary", StatisticsKind::summary},
     {"connections", StatisticsKind::connections},
     {"streams", StatisticsKind::streams},
     {"loss", StatisticsKind::loss},
     {"rtt", StatisticsKind::rtt}}};

double ms_of_ns(std::uint64_t ns) { return static_cast<double>(ns) / 1e6; }
double ms_of_us(std::uint64_t us) { return static_cast<double>(us) / 1e3; }
double seconds_of(std::uint64_t ns) { return static_cast<double>(ns) / 1e9; }

// Who sends in this direction, as the key of a part of a row.
const char* direction_key(TrafficDirection direction) {
  return direction == TrafficDirection::client_to_server ? "client_to_server" : "server_to_client";
}
// Where the packets of this direction go, and from where their acknowledgements come.
const char* towards(TrafficDirection direction) {
  return direction == TrafficDirection::client_to_server ? "to_server" : "to_client";
}

void name_connection(const Connection& connection, nlohmann::json& row) {
  row["connection"] = connection.number;
  if (connection.paths.empty()) return;
  row["client"] = connection.paths.front().client.to_string();
  row["server"] = connection.paths.front().server.to_string();
  if (connection.paths.size() > 1) row["more_paths"] = connection.paths.size() - 1;
}

void put_handshake(const Connection& connection, nlohmann::json& row) {
  if (const auto time = connection.handshake_ns()) row["handshake_ms"] = ms_of_ns(*time);
  if (const auto time = connection.confirmation_ns()) row["confirmation_ms"] = ms_of_ns(*time);
}

// How many runs of consecutive lost numbers have which length.
nlohmann::json runs_of(const RangeSet& lost) {
  std::map<std::uint64_t, std::uint64_t> runs;
  for (const RangeSet::Range& range : lost.ranges()) ++runs[range.size()];
  nlohmann::json list = nlohmann::json::array();
  for (const auto& [length, count] : runs) list.push_back({{"length", length}, {"count", count}});
  return list;
}

}  // namespace

std::optional<StatisticsKind> statistics_kind(std::string_view word) {
  for (const auto& [name, kind] : kStatisticsWords)
    if (name == word) return kind;
  return std::nullopt;
}

void Statistics::see(const PacketRecord& record) {
  if (record.connection == 0) return;
  if (kind_ == StatisticsKind::streams) return streams_.see(record);
  Figures& figures = figures_[record.connection];
  if (record.time_ns) {
    figures.first_ns = std::min(figures.first_ns.value_or(*record.time_ns), *record.time_ns);
    figures.last_ns = std::max(figures.last_ns.value_or(*record.time_ns), *record.time_ns);
  }
  Direction& way = figures.directions[index(record.direction)];
  if (kind_ == StatisticsKind::loss) {
    if (!record.number || record.duplicate || record.seen_before || record.damaged) return;
    const std::uint64_t number = record.number->value();
    if (way.largest && number < *way.largest) way.reordering.add(*way.largest - number);
    way.largest = std::max(way.largest.value_or(number), number);
    return;
  }
  see_close(figures, record);
  const bool room = outstanding_ < kMaxOutstanding;
  if (!room) ++not_timed_;
  std::ptrdiff_t change = way.rtt.sent(record, room);
  change += figures.directions[index(reverse(record.direction))].rtt.answered(record);
  outstanding_ = static_cast<std::size_t>(static_cast<std::ptrdiff_t>(outstanding_) + change);
}

void Statistics::see_close(Figures& figures, const PacketRecord& record) {
  if (!figures.closed.is_null() || record.damaged) return;
  for (const Frame& frame : record.frames) {
    const auto* close = std::get_if<CloseFrame>(&frame);
    if (close == nullptr) continue;
    figures.closed = {{"from", record.direction == TrafficDirection::client_to_server ? "client" : "server"},
                      {"by", close->application ? "application" : "transport"},
                      {"error_code", close->code}};
    if (!close->application) figures.closed["error"] = to_string(static_cast<TransportErrorCode>(close->code));
    if (!close->reason.empty())
      figures.closed["reason"] =
          tools::escape(std::string_view(reinterpret_cast<const char*>(close->reason.data()), close->reason.size()));
  }
}

void Statistics::forget(std::uint64_t connection) {
  const auto found = figures_.find(connection);
  if (found == figures_.end()) return;
  for (const Direction& way : found->second.directions) outstanding_ -= way.rtt.outstanding();
  figures_.erase(found);
}

void Statistics::add(const Connection& connection) {
  if (connection.packets() == 0 || kind_ == StatisticsKind::streams) return;
  if (rows_.size() == kMaxRows) {
    ++not_listed_;
  } else {
    const Figures& figures = figures_[connection.number];
    rows_[connection.number] = kind_ == StatisticsKind::connections ? describe_connection(connection, figures)
                               : kind_ == StatisticsKind::loss      ? describe_loss(connection, figures)
                                                                    : describe_rtt(connection, figures);
  }
  forget(connection.number);
}

void Statistics::drop(const Connection& connection) {
  streams_.drop(connection.number);
  forget(connection.number);
}

nlohmann::json Statistics::describe_connection(const Connection& connection, const Figures& figures) {
  nlohmann::json row;
  name_connection(connection, row);
  if (figures.first_ns) {
    row["start"] = seconds_of(*figures.first_ns);
    row["duration_s"] = seconds_of(*figures.last_ns - *figures.first_ns);
  }
  put_handshake(connection, row);
  for (const TrafficDirection direction : kDirections) {
    const Side& side = connection.side(direction);
    nlohmann::json way{{"packets", side.packets}, {"bytes", side.bytes}};
    if (const auto fates = connection.fates(direction)) {
      if (fates->lost) way["lost"] = *fates->lost;
    }
    if (const auto count = connection.retransmitted(direction)) way["retransmitted"] = *count;
    row[direction_key(direction)] = std::move(way);
    const StatsHistogram& rtt = figures.directions[index(direction)].rtt.samples_us();
    if (rtt.count() == 0) continue;
    row["rtt"][towards(direction)] = {{"p50_ms", ms_of_us(rtt.percentile(0.5))},
                                      {"p99_ms", ms_of_us(rtt.percentile(0.99))}};
  }
  if (!figures.closed.is_null()) row["close"] = figures.closed;
  return row;
}

nlohmann::json Statistics::describe_loss(const Connection& connection, const Figures& figures) {
  nlohmann::json row;
  name_connection(connection, row);
  for (const TrafficDirection direction : kDirections) {
    const Side& side = connection.side(direction);
    nlohmann::json way{
        {"packets", side.packets}, {"duplicates", side.duplicates}, {"damaged", side.damaged + side.not_verified()}};
    if (const auto fates = connection.fates(direction)) {
      way["not_captured"] = fates->not_captured;
      way["unknown"] = fates->unknown;
      if (fates->lost) way["lost"] = *fates->lost;
    }
    if (const auto lost = connection.lost_numbers(direction)) {
      way["runs"] = runs_of(lost->numbers);
      if (lost->known_from > 0) way["runs_known_from"] = lost->known_from;
    }
    if (side.opened > 0) {
      const StatsHistogram& late = figures.directions[index(direction)].reordering;
      way["reordered"] = late.count();
      if (late.count() > 0) way["reordering_extent"] = {{"p50", late.percentile(0.5)}, {"max", late.greatest()}};
    }
    row[direction_key(direction)] = std::move(way);
  }
  return row;
}

nlohmann::json Statistics::describe_rtt(const Connection& connection, const Figures& figures) {
  nlohmann::json row;
  name_connection(connection, row);
  put_handshake(connection, row);
  for (const TrafficDirection direction : kDirections) {
    const StatsHistogram& rtt = figures.directions[index(direction)].rtt.samples_us();
    if (rtt.count() == 0) continue;
    nlohmann::json histogram = nlohmann::json::array();
    rtt.each_octave([&](std::uint64_t below, std::uint64_t count) {
      histogram.push_back({{"below_ms", ms_of_us(below)}, {"count", count}});
    });
    row[towards(direction)] = {{"samples", rtt.count()},
                               {"min_ms", ms_of_us(rtt.least())},
                               {"p50_ms", ms_of_us(rtt.percentile(0.5))},
                               {"p90_ms", ms_of_us(rtt.percentile(0.9))},
                               {"p99_ms", ms_of_us(rtt.percentile(0.99))},
                               {"max_ms", ms_of_us(rtt.greatest())},
                               {"histogram", std::move(histogram)}};
  }
  return row;
}

nlohmann::json Statistics::to_json() const {
  nlohmann::json json;
  if (kind_ == StatisticsKind::streams) {
    json["streams"] = streams_.rows();
    if (streams_.frames_not_listed() > 0) json["frames_not_listed"] = streams_.frames_not_listed();
    return json;
  }
  json["connections"] = nlohmann::json::array();
  for (const auto& [number, row] : rows_) json["connections"].push_back(row);
  if (not_listed_ > 0) json["connections_not_listed"] = not_listed_;
  if (not_timed_ > 0) json["round_trips_not_followed"] = not_timed_;
  return json;
}

}  // namespace mxp::dump
