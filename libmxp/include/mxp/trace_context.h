// W3C trace context: which trace, and which span of it, asked for what a program does (the header or environment
// variable TRACEPARENT).
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>

#pragma GCC visibility push(default)
namespace mxp {

struct TraceContext {
  std::array<std::uint8_t, 16> trace_id{};
  std::array<std::uint8_t, 8> parent_id{};
  std::uint8_t flags = 0;  // bit 0: sampled

  // "00-<32 hex digits>-<16 hex digits>-<2 hex digits>", in lower case, neither id all zero. A later version may go on
  // behind a further "-" (W3C Trace Context §3.2).
  static std::optional<TraceContext> parse(std::string_view traceparent);

  // What a message of this trace carries as its trace id, which has 64 bits (docs/protocol.md §1): the right half of
  // the trace's, as a big-endian number, which is what systems with short ids take of a long one; the left half, if the
  // right one is zero, because 0 means that a message belongs to no trace.
  std::uint64_t message_trace_id() const;

  bool operator==(const TraceContext&) const = default;
};

}  // namespace mxp
#pragma GCC visibility pop
