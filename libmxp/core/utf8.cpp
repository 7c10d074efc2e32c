#include "core/utf8.h"

#include <algorithm>

#include "mxp/require.h"

namespace mxp {
namespace {

// RFC 3629 §4, the table of well-formed sequences: what the first byte may be, how many bytes follow, and the bounds of
// the second byte. Every later byte is 80..BF.
struct Form {
  std::uint8_t first_low, first_high;
  std::size_t following;
  std::uint8_t second_low, second_high;
};
constexpr Form kForms[] = {
    {0x00, 0x7f, 0, 0x00, 0x00}, {0xc2, 0xdf, 1, 0x80, 0xbf}, {0xe0, 0xe0, 2, 0xa0, 0xbf},
    {0xe1, 0xec, 2, 0x80, 0xbf}, {0xed, 0xed, 2, 0x80, 0x9f}, {0xee, 0xef, 2, 0x80, 0xbf},
    {0xf0, 0xf0, 3, 0x90, 0xbf}, {0xf1, 0xf3, 3, 0x80, 0xbf}, {0xf4, 0xf4, 3, 0x80, 0x8f},
};

}  // namespace

Utf8Character decode_utf8(ByteView bytes) {
  MXP_REQUIRE(!bytes.empty());
  const std::uint8_t first = bytes.front();
  if (first < 0x80) return {first, 1};
  const auto* form = std::find_if(std::begin(kForms), std::end(kForms),
                                  [&](const Form& f) { return f.first_low <= first && first <= f.first_high; });
  if (form == std::end(kForms) || bytes.size() < 1 + form->following) return {};
  if (bytes[1] < form->second_low || bytes[1] > form->second_high) return {};
  // The first byte of a sequence of n bytes begins with n ones and a zero.
  char32_t code_point = first & (0x3fu >> form->following);
  for (std::size_t i = 1; i <= form->following; ++i) {
    if ((bytes[i] & 0xc0) != 0x80) return {};
    code_point = code_point << 6 | (bytes[i] & 0x3fu);
  }
  return {code_point, 1 + form->following};
}

bool is_valid_utf8(ByteView bytes) {
  while (!bytes.empty()) {
    const std::size_t size = decode_utf8(bytes).size;
    if (size == 0) return false;
    bytes = bytes.subspan(size);
  }
  return true;
}

}  // namespace mxp
