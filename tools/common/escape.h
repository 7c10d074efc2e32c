// Text that a peer chose, cut and made safe for a terminal and a log (threat t51); mxp/text.h says what becomes \xNN or
// \u{N}.
#pragma once

#include <string>
#include <string_view>

namespace mxp::tools {

inline constexpr std::size_t kMaxPeerText = 256;  // bytes of input looked at; "…" marks a cut

std::string escape(std::string_view text, std::size_t max_bytes = kMaxPeerText);

// Well-formed UTF-8 in which escape() would change nothing but backslashes and variation selectors: these choose the
// shape of the character before them, as in "❤️", and names of files have them.
bool is_plain_but_for_selectors(std::string_view text);

// As the text of an element of HTML or XML, or between the double quotes of an attribute.
std::string in_markup(std::string_view text);

}  // namespace mxp::tools
