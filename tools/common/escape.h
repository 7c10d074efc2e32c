// Text that a peer chose, cut and made safe for a terminal and a log (threat t51); mxp/text.h says what becomes \xNN or
// \u{N}.
#pragma once

#include <string>
#include <string_view>

namespace mxp::tools {

inline constexpr std::size_t kMaxPeerText = 256;  // bytes of input looked at; "…" marks a cut

std::string escape(std::string_view text, std::size_t max_bytes = kMaxPeerText);

// Whether `text` is well-formed UTF-8 (RFC 3629) without NUL.
bool is_utf8(std::string_view text);
// Whether escape() would turn a character of `text` into a number, or it is not UTF-8. Variation selectors do not
// count: they choose the shape of the character before them, as in "❤️", and names of files have them.
bool has_control_characters(std::string_view text);

}  // namespace mxp::tools
