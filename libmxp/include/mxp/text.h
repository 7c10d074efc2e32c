// Text that a stranger chose, made safe for a terminal and a log (threat t51). A program passes everything through here
// that it shows of a peer's bytes, names and messages. CloseInfo::reason is escaped already.
#pragma once

#include <cstdint>
#include <limits>
#include <string>
#include <string_view>

#pragma GCC visibility push(default)
namespace mxp {

// How a character beyond ASCII is written when it may not be shown as it is.
enum class EscapeForm : std::uint8_t {
  braces,  // \u{9b} \u{202e} \u{e0001}: never mistaken for a byte, nor for the digits behind it
  plain,   // \x9b \u202e \U000e0001
};

// Whatever could move a cursor, hide text or change the order in which it is read is written as a number: C0, DEL, C1,
// what Unicode calls Bidi_Control or Default_Ignorable_Code_Point, line and paragraph separators, annotations. ASCII
// controls and bytes that are not UTF-8 become \xNN; a backslash becomes \\, so that an escape cannot be forged.
// The result has at most `max_bytes` and never ends within a character or an escape.
std::string escape_text(std::string_view text, EscapeForm form = EscapeForm::braces,
                        std::size_t max_bytes = std::numeric_limits<std::size_t>::max());

// Well-formed UTF-8 in which escape_text() would change nothing but backslashes.
bool is_plain_text(std::string_view text);

// Well-formed UTF-8 (RFC 3629).
bool is_valid_utf8(std::string_view text);

}  // namespace mxp
#pragma GCC visibility pop
