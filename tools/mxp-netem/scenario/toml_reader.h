// A table of a TOML file whose keys are all to be known and of the right kind. The first mistake is kept, with its
// line; everything asked for after that is empty.
#pragma once

#include <toml++/toml.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "mxp/time.h"

namespace mxp::tools {

// Where the first mistake is written: "LINE: what".
class TomlProblems {
 public:
  void add(const toml::source_region& where, std::string what);
  bool any() const { return !first_.empty(); }
  const std::string& first() const { return first_; }

 private:
  std::string first_;
};

class TomlTable {
 public:
  TomlTable(const toml::table& table, TomlProblems& problems) : table_(table), problems_(problems) {}

  std::optional<std::string> text(std::string_view key);
  std::optional<bool> flag(std::string_view key);
  // A positive whole number that fits 32 bits.
  std::optional<std::uint32_t> number(std::string_view key);
  // "10s", or a number of seconds.
  std::optional<Duration> time(std::string_view key);
  // The tables under [[key]], or the one under [key].
  std::vector<const toml::table*> tables(std::string_view key);

  bool has(std::string_view key) const { return table_.contains(key); }
  // Keys that nobody has asked for are mistakes.
  void expect_no_others();
  // A mistake at this key, or at the head of the table if the key is not there.
  void problem(std::string_view key, std::string what);

 private:
  const toml::node* take(std::string_view key);

  const toml::table& table_;
  TomlProblems& problems_;
  std::vector<std::string_view> asked_;
};

}  // namespace mxp::tools
