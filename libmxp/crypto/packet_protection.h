// Protection of 1-RTT packets (docs/protocol.md §3; RFC 9001 §5.3 and §5.4): sealing and opening in place.
//
//     header (1 ‖ connection id 8 ‖ packet number 1..4) ‖ plaintext ‖ 16 spare bytes
//       seal_payload      → header ‖ ciphertext ‖ tag
//       protect_headers   → five bits of the first byte and the packet number masked
//
// This is the hot path. Ciphers are keyed at construction and with each key update. A packet costs one IV, its bytes
// and one tag, and nothing is allocated. One call of AES makes the masks of up to 64 packets. An object belongs to one
// thread.
//
// Key phases are counted from 0, and the lowest bit of the count is the phase bit on the wire. The caller decides when
// to turn to the next one. What a received packet was protected with is found out here (docs/protocol.md §3.1).
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <expected>
#include <optional>
#include <span>

#include "core/packet_header.h"
#include "crypto/header_protection.h"
#include "crypto/key_schedule.h"
#include "crypto/primitives.h"
#include "crypto/replay_window.h"
#include "mxp/bytes.h"
#include "mxp/error.h"
#include "mxp/ids.h"
#include "mxp/keys.h"

namespace mxp {

// How many packets one key may protect (RFC 9001 §6.6; docs/protocol.md §3). From the specification; tests lower the
// limits.
struct AeadLimits {
  std::uint64_t max_sealed = 0;
  std::uint64_t max_failed_opens = 0;
};
AeadLimits aead_limits(Suite suite);

// What protects the payloads of one key phase.
struct PhaseKeys {
  PhaseKeys(Suite suite, const PacketKeys& keys) : aead(suite, keys.key), iv(keys.iv) {}

  Aead aead;
  SecretArray<12> iv;
};

// The nonce of a packet: its 62-bit number, big-endian and left-padded, XORed into the IV (RFC 9001 §5.3).
AeadNonce packet_nonce(const SecretArray<12>& iv, PacketNumber number);

// The part of a packet number that is on the wire, under header protection. The receiver recovers the upper bits.
struct TruncatedNumber {
  std::size_t size = 0;  // 1..4 bytes
  std::uint64_t value = 0;
};
// Takes the mask off a 1-RTT packet's header, in place. It takes the same time whatever was masked. REQUIRES:
// packet.size() >= kMinShortPacket.
TruncatedNumber unmask_header(MutableBytes packet, const HeaderProtector::Mask& mask);
// The bytes of a packet from which its mask is made. REQUIRES: packet.size() >= kMinShortPacket.
std::span<const std::uint8_t, HeaderProtector::kSampleSize> header_sample(ByteView packet);

// A packet whose payload is sealed and whose header is still in the clear.
struct HeaderSlot {
  std::uint8_t* packet = nullptr;  // its first byte; at least kMinShortPacket bytes
  std::uint8_t pn_length = 0;      // 1..4
};

class PacketSealer {
 public:
  PacketSealer(Suite suite, const TrafficSecret& secret);
  PacketSealer(Suite suite, const TrafficSecret& secret, const AeadLimits& limits);

  // Encrypts what lies between the header and the last 16 bytes, and writes the tag there. `header_size` includes the
  // packet number. REQUIRES: packet.size() >= kMinShortPacket; `number` is the one in the header and was never sealed
  // before.
  void seal_payload(MutableBytes packet, std::size_t header_size, PacketNumber number);
  // Masks the headers of sealed packets, 64 at a time.
  void protect_headers(std::span<const HeaderSlot> slots);
  // Does both for one packet.
  void seal(MutableBytes packet, std::size_t header_size, PacketNumber number);

  // Turns to the next key phase. What is sealed from here on is under the next key, and its header must say so.
  void update();
  std::uint32_t phase() const { return phase_; }
  const TrafficSecret& secret() const { return secret_; }  // of this phase

  // How many packets were sealed under the key of this phase.
  std::uint64_t packets_sealed() const { return packets_sealed_; }
  // Whether the next packet would be one too many under this key; the connection then closes with AEAD_LIMIT_REACHED.
  // With `reserve`, this is true that many packets earlier.
  bool seal_limit_reached(std::uint64_t reserve = 0) const { return packets_sealed_ + reserve >= limits_.max_sealed; }

