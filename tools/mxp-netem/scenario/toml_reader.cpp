#include "mxp-netem/scenario/toml_reader.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "common/escape.h"
#include "common/units.h"
#include "netem/spec_units.h"

namespace mxp::tools {

void TomlProblems::add(const toml::source_region& where, std::string what) {
  if (first_.empty()) first_ = fmt::format("{}: {}", where.begin.line, what);
}

const toml::node* TomlTable::take(std::string_view key) {
  asked_.push_back(key);
  return problems_.any() ? nullptr : table_.get(key);
}

void TomlTable::problem(std::string_view key, std::string what) {
  const toml::node* node = table_.get(key);
  problems_.add(node != nullptr ? node->source() : table_.source(), std::move(what));
}

std::optional<std::string> TomlTable::text(std::string_view key) {
  const toml::node* node = take(key);
  if (node == nullptr) return std::nullopt;
  if (const auto* value = node->as_string()) return value->get();
  problem(key, fmt::format("'{}' is a text in quotes", key));
  return std::nullopt;
}

std::optional<bool> TomlTable::flag(std::string_view key) {
  const toml::node* node = take(key);
  if (node == nullptr) return std::nullopt;
  if (const auto* value = node->as_boolean()) return value->get();
  problem(key, fmt::format("'{}' is true or false", key));
  return std::nullopt;
}

std::optional<std::uint32_t> TomlTable::number(std::string_view key) {
  const toml::node* node = take(key);
  if (node == nullptr) return std::nullopt;
  const auto* value = node->as_integer();
  if (value != nullptr && value->get() > 0 && value->get() <= std::numeric_limits<std::uint32_t>::max())
    return static_cast<std::uint32_t>(value->get());
  problem(key, fmt::format("'{}' is a whole number from 1 on", key));
  return std::nullopt;
}

std::optional<Duration> TomlTable::time(std::string_view key) {
  const toml::node* node = take(key);
  if (node == nullptr) return std::nullopt;
  constexpr double kMostSeconds = std::chrono::duration<double>(netem::kLongestTime).count();
  if (const auto* text = node->as_string()) {
    const auto parsed = parse_time(text->get());
    if (parsed && *parsed <= netem::kLongestTime) return *parsed;
  } else if (const auto seconds = node->value<double>(); seconds && *seconds >= 0 && *seconds <= kMostSeconds) {
    return Duration(std::llround(*seconds * 1e9));
  }
  problem(key, fmt::format("'{}' is a time up to 24 hours, such as \"10s\", or a number of seconds", key));
  return std::nullopt;
}

std::vector<const toml::table*> TomlTable::tables(std::string_view key) {
  const toml::node* node = take(key);
  if (node == nullptr) return {};
  if (const auto* one = node->as_table()) return {one};
  const auto* array = node->as_array();
  if (array == nullptr ||
      !std::all_of(array->begin(), array->end(), [](const toml::node& one) { return one.is_table(); })) {
    problem(key, fmt::format("'{}' is a table: [[{}]]", key, key));
    return {};
  }
  std::vector<const toml::table*> found;
  for (const toml::node& one : *array) found.push_back(one.as_table());
  return found;
}

void TomlTable::expect_no_others() {
  for (const auto& [key, node] : table_) {
    if (std::find(asked_.begin(), asked_.end(), key.str()) != asked_.end()) continue;
    std::string names;
    for (const std::string_view name : asked_) names += (names.empty() ? "" : ", ") + std::string(name);
    problems_.add(node.source(), fmt::format("'{}' is unknown here: expected one of {}", escape(key.str()), names));
  }
}

}  // namespace mxp::tools
