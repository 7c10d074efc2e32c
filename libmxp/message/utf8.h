// Whether bytes are well-formed UTF-8: RFC 3629, so no overlong forms, no surrogates, nothing above U+10FFFF.
#pragma once

#include "mxp/bytes.h"

namespace mxp {

bool is_valid_utf8(ByteView bytes);

}  // namespace mxp