 private:
  PacketSealer(Suite suite, const TrafficSecret& secret, const PacketKeys& keys, const AeadLimits& limits);

  Suite suite_;
  PhaseKeys keys_;
  HeaderProtector header_;
  AeadLimits limits_;
  TrafficSecret secret_;
  std::uint32_t phase_ = 0;
  std::uint64_t packets_sealed_ = 0;
};

struct OpenedPacket {
  PacketNumber number;
  MutableBytes payload;         // a view into the packet
  std::uint8_t first_byte = 0;  // unmasked and authenticated; the caller checks its reserved bits
  std::uint32_t phase = 0;      // the phase whose key opened it
  bool turned_phase = false;    // it is the first one opened under the next key, and the opener has turned
  bool precedes_phase = false;  // its number is below one of the phase before, which is forbidden (RFC 9001 §6.4)
};

class PacketOpener {
 public:
  using Result = std::expected<OpenedPacket, DropReason>;

  PacketOpener(Suite suite, const TrafficSecret& secret);
  PacketOpener(Suite suite, const TrafficSecret& secret, const AeadLimits& limits);

  // Opens in place: takes the mask off, recovers the number and decrypts. Then, and only if the tag verified, it judges
  // and marks the number. Errors: malformed_header (too short, not a 1-RTT packet), authentication_failed,
  // duplicate_packet, replay_window_passed. A refused packet changes nothing but a counter. Its bytes are then of no
  // use, except for the last 16, which stay as they came.
  Result open(MutableBytes packet, ReplayWindow& window);
  // The same for packets that arrived together, with one mask computation. REQUIRES: results.size() >= packets.size(),
  // packets.size() <= kMaxHeaderBatch.
  void open_batch(std::span<const MutableBytes> packets, ReplayWindow& window, std::span<Result> results);

  // The newest key phase with which a packet was opened. It moves on by itself with the first packet that the next key
  // opens (RFC 9001 §6.3). Until then nothing changes, whatever phase bits a forger sets.
  std::uint32_t phase() const { return phase_; }
  const TrafficSecret& secret() const { return secret_; }            // of this phase
  const TrafficSecret& next_secret() const { return next_secret_; }  // of the phase that may come
  // Packets of the phase before this one can be opened until these keys are forgotten.
  bool holds_previous_keys() const { return previous_.has_value(); }
  void forget_previous_keys() { previous_.reset(); }

  // How many packets failed to open, under all keys of the connection: forgeries add up over key updates (RFC 9001
  // §6.6).
  std::uint64_t failed_opens() const { return failed_opens_; }
  // Whether so many forgeries were tried that the next might succeed; the connection then closes with
  // AEAD_LIMIT_REACHED.
  bool open_limit_reached() const { return failed_opens_ >= limits_.max_failed_opens; }

 private:
  enum class Age : std::uint8_t { previous, current, next };

  PacketOpener(Suite suite, const TrafficSecret& secret, const PacketKeys& keys, const AeadLimits& limits);
  Result open_with_mask(MutableBytes packet, const HeaderProtector::Mask& mask, ReplayWindow& window);
  Age age_of(std::uint8_t first_byte, PacketNumber number) const;
  PhaseKeys& keys_of(Age age);
  void turn(PacketNumber first, PacketNumber largest_before);

  Suite suite_;
  TrafficSecret secret_;
  TrafficSecret next_secret_;
  PhaseKeys current_;
  std::optional<PhaseKeys> previous_;
  // Made before they are needed. If a flipped phase bit made us derive keys, the time that this takes would tell an
  // observer that the phase bit was accepted (RFC 9001 §6.3, threat t26).
  PhaseKeys next_;
  HeaderProtector header_;
  AeadLimits limits_;
  std::uint32_t phase_ = 0;
  // The smallest number opened in this phase. A packet with a smaller number may belong to the phase before.
  PacketNumber lowest_of_phase_;
  std::optional<PacketNumber> last_of_previous_;  // the largest number opened in the phases before
  std::uint64_t failed_opens_ = 0;
};

}  // namespace mxp
