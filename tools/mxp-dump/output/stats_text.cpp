// The rows of --stats as tables, made from their JSON: what is absent there is "-" here.
#include <fmt/format.h>

#include <span>

#include "mxp-dump/output/stats.h"

namespace mxp::dump {
namespace {

struct StatsColumn {
  std::string_view title;
  std::string_view path;  // in the row, as a JSON pointer
  int digits = 0;         // after the point
};

constexpr StatsColumn kConnectionColumns[] = {{"#", "/connection"},
                                              {"client", "/client"},
                                              {"server", "/server"},
                                              {"start", "/start", 6},
                                              {"seconds", "/duration_s", 3},
                                              {"handshake ms", "/handshake_ms", 3},
                                              {"packets >", "/client_to_server/packets"},
                                              {"bytes >", "/client_to_server/bytes"},
                                              {"lost >", "/client_to_server/lost"},
                                              {"again >", "/client_to_server/retransmitted"},
                                              {"packets <", "/server_to_client/packets"},
                                              {"bytes <", "/server_to_client/bytes"},
                                              {"lost <", "/server_to_client/lost"},
                                              {"again <", "/server_to_client/retransmitted"},
                                              {"rtt > p50", "/rtt/to_server/p50_ms", 3},
                                              {"p99", "/rtt/to_server/p99_ms", 3},
                                              {"rtt < p50", "/rtt/to_client/p50_ms", 3},
                                              {"p99", "/rtt/to_client/p99_ms", 3},
                                              {"closed by", "/close/from"},
                                              {"code", "/close/error_code"},
                                              {"reason", "/close/reason"}};
constexpr StatsColumn kStreamColumns[] = {
    {"#", "/connection"},   {"stream", "/stream"},   {"direction", "/direction"},
    {"bytes", "/bytes"},    {"packets", "/packets"}, {"again bytes", "/retransmitted_bytes"},
    {"first", "/first", 6}, {"last", "/last", 6},    {"fin", "/fin"},
    {"reset", "/reset"}};
constexpr StatsColumn kLossColumns[] = {{"#", "/connection"},
                                        {"client", "/client"},
                                        {"server", "/server"},
                                        {"direction", "/direction"},
                                        {"packets", "/packets"},
                                        {"lost", "/lost"},
                                        {"not captured", "/not_captured"},
                                        {"unknown", "/unknown"},
                                        {"duplicates", "/duplicates"},
                                        {"damaged", "/damaged"},
                                        {"reordered", "/reordered"},
                                        {"extent", "/reordering_extent/max"},
                                        {"runs", "/runs_text"}};
constexpr StatsColumn kRttColumns[] = {{"#", "/connection"},
                                       {"client", "/client"},
                                       {"server", "/server"},
                                       {"round trip", "/towards"},
                                       {"samples", "/samples"},
                                       {"min ms", "/min_ms", 3},
                                       {"p50", "/p50_ms", 3},
                                       {"p90", "/p90_ms", 3},
                                       {"p99", "/p99_ms", 3},
                                       {"max", "/max_ms", 3},
                                       {"below ms: count", "/histogram_text"}};

std::string cell(const nlohmann::json& row, const StatsColumn& column) {
  const nlohmann::json::json_pointer path{std::string(column.path)};
  if (!row.contains(path)) return "-";
  const nlohmann::json& value = row.at(path);
  if (value.is_string()) return value.get<std::string>();
  if (value.is_boolean()) return value.get<bool>() ? "yes" : "no";
  if (value.is_number_float()) return fmt::format("{:.{}f}", value.get<double>(), column.digits);
  return value.dump();
}

std::string table(std::span<const StatsColumn> columns, const std::vector<nlohmann::json>& rows) {
  std::vector<std::vector<std::string>> lines(1);
  for (const StatsColumn& column : columns) lines[0].emplace_back(column.title);
  for (const nlohmann::json& row : rows) {
    std::vector<std::string>& line = lines.emplace_back();
    for (const StatsColumn& column : columns) line.push_back(cell(row, column));
  }
  std::string text;
  std::vector<std::size_t> widths(columns.size());
  for (const auto& line : lines)
    for (std::size_t i = 0; i < line.size(); ++i) widths[i] = std::max(widths[i], line[i].size());
  for (const auto& line : lines) {
    for (std::size_t i = 0; i < line.size(); ++i)
      text += i + 1 == line.size() ? line[i] : fmt::format("{:<{}}  ", line[i], widths[i]);
    text += '\n';
  }
  return text;
}

std::string list_text(const nlohmann::json& list, const char* key) {
  std::string text;
  for (const nlohmann::json& one : list)
    text += fmt::format("{}{}: {}", text.empty() ? "" : ", ", one.at(key).dump(), one.at("count").dump());
  return text.empty() ? "-" : text;
}

// One line for each of two parts of a row that are there.
std::vector<nlohmann::json> spread(const nlohmann::json& rows, const char* first, const char* second,
                                   const char* name) {
  std::vector<nlohmann::json> lines;
  for (const nlohmann::json& row : rows) {
    for (const char* part : {first, second}) {
      if (!row.contains(part)) continue;
      nlohmann::json line = row.at(part);
      for (const char* key : {"connection", "client", "server"})
        if (row.contains(key)) line[key] = row.at(key);
      line[name] = part;
      if (line.contains("runs")) line["runs_text"] = list_text(line["runs"], "length");
      if (line.contains("histogram")) line["histogram_text"] = list_text(line["histogram"], "below_ms");
      lines.push_back(std::move(line));
    }
  }
  return lines;
}

}  // namespace

std::string Statistics::to_text() const {
  const nlohmann::json json = to_json();
  std::string text;
  switch (kind_) {
    case StatisticsKind::summary: return {};
    case StatisticsKind::streams: text = table(kStreamColumns, json.at("streams")); break;
    case StatisticsKind::connections: text = table(kConnectionColumns, json.at("connections")); break;
    case StatisticsKind::loss:
      text = table(kLossColumns, spread(json.at("connections"), "client_to_server", "server_to_client", "direction"));
      break;
    case StatisticsKind::rtt:
      text = table(kRttColumns, spread(json.at("connections"), "to_server", "to_client", "towards"));
      break;
  }
  const auto add = [&](const char* key, std::string_view what) {
    if (json.contains(key)) text += fmt::format("and {} {}, for want of room\n", json.at(key).dump(), what);
  };
  add("connections_not_listed", "more connections that are not listed");
  add("frames_not_listed", "frames of streams that are not listed");
  add("round_trips_not_followed", "packets that no room was left to wait for the acknowledgement of");
  return text;
}

}  // namespace mxp::dump
