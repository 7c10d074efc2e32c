// JSON as the sinks write it: straight into one string that is used again and again.
#pragma once

#include <fmt/format.h>

#include <cstdint>
#include <iterator>
#include <string>
#include <string_view>

#include "mxp/bytes.h"
#include "mxp/time.h"

namespace mxp::trace_json {

// Between quotes. What a peer or a user chose is first made safe to look at (mxp/text.h).
void append_string(std::string& out, std::string_view text);
void append_peer_string(std::string& out, std::string_view text);
void append_hex(std::string& out, ByteView bytes);
// Milliseconds with three digits behind the point, exact.
void append_milliseconds(std::string& out, Duration span);
// "2026-11-28T03:10:00.123Z" (RFC 3339).
std::string utc_text(std::uint64_t unix_nanoseconds);

template <typename... Arguments>
void append(std::string& out, fmt::format_string<Arguments...> format, Arguments&&... arguments) {
  fmt::format_to(std::back_inserter(out), format, std::forward<Arguments>(arguments)...);
}

}  // namespace mxp::trace_json
