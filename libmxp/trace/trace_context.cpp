#include "mxp/trace_context.h"

#include <algorithm>
#include <span>

namespace mxp {

namespace {

std::optional<std::uint8_t> digit(char c) {
  if (c >= '0' && c <= '9') return static_cast<std::uint8_t>(c - '0');
  if (c >= 'a' && c <= 'f') return static_cast<std::uint8_t>(c - 'a' + 10);
  return std::nullopt;  // capital letters are invalid there
}

bool read_hex(std::string_view text, std::span<std::uint8_t> out) {
  for (std::size_t i = 0; i < out.size(); ++i) {
    const auto high = digit(text[2 * i]), low = digit(text[2 * i + 1]);
    if (!high || !low) return false;
    out[i] = static_cast<std::uint8_t>(*high << 4 | *low);
  }
  return true;
}

bool is_zero(std::span<const std::uint8_t> bytes) {
  return std::ranges::all_of(bytes, [](std::uint8_t byte) { return byte == 0; });
}

std::uint64_t big_endian(std::span<const std::uint8_t> bytes) {
  std::uint64_t value = 0;
  for (const std::uint8_t byte : bytes) value = value << 8 | byte;
  return value;
}

}  // namespace

std::optional<TraceContext> TraceContext::parse(std::string_view text) {
  constexpr std::size_t kLength = 55, kTrace = 3, kParent = 36, kFlags = 53;
  if (text.size() < kLength || text[2] != '-' || text[kParent - 1] != '-' || text[kFlags - 1] != '-')
    return std::nullopt;
  std::array<std::uint8_t, 1> version{}, flags{};
  TraceContext context;
  if (!read_hex(text, version) || !read_hex(text.substr(kTrace), context.trace_id) ||
      !read_hex(text.substr(kParent), context.parent_id) || !read_hex(text.substr(kFlags), flags))
    return std::nullopt;
  const bool whole = text.size() == kLength || (version[0] != 0 && text[kLength] == '-');
  if (version[0] == 0xff || !whole || is_zero(context.trace_id) || is_zero(context.parent_id)) return std::nullopt;
  context.flags = flags[0];
  return context;
}

std::uint64_t TraceContext::message_trace_id() const {
  const std::span<const std::uint8_t> all(trace_id);
  const std::uint64_t right = big_endian(all.last(8));
  return right != 0 ? right : big_endian(all.first(8));
}

}  // namespace mxp
