// The grammar, from the loosest to the tightest:
//   either  := both ("or" both)*            both := one ("and" one)*
//   one     := "not" one | "(" either ")" | field [operator value | "in" "{" value [".." value] {"," …} "}"]
#include <fmt/format.h>

#include <optional>

#include "common/escape.h"
#include "mxp-dump/filter/filter_lexer.h"
#include "mxp-dump/filter/filter_nodes.h"

namespace mxp::dump {
namespace {

using Index = std::expected<std::size_t, FilterError>;

constexpr std::int64_t kRegexMemory = 1 << 20;  // our choice: what one regular expression may take

std::optional<FilterOp> comparison(TokenKind kind) {
  switch (kind) {
    case TokenKind::equal: return FilterOp::equal;
    case TokenKind::not_equal: return FilterOp::not_equal;
    case TokenKind::less: return FilterOp::less;
    case TokenKind::less_equal: return FilterOp::less_equal;
    case TokenKind::greater: return FilterOp::greater;
    case TokenKind::greater_equal: return FilterOp::greater_equal;
    case TokenKind::contains: return FilterOp::contains;
    case TokenKind::matches: return FilterOp::matches;
    case TokenKind::in: return FilterOp::in;
    default: return std::nullopt;
  }
}

bool has_order(FieldType type) {
  return type == FieldType::number || type == FieldType::time || type == FieldType::duration || type == FieldType::ip;
}

// Why the operator says nothing about such a field; empty if it does.
std::string_view misfit(FilterOp op, FieldType type) {
  const bool text = type == FieldType::text || type == FieldType::word;
  if (type == FieldType::packet_times) return "can only be asked for its presence";
  switch (op) {
    case FilterOp::contains:
    case FilterOp::matches: return text ? "" : "is no text: compare it with ==, in {…} or an order";
    case FilterOp::less:
    case FilterOp::less_equal:
    case FilterOp::greater:
    case FilterOp::greater_equal: return has_order(type) ? "" : "has no order: compare it with == or in {…}";
    default: return "";
  }
}

class FilterParser {
 public:
  explicit FilterParser(std::vector<FilterToken> tokens) : tokens_(std::move(tokens)) {}

  std::expected<FilterNodes, FilterError> parse() {
    if (peek().kind == TokenKind::end) return fail(peek(), "the filter is empty");
    const Index root = list(FilterOp::any);
    if (!root) return std::unexpected(root.error());
    if (peek().kind != TokenKind::end)
      return fail(peek(),
                  fmt::format("\"{}\" is out of place; tests are joined by and, or", tools::escape(peek().text)));
    nodes_.root = *root;
    return std::move(nodes_);
  }

 private:
  const FilterToken& peek() const { return tokens_[at_]; }
  FilterToken take() { return tokens_[at_ + 1 < tokens_.size() ? at_++ : at_]; }
  bool take_if(TokenKind kind) {
    if (peek().kind != kind) return false;
    ++at_;
    return true;
  }
  static std::unexpected<FilterError> fail(const FilterToken& token, std::string message) {
    return std::unexpected(FilterError{token.column, std::move(message)});
  }
  Index add(FilterNode node) {
    if (nodes_.all.size() == DisplayFilter::kMaxNodes)
      return fail(peek(), fmt::format("the filter has more than {} tests", DisplayFilter::kMaxNodes));
    nodes_.all.push_back(std::move(node));
    return nodes_.all.size() - 1;
  }

  // Tests joined by `or`, or one level down by `and`.
  Index list(FilterOp op) {
    const TokenKind joint = op == FilterOp::any ? TokenKind::logical_or : TokenKind::logical_and;
    const auto next = [&] { return op == FilterOp::any ? list(FilterOp::all) : one(); };
    const Index first = next();
    if (!first || peek().kind != joint) return first;
    const Index parent = add({.op = op, .child = *first});
    if (!parent) return parent;
    std::size_t before = *first;
    while (take_if(joint)) {
      const Index more = next();
      if (!more) return more;
      nodes_.all[before].sibling = *more;
      before = *more;
    }
    return parent;
  }

  Index one() {
    if (depth_ == DisplayFilter::kMaxDepth)
      return fail(peek(), fmt::format("the filter is nested more than {} deep", DisplayFilter::kMaxDepth));
    ++depth_;
    const Index done = peek().kind == TokenKind::logical_not ? negation()
                       : peek().kind == TokenKind::open      ? group()
                                                             : test();
    --depth_;
    return done;
  }

  Index negation() {
    take();
    const Index inner = one();
    return inner ? add({.op = FilterOp::negation, .child = *inner}) : inner;
  }

  Index group() {
    const FilterToken opening = take();
    const Index inner = list(FilterOp::any);
    if (!inner) return inner;
    if (!take_if(TokenKind::close)) return fail(opening, "this parenthesis is not closed");
    return inner;
  }

