#include "trace/json_text.h"

#include <chrono>

#include "mxp/text.h"

namespace mxp::trace_json {

void append_string(std::string& out, std::string_view text) {
  out += '"';
  for (const char c : text) {
    if (c == '"' || c == '\\') out += '\\';
    if (static_cast<unsigned char>(c) < 0x20) append(out, "\\u{:04x}", static_cast<unsigned>(c));
    else out += c;
  }
  out += '"';
}

void append_peer_string(std::string& out, std::string_view text) {
  append_string(out, escape_text(text, EscapeForm::plain));
}

void append_hex(std::string& out, ByteView bytes) {
  for (const std::uint8_t byte : bytes) {
    out += "0123456789abcdef"[byte >> 4];
    out += "0123456789abcdef"[byte & 15];
  }
}

void append_milliseconds(std::string& out, Duration span) {
  const std::int64_t us = std::chrono::duration_cast<std::chrono::microseconds>(span).count();
  const std::uint64_t size = static_cast<std::uint64_t>(us < 0 ? -us : us);
  append(out, "{}{}.{:03}", us < 0 ? "-" : "", size / 1000, size % 1000);
}

std::string utc_text(std::uint64_t unix_nanoseconds) {
  using std::chrono::days;
  const std::chrono::sys_time<std::chrono::milliseconds> at{
      std::chrono::milliseconds(static_cast<std::int64_t>(unix_nanoseconds / 1'000'000))};
  const auto day = std::chrono::floor<days>(at);
  const std::chrono::year_month_day date(day);
  const std::chrono::hh_mm_ss time(at - day);
  return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:03}Z", static_cast<int>(date.year()),
                     static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()), time.hours().count(),
                     time.minutes().count(), time.seconds().count(), time.subseconds().count());
}

}  // namespace mxp::trace_json
