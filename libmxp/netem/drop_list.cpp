#include "netem/drop_list.h"

#include <fmt/format.h>

#include "netem/spec_units.h"

namespace mxp::netem {
namespace {

std::optional<DropList::Range> parse_range(std::string_view text) {
  const std::size_t dash = text.find('-');
  const auto first = parse_count(text.substr(0, dash));
  const auto last = dash == std::string_view::npos ? first : parse_count(text.substr(dash + 1));
  if (!first || !last || *first == 0 || *last < *first) return std::nullopt;
  return DropList::Range{.first = *first, .last = *last};
}

void add_ranges(std::string& text, const std::vector<DropList::Range>& ranges, std::string_view prefix) {
  for (const DropList::Range& range : ranges) {
    text += fmt::format("{}{}{}", text.empty() ? "" : ",", prefix, range.first);
    if (range.last != range.first) text += fmt::format("-{}", range.last);
  }
}

}  // namespace

std::optional<DropList> parse_drop_list(std::string_view text) {
  DropList list;
  for (bool more = true; more;) {
    const std::size_t comma = text.find(',');
    std::string_view item = text.substr(0, comma);
    more = comma != std::string_view::npos;
    text.remove_prefix(more ? comma + 1 : text.size());
    const bool handshake = item.starts_with('h');
    if (handshake) item.remove_prefix(1);
    const auto range = parse_range(item);
    if (!range || list.packets.size() + list.handshake.size() == kMostDropRanges) return std::nullopt;
    (handshake ? list.handshake : list.packets).push_back(*range);
  }
  return list;
}

std::string drop_list_text(const DropList& list) {
  std::string text;
  add_ranges(text, list.packets, "");
  add_ranges(text, list.handshake, "h");
  return text;
}

}  // namespace mxp::netem
