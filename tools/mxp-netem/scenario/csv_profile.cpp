#include "mxp-netem/scenario/csv_profile.h"

#include <fmt/format.h>

#include <algorithm>

#include "common/escape.h"
#include "common/units.h"
#include "netem/spec_units.h"
#include "netem/words.h"

namespace mxp::tools {
namespace {

constexpr std::size_t kMostProfileRows = 1'000'000;  // our choice: hours at ten rows a second

std::string_view trimmed(std::string_view text) {
  const std::size_t first = text.find_first_not_of(" \t\r");
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(" \t\r") - first + 1);
}

std::vector<std::string_view> fields_of(std::string_view line) {
  std::vector<std::string_view> fields;
  for (;;) {
    const std::size_t comma = line.find(',');
    fields.push_back(trimmed(line.substr(0, comma)));
    if (comma == std::string_view::npos) return fields;
    line.remove_prefix(comma + 1);
  }
}

// A bare number would be microseconds here and seconds under t.
std::optional<Duration> parse_delay_field(std::string_view text) {
  const bool bare = !text.empty() && text.find_first_not_of("0123456789.") == std::string_view::npos;
  if (bare && text != "0") return std::nullopt;
  return netem::parse_time(text);
}

// What is wrong, or empty.
std::string read_field(std::string_view column, std::string_view text, ProfileRow& row) {
  if (text.empty()) return column == "t" ? "'t' is missing" : "";
  if (column == "t") {
    const auto at = parse_time(text);
    if (!at || *at > netem::kLongestTime)
      return fmt::format("t: '{}' is not a time in seconds up to 24 hours, such as 1.5", escape(text));
    row.at = *at;
  } else if (column == "rate") {
    row.rate = netem::parse_rate(text);
    if (!row.rate) return fmt::format("rate: '{}' is not a rate, such as 10mbit", escape(text));
  } else if (column == "delay") {
    row.delay = parse_delay_field(text);
    if (!row.delay) return fmt::format("delay: '{}' is not a time with its unit, such as 40ms", escape(text));
  } else {
    row.loss = netem::parse_percent(text);
    if (!row.loss) return fmt::format("loss: '{}' is not a percentage, such as 1.5%", escape(text));
  }
  return {};
}

std::string check_columns(const std::vector<std::string_view>& columns) {
  for (const std::string_view column : columns) {
    if (column != "t" && column != "rate" && column != "delay" && column != "loss")
      return fmt::format("column '{}' is unknown: expected t, rate, delay, loss", escape(column));
    if (std::count(columns.begin(), columns.end(), column) > 1)
      return fmt::format("column '{}' is there twice", column);
  }
  if (std::find(columns.begin(), columns.end(), "t") == columns.end() || columns.size() < 2)
    return "the first line names the columns: t, and one or more of rate, delay, loss";
  return {};
}

}  // namespace

netem::LinkSpec ProfileRow::applied_to(netem::LinkSpec spec) const {
  if (rate) spec.rate = *rate;
  if (delay) spec.delay.mean = *delay;
  if (loss) spec.loss = *loss > 0 ? netem::LossModel(netem::RandomLoss{.p = *loss}) : netem::NoLoss{};
  return spec;
}

std::expected<std::vector<ProfileRow>, std::string> parse_csv_profile(std::string_view text) {
  std::vector<std::string_view> columns;
  std::vector<ProfileRow> rows;
  const auto wrong = [](std::size_t line, const std::string& what) {
    return std::unexpected(fmt::format("line {}: {}", line, what));
  };
  for (std::size_t line_number = 1; !text.empty(); ++line_number) {
    const std::string_view line = trimmed(netem::take_line(text));
    if (line.empty() || line.starts_with('#')) continue;
    const auto fields = fields_of(line);
    if (columns.empty()) {
      columns = fields;
      if (const std::string problem = check_columns(columns); !problem.empty()) return wrong(line_number, problem);
      continue;
    }
    if (fields.size() != columns.size())
      return wrong(line_number, fmt::format("{} fields, but {} columns", fields.size(), columns.size()));
    ProfileRow row;
    for (std::size_t i = 0; i < fields.size(); ++i) {
      if (const std::string problem = read_field(columns[i], fields[i], row); !problem.empty())
        return wrong(line_number, problem);
    }
    if (!rows.empty() && row.at <= rows.back().at) return wrong(line_number, "t does not rise");
    if (rows.size() == kMostProfileRows) return wrong(line_number, fmt::format("more than {} rows", kMostProfileRows));
    rows.push_back(row);
  }
  if (rows.empty()) return std::unexpected(std::string("no row in it"));
  return rows;
}

}  // namespace mxp::tools
