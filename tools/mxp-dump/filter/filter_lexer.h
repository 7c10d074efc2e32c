// The words of a filter expression.
#pragma once

#include <cstdint>
#include <expected>
#include <string>
#include <string_view>
#include <vector>

#include "mxp-dump/filter/display_filter.h"

namespace mxp::dump {

enum class TokenKind : std::uint8_t {
  word,    // a field, a number, a word without quotes; with signs such as . : / - in it
  string,  // in quotes, which are taken off
  equal,
  not_equal,
  less,
  less_equal,
  greater,
  greater_equal,
  contains,
  matches,
  in,
  logical_and,
  logical_or,
  logical_not,
  open,
  close,
  open_set,
  close_set,
  comma,
  range,
  end,
};

struct FilterToken {
  TokenKind kind = TokenKind::end;
  std::size_t column = 1;
  std::string text;
};

// The last token is `end`.
std::expected<std::vector<FilterToken>, FilterError> lex_filter(std::string_view expression);

}  // namespace mxp::dump
