#include "mxp-dump/filter/display_filter.h"

#include <algorithm>

#include "mxp-dump/filter/filter_nodes.h"

namespace mxp::dump {
namespace {

// Compares addresses alone: IPv4 and IPv6 are never equal, and have no order among one another.
int compare_ip(const SocketAddress& a, const SocketAddress& b) { return a.ip < b.ip ? -1 : a.ip == b.ip ? 0 : 1; }

int compare_number(std::uint64_t a, std::uint64_t b) { return a < b ? -1 : a == b ? 0 : 1; }

bool equals(FieldType type, const FieldValue& value, const Literal& literal) {
  switch (type) {
    case FieldType::text:
    case FieldType::word: return value.text == literal.text;
    case FieldType::ip:
      return value.address->family == literal.from.family && compare_ip(*value.address, literal.from) >= 0 &&
             compare_ip(*value.address, literal.to) <= 0;
    case FieldType::endpoint:
      return value.address->family == literal.from.family && value.address->ip == literal.from.ip &&
             value.address->port == literal.from.port;
    case FieldType::range: return value.number <= literal.low && literal.low <= value.last;
    default: return literal.low <= value.number && value.number <= literal.high;
  }
}

// What a value is against the end of the literal that matters: < and >= look at its beginning, > and <= at its end.
std::optional<int> against(FieldType type, const FieldValue& value, const Literal& literal, bool end) {
  if (type != FieldType::ip) return compare_number(value.number, end ? literal.high : literal.low);
  if (value.address->family != literal.from.family) return std::nullopt;
  return compare_ip(*value.address, end ? literal.to : literal.from);
}

bool holds(const FilterNode& node, const FieldValue& value) {
  const FieldType type = node.field->type;
  switch (node.op) {
    case FilterOp::equal:
    case FilterOp::not_equal: return equals(type, value, node.literals.front());
    case FilterOp::in:
      return std::ranges::any_of(node.literals, [&](const Literal& one) { return equals(type, value, one); });
    case FilterOp::less: return against(type, value, node.literals.front(), false).value_or(0) < 0;
    case FilterOp::less_equal: return against(type, value, node.literals.front(), true).value_or(1) <= 0;
    case FilterOp::greater: return against(type, value, node.literals.front(), true).value_or(0) > 0;
    case FilterOp::greater_equal: return against(type, value, node.literals.front(), false).value_or(-1) >= 0;
    case FilterOp::contains: return value.text.find(node.literals.front().text) != std::string_view::npos;
    case FilterOp::matches:
      return RE2::PartialMatch(re2::StringPiece(value.text.data(), value.text.size()), *node.regex);
    default: return type == FieldType::flag || type == FieldType::boolean ? value.number != 0 : true;
  }
}

class TestingSink final : public ValueSink {
 public:
  explicit TestingSink(const FilterNode& node) : node_(node) {}

  void take(const FieldValue& value) override {
    any_ = true;
    held_ = held_ || holds(node_, value);
  }
  bool passed() const { return node_.op == FilterOp::not_equal ? any_ && !held_ : held_; }

 private:
  const FilterNode& node_;
  bool any_ = false, held_ = false;
};

// As deep as the expression is nested, which the parser bounds.
bool evaluate(const FilterNodes& nodes, std::size_t index, const PacketRecord& record) {
  const FilterNode& node = nodes.all[index];
  switch (node.op) {
    case FilterOp::negation: return !evaluate(nodes, node.child, record);
    case FilterOp::all:
    case FilterOp::any: {
      const bool decides = node.op == FilterOp::any;
      for (std::size_t child = node.child; child != FilterNode::kNone; child = nodes.all[child].sibling)
        if (evaluate(nodes, child, record) == decides) return decides;
      return !decides;
    }
    default: {
      TestingSink sink(node);
      node.field->each(record, sink);
      return sink.passed();
    }
  }
}

}  // namespace

DisplayFilter::DisplayFilter(std::unique_ptr<FilterNodes> nodes) : nodes_(std::move(nodes)) {}
DisplayFilter::DisplayFilter(DisplayFilter&&) noexcept = default;
DisplayFilter& DisplayFilter::operator=(DisplayFilter&&) noexcept = default;
DisplayFilter::~DisplayFilter() = default;

bool DisplayFilter::matches(const PacketRecord& record) const { return evaluate(*nodes_, nodes_->root, record); }

bool DisplayFilter::needs_fates() const {
  return std::ranges::any_of(
      nodes_->all, [](const FilterNode& node) { return node.field != nullptr && node.field->name == "lost"; });
}

}  // namespace mxp::dump
