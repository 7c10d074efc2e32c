// A checked expression: nodes in one vector, which refer to each other by index.
#pragma once

#include <re2/re2.h>

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "mxp-dump/filter/field_table.h"

namespace mxp::dump {

enum class FilterOp : std::uint8_t {
  all,
  any,
  negation,  // of the children
  present,   // of the field
  equal,
  not_equal,
  less,
  less_equal,
  greater,
  greater_equal,
  in,
  contains,
  matches,
};

// What a field is compared with, read by the type of the field: one value, or a range with both ends included.
struct Literal {
  std::uint64_t low = 0, high = 0;
  std::string text;
  SocketAddress from, to;
};

struct FilterNode {
  static constexpr std::size_t kNone = static_cast<std::size_t>(-1);
  FilterOp op = FilterOp::present;
  std::size_t child = kNone, sibling = kNone;  // the first child, and the next one of the same parent
  const Field* field = nullptr;
  std::vector<Literal> literals;  // several only of `in`
  std::unique_ptr<re2::RE2> regex;
};

struct FilterNodes {
  std::vector<FilterNode> all;
  std::size_t root = 0;
};

// Reads a literal for a field, from `low` to `high` (the same for one value). Error: what is expected.
std::expected<Literal, std::string> read_literal(const Field& field, std::string_view low, std::string_view high);

}  // namespace mxp::dump
