#include "trace/otlp_span.h"

#include "mxp/version.h"
#include "trace/json_text.h"

namespace mxp {

using namespace trace_json;

void OtlpAttributes::begin(std::string_view key) {
  append(json_, "{}{{\"key\":\"{}\",\"value\":", json_.empty() ? "" : ",", key);
}

OtlpAttributes& OtlpAttributes::number(std::string_view key, std::uint64_t value) {
  begin(key);
  append(json_, "{{\"intValue\":\"{}\"}}}}", value);
  return *this;
}

OtlpAttributes& OtlpAttributes::milliseconds(std::string_view key, double value) {
  begin(key);
  append(json_, "{{\"doubleValue\":{:.3f}}}}}", value);
  return *this;
}

OtlpAttributes& OtlpAttributes::flag(std::string_view key, bool value) {
  begin(key);
  append(json_, "{{\"boolValue\":{}}}}}", value);
  return *this;
}

OtlpAttributes& OtlpAttributes::text(std::string_view key, std::string_view value) {
  begin(key);
  json_ += "{\"stringValue\":";
  append_peer_string(json_, value);
  json_ += "}}";
  return *this;
}

void append_otlp_line(std::string& out, std::string_view service, const OtlpSpan& span) {
  OtlpAttributes resource;
  resource.text("service.name", service).text("service.version", kLibraryVersion);
  append(out,
         "{{\"resourceSpans\":[{{\"resource\":{{\"attributes\":[{}]}},\"scopeSpans\":[{{\"scope\":", resource.json());
  append(out, "{{\"name\":\"mxp\",\"version\":\"{}\"}},\"spans\":[{{\"traceId\":\"", kLibraryVersion);
  append_hex(out, span.trace_id);
  out += "\",\"spanId\":\"";
  append_hex(out, span.id);
  if (!span.parent_id.empty()) {
    out += "\",\"parentSpanId\":\"";
    append_hex(out, span.parent_id);
  }
  append(out, "\",\"flags\":{},\"name\":\"{}\",\"kind\":{},", span.flags, span.name, static_cast<int>(span.kind));
  append(out, "\"startTimeUnixNano\":\"{}\",\"endTimeUnixNano\":\"{}\",\"attributes\":[{}],\"status\":{{",
         span.begin_ns, span.end_ns, span.attributes == nullptr ? std::string() : span.attributes->json());
  if (!span.error.empty()) {
    out += "\"code\":2,\"message\":";
    append_peer_string(out, span.error);
  }
  out += "}}]}]}]}\n";
}

}  // namespace mxp
