// Text that a peer chose, made safe for a terminal and a log (threat t51): C0, DEL, C1, bidirectional controls, line
// and paragraph separators and malformed UTF-8 become \xNN or \u{N}; a backslash becomes \\.
#pragma once

#include <string>
#include <string_view>

namespace mxp::tools {

inline constexpr std::size_t kMaxPeerText = 256;  // bytes of input looked at; "…" marks a cut

std::string escape(std::string_view text, std::size_t max_bytes = kMaxPeerText);

// Whether `text` is well-formed UTF-8 (RFC 3629) without NUL.
bool is_utf8(std::string_view text);
// Whether escape() would leave every character of well-formed `text` as it is (the backslash aside).
bool has_control_characters(std::string_view text);

}  // namespace mxp::tools
