#include "mxp-dump/filter/filter_lexer.h"

#include <fmt/format.h>

#include <utility>

#include "common/escape.h"

namespace mxp::dump {
namespace {

constexpr std::pair<std::string_view, TokenKind> kSigns[] = {
    {"==", TokenKind::equal},         {"!=", TokenKind::not_equal},   {"<=", TokenKind::less_equal},
    {">=", TokenKind::greater_equal}, {"&&", TokenKind::logical_and}, {"||", TokenKind::logical_or},
    {"<", TokenKind::less},           {">", TokenKind::greater},      {"!", TokenKind::logical_not},
    {"(", TokenKind::open},           {")", TokenKind::close},        {"{", TokenKind::open_set},
    {"}", TokenKind::close_set},      {",", TokenKind::comma},        {"..", TokenKind::range},
    {"~", TokenKind::matches}};
constexpr std::pair<std::string_view, TokenKind> kOperatorWords[] = {
    {"eq", TokenKind::equal},          {"ne", TokenKind::not_equal},    {"lt", TokenKind::less},
    {"le", TokenKind::less_equal},     {"gt", TokenKind::greater},      {"ge", TokenKind::greater_equal},
    {"and", TokenKind::logical_and},   {"or", TokenKind::logical_or},   {"not", TokenKind::logical_not},
    {"contains", TokenKind::contains}, {"matches", TokenKind::matches}, {"in", TokenKind::in}};

bool is_space(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }
bool is_word_character(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '.' ||
         c == ':' || c == '/' || c == '-' || c == '[' || c == ']' || c == '%' || c == '+';
}

// A word ends before "..", which stands between the two ends of a range.
std::size_t word_length(std::string_view rest) {
  std::size_t size = 0;
  while (size < rest.size() && is_word_character(rest[size]) && !rest.substr(size).starts_with("..")) ++size;
  return size;
}

// After the opening quote. A backslash takes the next character as it is, but for \n, \r and \t. In what `matches` gets,
// all backslashes stay: they belong to the regular expression, and so no quote can be in it but \".
std::expected<std::size_t, FilterError> lex_string(std::string_view expression, std::size_t at, bool raw,
                                                   FilterToken& token) {
  const std::size_t begin = at;
  while (at < expression.size() && expression[at] != '"') {
    char c = expression[at++];
    if (c == '\\' && at < expression.size()) {
      const char next = expression[at++];
      if (raw && next != '"') token.text += c;
      c = raw ? next : next == 'n' ? '\n' : next == 'r' ? '\r' : next == 't' ? '\t' : next;
    }
    token.text += c;
  }
  if (at == expression.size()) return std::unexpected(FilterError{begin, "the string has no closing quote"});
  return at + 1;
}

TokenKind kind_of_word(std::string_view word) {
  for (const auto& [name, kind] : kOperatorWords)
    if (name == word) return kind;
  return TokenKind::word;
}

}  // namespace

std::expected<std::vector<FilterToken>, FilterError> lex_filter(std::string_view expression) {
  std::vector<FilterToken> tokens;
  std::size_t at = 0;
  while (at < expression.size()) {
    if (is_space(expression[at])) {
      ++at;
      continue;
    }
    FilterToken token{.column = at + 1};
    const std::string_view rest = expression.substr(at);
    if (rest[0] == '"') {
      token.kind = TokenKind::string;
      const bool raw = !tokens.empty() && tokens.back().kind == TokenKind::matches;
      const auto end = lex_string(expression, at + 1, raw, token);
      if (!end) return std::unexpected(end.error());
      at = *end;
    } else if (const std::size_t size = word_length(rest); size > 0) {
      token.text = rest.substr(0, size);
      token.kind = kind_of_word(token.text);
      at += size;
    } else {
      for (const auto& [sign, kind] : kSigns) {
        if (!rest.starts_with(sign)) continue;
        token.kind = kind;
        token.text = sign;
        break;
      }
      if (token.text.empty())
        return std::unexpected(
            FilterError{token.column, fmt::format("\"{}\" means nothing here", tools::escape(rest.substr(0, 1)))});
      at += token.text.size();
    }
    tokens.push_back(std::move(token));
  }
  tokens.push_back({.kind = TokenKind::end, .column = expression.size() + 1});
  return tokens;
}

}  // namespace mxp::dump
