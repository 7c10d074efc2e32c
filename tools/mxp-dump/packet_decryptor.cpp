#include "mxp-dump/packet_decryptor.h"

#include <algorithm>
#include <array>

#include "core/packet_number.h"
#include "crypto/key_schedule.h"

namespace mxp::dump {

PacketDecryptor::PacketDecryptor(Suite suite, const TrafficSecret& secret)
    : PacketDecryptor(suite, derive_packet_keys(secret)) {}

PacketDecryptor::PacketDecryptor(Suite suite, const PacketKeys& keys)
    : suite_(suite), header_(suite, keys.hp), aead_(suite, keys.key), iv_(keys.iv) {}

std::optional<PacketDecryptor::Opened> PacketDecryptor::open(ByteView packet, std::uint64_t expected, std::size_t tries,
                                                             std::vector<std::uint8_t>& scratch) {
  if (packet.size() < kMinShortPacket) return std::nullopt;
  scratch.assign(packet.begin(), packet.end());

  std::array<std::uint8_t, HeaderProtector::kSampleSize> sample{};
  std::copy_n(packet.begin() + kShortHeaderSize + 4, sample.size(), sample.begin());
  std::array<HeaderProtector::Mask, 1> mask{};
  header_.masks(sample, mask);
  scratch[0] = static_cast<std::uint8_t>(scratch[0] ^ (mask[0][0] & 0x1f));
  const std::size_t number_size = (scratch[0] & packet_bits::kNumberSize) + 1u;
  std::uint64_t truncated = 0;
  for (std::size_t i = 0; i < number_size; ++i) {
    std::uint8_t& byte = scratch[kShortHeaderSize + i];
    byte = static_cast<std::uint8_t>(byte ^ mask[0][1 + i]);
    truncated = truncated << 8 | byte;
  }

  const std::size_t header_size = kShortHeaderSize + number_size;
  const std::uint64_t window = std::uint64_t{1} << (8 * number_size);
  const std::uint64_t first = expand_packet_number(expected, truncated, number_size).value();
  const auto opened = [&](std::uint64_t number) {
    return Opened{PacketNumber(number), scratch[0],
                  MutableBytes(scratch).subspan(header_size, packet.size() - header_size - kTagSize)};
  };
  if (try_number(packet, header_size, first, scratch)) return opened(first);
  for (std::uint64_t i = 1; i <= tries; ++i) {
    const std::uint64_t distance = i * window;
    if (first + distance <= kMaxVarint && try_number(packet, header_size, first + distance, scratch))
      return opened(first + distance);
    if (first >= distance && try_number(packet, header_size, first - distance, scratch))
      return opened(first - distance);
  }
  return std::nullopt;
}

// The header in `scratch` is unmasked already and is the associated data.
bool PacketDecryptor::try_number(ByteView packet, std::size_t header_size, std::uint64_t number, MutableBytes scratch) {
  std::copy(packet.begin() + static_cast<std::ptrdiff_t>(header_size), packet.end(),
            scratch.begin() + static_cast<std::ptrdiff_t>(header_size));
  AeadNonce nonce{};
  std::copy_n(iv_.view().begin(), nonce.size(), nonce.begin());
  for (std::size_t i = 0; i < 8; ++i)
    nonce[nonce.size() - 1 - i] = static_cast<std::uint8_t>(nonce[nonce.size() - 1 - i] ^ (number >> (8 * i)));
  const std::size_t body = packet.size() - header_size - kTagSize;
  return aead_.open(nonce, scratch.first(header_size), scratch.subspan(header_size, body),
                    scratch.subspan(header_size + body).first<kTagSize>());
}

}  // namespace mxp::dump
