// Unpadded base64url (RFC 4648 §5), canonical only: one text for each byte string and the reverse.
#pragma once

#include <string>
#include <string_view>

#include "mxp/bytes.h"

namespace mxp {

std::string base64url_encode(ByteView bytes);
// Fills `out` exactly; false for padding, foreign characters, another length, or bits left over that are not 0.
bool base64url_decode(std::string_view text, MutableBytes out);

}  // namespace mxp