  Index test() {
    const FilterToken name = take();
    if (name.kind == TokenKind::end) return fail(name, "the filter ends where a field is expected");
    if (name.kind != TokenKind::word)
      return fail(name, fmt::format("\"{}\" stands where a field is expected", tools::escape(name.text)));
    // Fields stand under their full names here, so that no word of a value is taken for one.
    const bool prefixed = name.text.find('.') != std::string::npos;
    const Field* field = prefixed ? find_field(name.text) : nullptr;
    if (name.text == "mxp") return add({.op = FilterOp::present, .field = find_field("frame")});
    if (field == nullptr || (!name.text.starts_with("mxp.") && field->name == name.text))
      return fail(name, fmt::format("there is no field \"{}\"; the nearest is {}", tools::escape(name.text, 64),
                                    nearest_field(name.text)));
    const FilterToken sign = peek();
    const auto op = comparison(sign.kind);
    if (!op) return add({.op = FilterOp::present, .field = field});
    take();
    if (const auto why = misfit(*op, field->type); !why.empty())
      return fail(sign, fmt::format("{} {}", name.text, why));
    FilterNode node{.op = *op, .field = field};
    const auto filled = *op == FilterOp::in ? fill_set(node, name.text) : fill_one(node, name.text);
    if (!filled) return std::unexpected(filled.error());
    return add(std::move(node));
  }

  std::expected<void, FilterError> fill_one(FilterNode& node, std::string_view name) {
    const FilterToken value = take();
    if (value.kind != TokenKind::word && value.kind != TokenKind::string)
      return fail(value, fmt::format("{} is compared with nothing", name));
    if (node.op == FilterOp::matches) return fill_regex(node, value);
    if (node.op == FilterOp::contains) {
      node.literals.push_back({.text = value.text});
      return {};
    }
    return add_literal(node, name, value, value);
  }

  std::expected<void, FilterError> fill_regex(FilterNode& node, const FilterToken& value) {
    RE2::Options options;
    options.set_case_sensitive(false);
    options.set_log_errors(false);
    options.set_max_mem(kRegexMemory);
    node.regex = std::make_unique<RE2>(value.text, options);
    if (node.regex->ok()) return {};
    return fail(value, fmt::format("this is no regular expression: {}", tools::escape(node.regex->error())));
  }

  std::expected<void, FilterError> fill_set(FilterNode& node, std::string_view name) {
    if (!take_if(TokenKind::open_set)) return fail(peek(), "after in stands a set such as {1, 5..9}");
    do {
      const FilterToken low = take();
      if (low.kind != TokenKind::word && low.kind != TokenKind::string)
        return fail(low, "a value is expected in the set, such as in {1, 5..9}");
      FilterToken high = low;
      if (take_if(TokenKind::range)) {
        high = take();
        if (high.kind != TokenKind::word && high.kind != TokenKind::string) return fail(high, "the range has no end");
        if (!has_order(node.field->type)) return fail(low, fmt::format("{} has no ranges", name));
      }
      if (node.literals.size() == DisplayFilter::kMaxNodes)
        return fail(low, fmt::format("the set has more than {} values", DisplayFilter::kMaxNodes));
      if (auto added = add_literal(node, name, low, high); !added) return added;
    } while (take_if(TokenKind::comma));
    if (!take_if(TokenKind::close_set)) return fail(peek(), "the set is not closed by }");
    return {};
  }

  static std::expected<void, FilterError> add_literal(FilterNode& node, std::string_view name, const FilterToken& low,
                                                      const FilterToken& high) {
    auto literal = read_literal(*node.field, low.text, high.text);
    if (!literal) return fail(low, fmt::format("{}: {}", name, literal.error()));
    if (literal->low > literal->high || literal->from > literal->to)
      return fail(low, fmt::format("{}: the range ends before it begins", name));
    node.literals.push_back(std::move(*literal));
    return {};
  }

  std::vector<FilterToken> tokens_;
  std::size_t at_ = 0, depth_ = 0;
  FilterNodes nodes_;
};

}  // namespace

std::expected<DisplayFilter, FilterError> DisplayFilter::parse(std::string_view expression) {
  if (expression.size() > kMaxLength)
    return std::unexpected(FilterError{kMaxLength, fmt::format("the filter is longer than {} bytes", kMaxLength)});
  auto tokens = lex_filter(expression);
  if (!tokens) return std::unexpected(tokens.error());
  auto nodes = FilterParser(std::move(*tokens)).parse();
  if (!nodes) return std::unexpected(nodes.error());
  return DisplayFilter(std::make_unique<FilterNodes>(std::move(*nodes)));
}

}  // namespace mxp::dump
