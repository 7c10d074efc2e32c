// UTF-8 as RFC 3629 defines it: no overlong forms, no surrogates, nothing above U+10FFFF.
#pragma once

#include <cstddef>
#include <string_view>

#include "mxp/bytes.h"

namespace mxp {

inline ByteView as_bytes(std::string_view text) {
  return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
}

struct Utf8Character {
  char32_t code_point = 0;
  std::size_t size = 0;  // in bytes; 0 if what stands there is not UTF-8
};

// The character at the front. REQUIRES: !bytes.empty().
Utf8Character decode_utf8(ByteView bytes);

bool is_valid_utf8(ByteView bytes);

}  // namespace mxp
