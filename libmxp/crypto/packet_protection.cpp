// A packet goes out in these steps: nonce → AEAD over what follows the header → sample → mask. And it comes in by
// these: sample → mask → packet number → keys of its phase → nonce → AEAD → replay window. Until the tag has been
// checked, the masked bits decide nothing but which of the keys at hand is used, and all of them cost the same (RFC
// 9001 §9.5, §6.3).
#include "crypto/packet_protection.h"

#include <algorithm>
#include <bit>
#include <cstring>

#include "core/packet_number.h"
#include "crypto/algorithms.h"
#include "mxp/require.h"

namespace mxp {
namespace {

constexpr std::size_t kNumberOffset = kShortHeaderSize;
constexpr std::size_t kSampleOffset = kNumberOffset + 4;  // as if the number had four bytes (RFC 9001 §5.4.2)
constexpr std::size_t kMaxNumberSize = 4;
constexpr std::uint8_t kMaskedBits = 0x1f;  // of a short header's first byte (RFC 9001 §5.4.1)
static_assert(kSampleOffset + HeaderProtector::kSampleSize == kMinShortPacket);
static_assert(kTagSize == kAeadTagSize);

}  // namespace

AeadNonce packet_nonce(const SecretArray<12>& iv, PacketNumber number) {
  AeadNonce nonce;
  std::copy_n(iv.data(), nonce.size(), nonce.begin());
  for (std::size_t i = 0; i < 8; ++i) nonce[11 - i] ^= static_cast<std::uint8_t>(number.value() >> (8 * i));
  return nonce;
}

TruncatedNumber unmask_header(MutableBytes packet, const HeaderProtector::Mask& mask) {
  packet[0] ^= mask[0] & kMaskedBits;
  TruncatedNumber number{.size = (packet[0] & packet_bits::kNumberSize) + 1u};
  for (std::size_t i = 0; i < kMaxNumberSize; ++i) {
    // All four bytes are visited, and those beyond the number are XORed with zero.
    const auto inside = static_cast<std::uint8_t>(-static_cast<int>(i < number.size));
    packet[kNumberOffset + i] ^= mask[1 + i] & inside;
    number.value = number.value << 8 | packet[kNumberOffset + i];
  }
  number.value >>= 8 * (kMaxNumberSize - number.size);
  return number;
}

std::span<const std::uint8_t, HeaderProtector::kSampleSize> header_sample(ByteView packet) {
  return packet.subspan<kSampleOffset, HeaderProtector::kSampleSize>();
}

AeadLimits aead_limits(Suite suite) {
  // RFC 9001 §6.6. For ChaCha20-Poly1305 the number space ends before the confidentiality limit does.
  if (suite == Suite::chacha20_poly1305)
    return {.max_sealed = std::uint64_t{1} << 62, .max_failed_opens = std::uint64_t{1} << 36};
  return {.max_sealed = std::uint64_t{1} << 23, .max_failed_opens = std::uint64_t{1} << 52};
}

PacketSealer::PacketSealer(Suite suite, const TrafficSecret& secret)
    : PacketSealer(suite, secret, aead_limits(suite)) {}
PacketSealer::PacketSealer(Suite suite, const TrafficSecret& secret, const AeadLimits& limits)
    : PacketSealer(suite, secret, derive_packet_keys(secret), limits) {}
PacketSealer::PacketSealer(Suite suite, const TrafficSecret& secret, const PacketKeys& keys, const AeadLimits& limits)
    : suite_(suite), keys_(suite, keys), header_(suite, keys.hp), limits_(limits), secret_(secret) {}

void PacketSealer::update() {
  secret_ = derive_next_secret(secret_);
  keys_ = PhaseKeys(suite_, derive_packet_keys(secret_));
  packets_sealed_ = 0;
  ++phase_;
}

void PacketSealer::seal_payload(MutableBytes packet, std::size_t header_size, PacketNumber number) {
  MXP_REQUIRE(packet.size() >= kMinShortPacket && header_size + kAeadTagSize <= packet.size());
  const std::size_t plaintext_size = packet.size() - header_size - kAeadTagSize;
  keys_.aead.seal(packet_nonce(keys_.iv, number), packet.first(header_size),
                  packet.subspan(header_size, plaintext_size), packet.last<kAeadTagSize>());
  ++packets_sealed_;
}

void PacketSealer::protect_headers(std::span<const HeaderSlot> slots) {
  std::array<std::uint8_t, kMaxHeaderBatch * HeaderProtector::kSampleSize> samples;
  std::array<HeaderProtector::Mask, kMaxHeaderBatch> masks;
  while (!slots.empty()) {
    const auto batch = slots.first(std::min(slots.size(), kMaxHeaderBatch));
    for (std::size_t i = 0; i < batch.size(); ++i)
      std::memcpy(samples.data() + i * HeaderProtector::kSampleSize, batch[i].packet + kSampleOffset,
                  HeaderProtector::kSampleSize);
    header_.masks(std::span(samples).first(batch.size() * HeaderProtector::kSampleSize),
                  std::span(masks).first(batch.size()));
    for (std::size_t i = 0; i < batch.size(); ++i) {
      batch[i].packet[0] ^= masks[i][0] & kMaskedBits;
      for (std::size_t j = 0; j < batch[i].pn_length; ++j) batch[i].packet[kNumberOffset + j] ^= masks[i][1 + j];
    }
    slots = slots.subspan(batch.size());
  }
}

void PacketSealer::seal(MutableBytes packet, std::size_t header_size, PacketNumber number) {
  seal_payload(packet, header_size, number);
  const HeaderSlot slot{packet.data(), static_cast<std::uint8_t>(header_size - kNumberOffset)};
  protect_headers(std::span(&slot, 1));
}

PacketOpener::PacketOpener(Suite suite, const TrafficSecret& secret)
    : PacketOpener(suite, secret, aead_limits(suite)) {}
PacketOpener::PacketOpener(Suite suite, const TrafficSecret& secret, const AeadLimits& limits)
    : PacketOpener(suite, secret, derive_packet_keys(secret), limits) {}
PacketOpener::PacketOpener(Suite suite, const TrafficSecret& secret, const PacketKeys& keys, const AeadLimits& limits)
    : suite_(suite),
      secret_(secret),
      next_secret_(derive_next_secret(secret)),
      current_(suite, keys),
      next_(suite, derive_packet_keys(next_secret_)),
      header_(suite, keys.hp),
      limits_(limits) {}

// RFC 9001 §6.3, §6.5: if the phase bit is not that of the current phase, the packet belongs to the previous phase if
// its number is from before this phase began, and to the next one otherwise.
PacketOpener::Age PacketOpener::age_of(std::uint8_t first_byte, PacketNumber number) const {
  const bool odd = (first_byte & packet_bits::kKeyPhase) != 0;
  if (odd == (phase_ % 2 == 1)) return Age::current;
  return previous_ && number < lowest_of_phase_ ? Age::previous : Age::next;
}

PhaseKeys& PacketOpener::keys_of(Age age) {
  if (age == Age::current) return current_;
  return age == Age::previous ? *previous_ : next_;
}

void PacketOpener::turn(PacketNumber first, PacketNumber largest_before) {
  secret_ = next_secret_;
  next_secret_ = derive_next_secret(secret_);
  previous_ = std::move(current_);
  current_ = std::move(next_);
  next_ = PhaseKeys(suite_, derive_packet_keys(next_secret_));
  ++phase_;
  lowest_of_phase_ = first;
  last_of_previous_ = largest_before;
}

PacketOpener::Result PacketOpener::open(MutableBytes packet, ReplayWindow& window) {
  Result result = std::unexpected(DropReason::malformed_header);
  open_batch(std::span(&packet, 1), window, std::span(&result, 1));
  return result;
}

void PacketOpener::open_batch(std::span<const MutableBytes> packets, ReplayWindow& window, std::span<Result> results) {
  MXP_REQUIRE(packets.size() <= kMaxHeaderBatch && results.size() >= packets.size());
  std::array<std::uint8_t, kMaxHeaderBatch * HeaderProtector::kSampleSize> samples;
  std::array<HeaderProtector::Mask, kMaxHeaderBatch> masks;
  std::array<std::uint8_t, kMaxHeaderBatch> candidates;  // positions of the packets that are worth a mask
  std::size_t count = 0;
  for (std::size_t i = 0; i < packets.size(); ++i) {
    // The size and these two bits are not protected, so looking at them tells nobody anything.
    const bool is_short = packets[i].size() >= kMinShortPacket &&
                          (packets[i][0] & (packet_bits::kForm | packet_bits::kFixed)) == packet_bits::kFixed;
    if (!is_short) {
      results[i] = std::unexpected(DropReason::malformed_header);
      continue;
    }
    std::ranges::copy(header_sample(packets[i]),
                      samples.begin() + static_cast<std::ptrdiff_t>(count * HeaderProtector::kSampleSize));
    candidates[count++] = static_cast<std::uint8_t>(i);
  }
  header_.masks(std::span(samples).first(count * HeaderProtector::kSampleSize), std::span(masks).first(count));
  // The packets are opened one by one: each number that is marked moves what the next ones are expanded against.
  for (std::size_t i = 0; i < count; ++i)
    results[candidates[i]] = open_with_mask(packets[candidates[i]], masks[i], window);
}

PacketOpener::Result PacketOpener::open_with_mask(MutableBytes packet, const HeaderProtector::Mask& mask,
                                                  ReplayWindow& window) {
  const auto [number_size, truncated] = unmask_header(packet, mask);
  const auto largest = window.largest();
  const PacketNumber number = expand_packet_number(largest ? largest->value() + 1 : 0, truncated, number_size);

  const std::size_t header_size = kNumberOffset + number_size;
  const Age age = age_of(packet[0], number);
  PhaseKeys& keys = keys_of(age);
  const MutableBytes payload = packet.subspan(header_size, packet.size() - header_size - kAeadTagSize);
  // Duplicates are decrypted like all others. To drop them sooner would tell, by its timing, which masked numbers we
  // know (RFC 9001 §9.5).
  if (!keys.aead.open(packet_nonce(keys.iv, number), packet.first(header_size), payload, packet.last<kAeadTagSize>())) {
    ++failed_opens_;
    return std::unexpected(DropReason::authentication_failed);
  }
  switch (window.check(number)) {
    case ReplayWindow::Verdict::duplicate: return std::unexpected(DropReason::duplicate_packet);
    case ReplayWindow::Verdict::too_old: return std::unexpected(DropReason::replay_window_passed);
    case ReplayWindow::Verdict::fresh: break;
  }
  window.mark(number);
  OpenedPacket opened{.number = number, .payload = payload, .first_byte = packet[0], .phase = phase_};
  switch (age) {
    case Age::next:
      opened.precedes_phase = largest && number < *largest;
      turn(number, largest.value_or(PacketNumber(0)));
      opened.phase = phase_;
      opened.turned_phase = true;
      break;
    case Age::current:
      opened.precedes_phase = last_of_previous_ && number < *last_of_previous_;
      if (!opened.precedes_phase) lowest_of_phase_ = std::min(lowest_of_phase_, number);
      break;
    case Age::previous:
      opened.phase = phase_ - 1;
      last_of_previous_ = std::max(*last_of_previous_, number);
      break;
  }
  return opened;
}

}  // namespace mxp
