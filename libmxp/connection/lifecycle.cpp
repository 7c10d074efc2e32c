#include "connection/lifecycle.h"

#include <fmt/format.h>

#include "connection/parts.h"

namespace mxp {

namespace {

bool has_ended(const Parts& parts) { return parts.lifecycle.outcome.has_value(); }

// RFC 9000 §10.2: closing and draining last three probe timeouts, long enough for what is on the way to arrive.
constexpr int kDiscardProbeTimeouts = 3;

void begin_end(Parts& parts, ConnectionState state, CloseInfo info) {
  info.before_established = parts.lifecycle.state == ConnectionState::handshaking;
  parts.lifecycle.outcome = std::move(info);
  parts.lifecycle.state = state;
  parts.lifecycle.close_frame_due = state == ConnectionState::closing && parts.keys.has_value();
  parts.ready.on_ready(parts.self);
}

// Decodes one code point of UTF-8; 0xFFFFFFFF for bytes that are not. `size` is set to the bytes consumed, at least 1.
char32_t decode_utf8(ByteView text, std::size_t& size) {
  constexpr char32_t kInvalid = 0xFFFFFFFF;
  const std::uint8_t first = text[0];
  size = 1;
  if (first < 0x80) return first;
  const std::size_t length = first >= 0xf0 && first < 0xf5   ? 4
                             : first >= 0xe0 && first < 0xf0 ? 3
                             : first >= 0xc2 && first < 0xe0 ? 2
                                                             : 0;
  if (length == 0 || text.size() < length) return kInvalid;
  char32_t value = first & (0xffu >> (length + 1));
  for (std::size_t i = 1; i < length; ++i) {
    if ((text[i] & 0xc0) != 0x80) return kInvalid;
    value = value << 6 | (text[i] & 0x3fu);
  }
  constexpr char32_t kSmallest[] = {0, 0, 0x80, 0x800, 0x10000};
  if (value < kSmallest[length] || value > 0x10ffff || (value >= 0xd800 && value < 0xe000)) return kInvalid;
  size = length;
  return value;
}

// What could rewrite a terminal or hide text: C0, DEL, C1, and the bidirectional and invisible formatting characters.
bool must_be_escaped(char32_t c) {
  return c < 0x20 || (c >= 0x7f && c < 0xa0) || c == 0xad || c == 0x61c || (c >= 0x200b && c <= 0x200f) ||
         (c >= 0x2028 && c <= 0x202e) || (c >= 0x2060 && c <= 0x206f) || c == 0xfeff;
}

}  // namespace

std::string escape_reason(ByteView text) {
  constexpr std::size_t kMaxLength = 256;
  std::string out;
  while (!text.empty()) {
    std::size_t size = 0;
    const char32_t c = decode_utf8(text, size);
    std::string piece;
    if (c == 0xFFFFFFFF) piece = fmt::format("\\x{:02x}", text[0]);
    else if (must_be_escaped(c))
      piece = c < 0x100 ? fmt::format("\\x{:02x}", static_cast<unsigned>(c))
                        : fmt::format("\\u{:04x}", static_cast<unsigned>(c));
    else if (c == '\\') piece = "\\\\";
    else piece.assign(text.begin(), text.begin() + static_cast<std::ptrdiff_t>(size));
    if (out.size() + piece.size() > kMaxLength) break;
    out += piece;
    text = text.subspan(size);
  }
  return out;
}

void close_by_application(Parts& parts, AppErrorCode code, std::string_view reason) {
  if (has_ended(parts)) return;
  CloseInfo info;
  info.by = CloseInfo::By::local;
  info.application = true;
  info.code = code;
  info.reason = std::string(reason.substr(0, kMaxCloseReason));
  begin_end(parts, ConnectionState::closing, std::move(info));
}

void close_by_error(Parts& parts, const TransportError& error) {
  if (has_ended(parts)) return;
  CloseInfo info;
  info.by = CloseInfo::By::local;
  info.code = static_cast<std::uint64_t>(error.code);
  info.frame_type = error.frame_type;
  info.reason = std::string(error.reason);
  begin_end(parts, ConnectionState::closing, std::move(info));
}

void on_peer_close(Parts& parts, Timestamp now, bool application, std::uint64_t code, std::uint64_t frame_type,
                   ByteView reason) {
  if (parts.lifecycle.state == ConnectionState::closing) {
    // Both sides closed at once: nothing more to say, so no answer to an answer (threat t55).
    parts.lifecycle.state = ConnectionState::draining;
    parts.lifecycle.close_frame_due = false;
    return;
  }
  if (has_ended(parts)) return;
  CloseInfo info;
  info.by = CloseInfo::By::peer;
  info.application = application;
  info.code = code;
  info.frame_type = frame_type;
  info.reason = escape_reason(reason);
  begin_end(parts, ConnectionState::draining, std::move(info));
  arm_discard(parts, now);
}

void end_silently(Parts& parts, Timestamp now, CloseInfo::By by, TransportErrorCode code, std::string_view reason) {
  if (has_ended(parts)) return;
  CloseInfo info;
  info.by = by;
  info.code = static_cast<std::uint64_t>(code);
  info.reason = std::string(reason);
  // A client that gives up before message 2 answers a late one with a CLOSE, so that the server need not wait for it.
  const bool may_hear_late_answer = parts.handshake != nullptr;
  begin_end(parts, may_hear_late_answer ? ConnectionState::closing : ConnectionState::draining, std::move(info));
  if (may_hear_late_answer) arm_discard(parts, now);
  else parts.lifecycle.discard_at = now;
}

void arm_discard(Parts& parts, Timestamp now) {
  const bool ending =
      parts.lifecycle.state == ConnectionState::closing || parts.lifecycle.state == ConnectionState::draining;
  if (!ending || parts.lifecycle.discard_at != kNever) return;
  parts.lifecycle.discard_at = now + kDiscardProbeTimeouts * parts.recovery.probe_timeout();
}

bool report_outcome(Parts& parts, Timestamp now) {
  if (!has_ended(parts) || parts.lifecycle.reported) return false;
  parts.lifecycle.reported = true;
  const CloseInfo& info = *parts.lifecycle.outcome;
  parts.trace(now, TraceClosed{info.by, info.application, info.code});
  parts.environment.handler.on_closed(parts.self, info);
  // Not sooner: from inside on_closed the application may still ask for bytes that it had not taken.
  parts.streams.drop_all();
  return true;
}

}  // namespace mxp
