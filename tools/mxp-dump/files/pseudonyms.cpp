#include "mxp-dump/files/pseudonyms.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>

#include <algorithm>
#include <memory>

#include "mxp/require.h"

namespace mxp::dump {
namespace {

// What is kept of an IPv4 address: of which of these it is. Each is a prefix and its length (RFC 6890, RFC 5771).
struct Ipv4Kind {
  std::uint32_t prefix;
  int length;
  int kind;
};
constexpr Ipv4Kind kIpv4Kinds[] = {{0x0a000000, 8, 1},  {0xac100000, 12, 1}, {0xc0a80000, 16, 1}, {0x64400000, 10, 2},
                                   {0xa9fe0000, 16, 3}, {0xe0000000, 4, 4},  {0xf0000000, 4, 5}};

int kind_of(std::uint32_t address) {
  for (const Ipv4Kind& kind : kIpv4Kinds) {
    if ((address ^ kind.prefix) >> (32 - kind.length) == 0) return kind.kind;
  }
  return address >> 24 == 127 || address >> 24 == 0 ? 6 : 0;
}

// Our choice: what one capture holds in most cases; beyond it pseudonyms are computed again.
constexpr std::size_t kMaxRemembered = 65536;

}  // namespace

Pseudonyms::~Pseudonyms() { OPENSSL_cleanse(key_.data(), key_.size()); }

void Pseudonyms::replace(char domain, ByteView bytes, MutableBytes out) const {
  if (out.empty()) return;
  // SHAKE256 over key, domain and content: a function of all of it that cannot be turned back without the key.
  const std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> hash(EVP_MD_CTX_new(), &EVP_MD_CTX_free);
  const bool good = hash != nullptr && EVP_DigestInit_ex(hash.get(), EVP_shake256(), nullptr) == 1 &&
                    EVP_DigestUpdate(hash.get(), key_.data(), key_.size()) == 1 &&
                    EVP_DigestUpdate(hash.get(), &domain, 1) == 1 &&
                    EVP_DigestUpdate(hash.get(), bytes.data(), bytes.size()) == 1 &&
                    EVP_DigestFinalXOF(hash.get(), out.data(), out.size()) == 1;
  MXP_REQUIRE(good);
}

ConnectionId Pseudonyms::of(ConnectionId id) const {
  ConnectionId::Bytes bytes{};
  replace('i', id.bytes(), bytes);
  return ConnectionId(bytes);
}

// A Feistel network of two halves of 16 bits: a permutation, whatever the round function is (Luby and Rackoff).
std::uint32_t Pseudonyms::shuffle(std::uint32_t value) const {
  auto left = static_cast<std::uint16_t>(value >> 16), right = static_cast<std::uint16_t>(value);
  for (std::uint8_t round = 0; round < 6; ++round) {
    const std::uint8_t input[] = {round, static_cast<std::uint8_t>(right >> 8), static_cast<std::uint8_t>(right)};
    std::array<std::uint8_t, 2> output{};
    replace('4', input, output);
    const auto mixed = static_cast<std::uint16_t>(left ^ (output[0] << 8 | output[1]));
    left = right;
    right = mixed;
  }
  return std::uint32_t{left} << 16 | right;
}

// Walks along the permutation until it meets an address of the same kind: a permutation of that kind.
std::uint32_t Pseudonyms::ipv4(std::uint32_t address) const {
  const int kind = kind_of(address);
  if (kind == 6 || address == 0xffffffff) return address;
  // A rare kind would take thousands of steps: the bits behind its prefix are shuffled in their place, by xor with a
  // secret mask, which is a permutation too.
  if (kind >= 2) {
    const auto* found = std::find_if(std::begin(kIpv4Kinds), std::end(kIpv4Kinds),
                                     [&](const Ipv4Kind& one) { return one.kind == kind; });
    std::array<std::uint8_t, 4> mask{};
    const std::uint8_t input[] = {static_cast<std::uint8_t>(kind)};
    replace('m', input, mask);
    const std::uint32_t bits =
        std::uint32_t{mask[0]} << 24 | std::uint32_t{mask[1]} << 16 | std::uint32_t{mask[2]} << 8 | mask[3];
    return address ^ (bits & (0xffffffffu >> found->length));
  }
  std::uint32_t walked = shuffle(address);
  while (kind_of(walked) != kind) walked = shuffle(walked);
  return walked;
}

SocketAddress Pseudonyms::of(const SocketAddress& address) {
  SocketAddress bare = address;
  bare.port = 0;
  auto found = addresses_.find(bare);
  if (found == addresses_.end()) {
    SocketAddress other = bare;
    if (bare.family == AddressFamily::ipv4) {
      const std::uint32_t value = std::uint32_t{bare.ip[0]} << 24 | std::uint32_t{bare.ip[1]} << 16 |
                                  std::uint32_t{bare.ip[2]} << 8 | bare.ip[3];
      const std::uint32_t changed = ipv4(value);
      for (std::size_t i = 0; i < 4; ++i) other.ip[i] = static_cast<std::uint8_t>(changed >> (24 - 8 * i));
    } else if (!std::all_of(bare.ip.begin(), bare.ip.end() - 1, [](std::uint8_t byte) { return byte == 0; })) {
      const std::uint8_t first = bare.ip[0], second = bare.ip[1];
      replace('6', bare.ip, other.ip);
      if (first == 0xfe || first == 0xff) {  // link-local, multicast with its scope
        other.ip[0] = first;
        other.ip[1] = second;
      } else if ((first & 0xfe) == 0xfc) {  // unique local
        other.ip[0] = first;
      } else {  // public: as documentation has it (RFC 3849)
        constexpr std::uint8_t kDocumentation[] = {0x20, 0x01, 0x0d, 0xb8};
        std::copy(std::begin(kDocumentation), std::end(kDocumentation), other.ip.begin());
      }
    }
    if (addresses_.size() >= kMaxRemembered) addresses_.clear();
    found = addresses_.emplace(bare, other).first;
  }
  SocketAddress result = found->second;
  result.port = address.port;
  return result;
}

}  // namespace mxp::dump
