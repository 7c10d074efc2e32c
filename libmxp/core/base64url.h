// Unpadded base64url (RFC 4648 §5), canonical only: each byte string has exactly one text, and each text one byte
// string.
#pragma once

#include <string>
#include <string_view>

#include "mxp/bytes.h"

namespace mxp {

std::string base64url_encode(ByteView bytes);
// Fills `out` exactly. False for padding, foreign characters, another length, or left-over bits that are not 0.
bool base64url_decode(std::string_view text, MutableBytes out);

}  // namespace mxp
