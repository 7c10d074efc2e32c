// What the three programs of this folder share: what worker and caller have agreed on, and a few lines that any program
// with an event loop has. How they play together is told in registry.cpp, worker.cpp and caller.cpp.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <expected>
#include <optional>
#include <string>
#include <string_view>

#include "mxp/event_loop.h"
#include "mxp/url.h"

namespace agents {

// What there is to call. The data of each call, and of its answer, are text or numbers as said here.
inline constexpr mxp::Uuid kCapitals = {1};  // text; answered by the same in capitals
inline constexpr mxp::Uuid kNap = {2};       // number of milliseconds; answered by "awake" when they are over
inline constexpr mxp::Uuid kReport = {3};    // number of lines; answered by a ReportAnswer

inline constexpr std::string_view kCapability = "office work";  // by which a caller finds a worker

inline mxp::ByteView as_bytes(std::string_view text) {
  return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
}
inline std::string as_text(mxp::ByteView bytes) { return {reinterpret_cast<const char*>(bytes.data()), bytes.size()}; }

// Numbers travel as eight bytes, the lowest first.
inline std::array<std::uint8_t, 8> encode_number(std::uint64_t value) {
  std::array<std::uint8_t, 8> bytes;
  for (std::uint8_t& byte : bytes) {
    byte = static_cast<std::uint8_t>(value & 0xff);
    value >>= 8;
  }
  return bytes;
}
inline std::optional<std::uint64_t> decode_number(mxp::ByteView bytes) {
  if (bytes.size() != 8) return std::nullopt;
  std::uint64_t value = 0;
  for (std::size_t i = bytes.size(); i-- != 0;) value = value << 8 | bytes[i];
  return value;
}

// FNV-1a, 64 bits: shows that a program has put together what another one took apart. Against an attacker it shows
// nothing, and need not: every packet is authenticated.
class Digest {
 public:
  void add(mxp::ByteView bytes) {
    for (const std::uint8_t byte : bytes) value_ = (value_ ^ byte) * 0x100000001b3;
    size_ += bytes.size();
  }
  std::uint64_t value() const { return value_; }
  std::uint64_t size() const { return size_; }

 private:
  std::uint64_t value_ = 0xcbf29ce484222325;
  std::uint64_t size_ = 0;
};

// The caller can use the lines of a report before it is whole, so it comes on a stream of its own. The answer follows
// when the caller has all of it, and says which stream that was and what must have come.
struct ReportAnswer {
  std::uint64_t stream = 0;
  std::uint64_t size = 0;
  std::uint64_t digest = 0;
  std::uint64_t events = 0;  // that told of its progress; their payload is the number of the stream

  std::array<std::uint8_t, 32> encode() const {
    std::array<std::uint8_t, 32> bytes;
    auto out = bytes.begin();
    for (const std::uint64_t field : {stream, size, digest, events})
      out = std::ranges::copy(encode_number(field), out).out;
    return bytes;
  }
  static std::optional<ReportAnswer> decode(mxp::ByteView bytes) {
    if (bytes.size() != 32) return std::nullopt;
    const auto field = [bytes](std::size_t index) { return *decode_number(bytes.subspan(index * 8, 8)); };
    return ReportAnswer{.stream = field(0), .size = field(1), .digest = field(2), .events = field(3)};
  }
};

inline int fail(std::string_view why) {
  std::fprintf(stderr, "error: %.*s\n", static_cast<int>(why.size()), why.data());
  return 1;
}

// Whom a URL names. Its key must be there, because it is what the peer is recognised by.
struct Peer {
  mxp::SocketAddress address;
  mxp::PublicKey key;
};
inline std::expected<Peer, std::string> parse_peer(std::string_view text) {
  const auto url = mxp::parse_url(text);
  if (!url) return std::unexpected(url.error());
  const auto address = mxp::SocketAddress::parse(url->host + ":" + std::to_string(url->port));
  if (!address || !url->key) return std::unexpected("the URL needs a key and a numeric IPv4 address");
  return Peer{*address, *url->key};
}

}  // namespace agents
