#include "core/base64url.h"

namespace mxp {
namespace {

constexpr std::string_view kAlphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

}  // namespace

std::string base64url_encode(ByteView bytes) {
  std::string text;
  text.reserve((bytes.size() * 4 + 2) / 3);
  std::uint32_t bits = 0;
  unsigned held = 0;  // how many of the low bits of `bits` are not yet written
  for (const std::uint8_t byte : bytes) {
    bits = bits << 8 | byte;
    held += 8;
    for (; held >= 6; held -= 6) text += kAlphabet[bits >> (held - 6) & 0x3f];
  }
  if (held != 0) text += kAlphabet[bits << (6 - held) & 0x3f];
  return text;
}

bool base64url_decode(std::string_view text, MutableBytes out) {
  if (text.size() != (out.size() * 4 + 2) / 3) return false;
  std::uint32_t bits = 0;
  unsigned held = 0;
  std::size_t used = 0;
  for (const char c : text) {
    const std::size_t value = kAlphabet.find(c);
    if (value == std::string_view::npos) return false;
    bits = bits << 6 | static_cast<std::uint32_t>(value);
    held += 6;
    if (held >= 8) {
      held -= 8;
      out[used++] = static_cast<std::uint8_t>(bits >> held);
    }
  }
  return (bits & ((1u << held) - 1)) == 0;
}

}  // namespace mxp
