#include "mxp-dump/files/pseudonyms.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>

#include <algorithm>
#include <memory>
#include <vector>

#include "mxp-dump/dissect/batch.h"
#include "mxp/require.h"

namespace mxp::dump {
namespace {

// The networks within which IPv4 addresses are exchanged (RFC 6890, RFC 5771). All have an even number of host bits.
struct Ipv4Network {
  std::uint32_t prefix;
  int length;
};
constexpr Ipv4Network kIpv4Networks[] = {{0x0a000000, 8},  {0xac100000, 12}, {0xc0a80000, 16}, {0x64400000, 10},
                                         {0xa9fe0000, 16}, {0xe0000000, 4},  {0xf0000000, 4}};
constexpr Ipv4Network kPublic{0, 0};  // what is in none of these

// Null: the address is nobody's own, and is kept.
const Ipv4Network* network_of(std::uint32_t address) {
  if (address >> 24 == 127 || address >> 24 == 0 || address == 0xffffffff) return nullptr;
  for (const Ipv4Network& network : kIpv4Networks) {
    if ((address ^ network.prefix) >> (32 - network.length) == 0) return &network;
  }
  return &kPublic;
}

// Our choice, that of FF1 (NIST SP 800-38G), which has such small domains too.
constexpr std::uint8_t kRounds = 10;

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

ConnectionId Pseudonyms::of(ConnectionId stands, ConnectionId right) const {
  if (different_bits(stands, right) > kMaxDamagedBits) return of(stands);
  ConnectionId::Bytes bytes{};
  const ConnectionId pseudonym = of(right);
  for (std::size_t i = 0; i < bytes.size(); ++i)
    bytes[i] = static_cast<std::uint8_t>(pseudonym.bytes()[i] ^ right.bytes()[i] ^ stands.bytes()[i]);
  return ConnectionId(bytes);
}

// A Feistel network over the lower `bits` bits, which are an even number; the others stay. It is a permutation, whatever
// the round function is (Luby and Rackoff).
std::uint32_t Pseudonyms::permuted(std::uint32_t value, int bits) const {
  const int half = bits / 2;
  const std::uint32_t mask = (std::uint32_t{1} << half) - 1;
  const std::uint32_t network = bits == 32 ? 0 : value >> bits << bits;
  std::uint32_t left = value >> half & mask, right = value & mask;
  for (std::uint8_t round = 0; round < kRounds; ++round) {
    const auto byte = [](std::uint32_t word, int shift) { return static_cast<std::uint8_t>(word >> shift); };
    const std::uint8_t input[] = {
        round, static_cast<std::uint8_t>(bits), byte(network, 24), byte(network, 16), byte(right, 8), byte(right, 0)};
    std::array<std::uint8_t, 2> output{};
    replace('4', input, output);
    const std::uint32_t mixed = left ^ ((std::uint32_t{output[0]} << 8 | output[1]) & mask);
    left = right;
    right = mixed;
  }
  return network | left << half | right;
}

// The same over bytes, each half in its turn, so that they need not be of one size.
void Pseudonyms::permute(ByteView prefix, MutableBytes rest) const {
  const MutableBytes left = rest.first(rest.size() / 2), right = rest.subspan(rest.size() / 2);
  for (std::uint8_t round = 0; round < kRounds; ++round) {
    const MutableBytes changed = round % 2 == 0 ? left : right, other = round % 2 == 0 ? right : left;
    std::vector<std::uint8_t> input{round};
    input.insert(input.end(), prefix.begin(), prefix.end());
    input.insert(input.end(), other.begin(), other.end());
    std::array<std::uint8_t, 16> output{};
    replace('f', input, output);
    for (std::size_t i = 0; i < changed.size(); ++i) changed[i] ^= output[i];
  }
}

// Walks along the permutation until it meets an address of the same kind, which makes it a permutation of that kind.
// Next to nothing is left out of each, so that the second step is rarely taken.
std::uint32_t Pseudonyms::ipv4(std::uint32_t address) const {
  const Ipv4Network* const network = network_of(address);
  if (network == nullptr) return address;
  do address = permuted(address, 32 - network->length);
  while (network_of(address) != network);
  return address;
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
      const std::uint8_t first = bare.ip[0];
      // What stays of link-local and multicast addresses (the latter with their scope), and of unique local ones.
      const std::size_t kept = first == 0xfe || first == 0xff ? 2 : (first & 0xfe) == 0xfc ? 1 : 0;
      if (kept > 0) {
        permute(ByteView(bare.ip).first(kept), MutableBytes(other.ip).subspan(kept));
      } else {  // public: as documentation has it (RFC 3849)
        constexpr std::uint8_t kDocumentation[] = {0x20, 0x01, 0x0d, 0xb8};
        replace('6', bare.ip, other.ip);
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
