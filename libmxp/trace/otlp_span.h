// One span as a line of OTLP/JSON (the JSON form of opentelemetry.proto.trace.v1): ids in hexadecimal, 64-bit numbers
// as strings, enums as numbers.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include "mxp/bytes.h"

namespace mxp {

using SpanId = std::array<std::uint8_t, 8>;

// The attributes of a span, as they stand between the brackets.
class OtlpAttributes {
 public:
  OtlpAttributes& number(std::string_view key, std::uint64_t value);
  OtlpAttributes& milliseconds(std::string_view key, double value);
  OtlpAttributes& flag(std::string_view key, bool value);
  // The text may be anybody's: it is escaped.
  OtlpAttributes& text(std::string_view key, std::string_view value);
  const std::string& json() const { return json_; }

 private:
  void begin(std::string_view key);
  std::string json_;
};

struct OtlpSpan {
  enum class Kind : std::uint8_t { internal = 1, server = 2, client = 3 };
  ByteView trace_id;
  SpanId id{};
  ByteView parent_id;  // empty: none
  std::uint8_t flags = 1;
  std::string_view name;
  Kind kind = Kind::internal;
  std::uint64_t begin_ns = 0, end_ns = 0;  // since 1970
  std::string_view error;                  // "": none. Escaped here
  const OtlpAttributes* attributes = nullptr;
};

// With its newline.
void append_otlp_line(std::string& out, std::string_view service, const OtlpSpan& span);

}  // namespace mxp
