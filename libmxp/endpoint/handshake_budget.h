// How much public-key work strangers may make a server do (docs/security.md, threat t18). Each message 1 whose mac1 is
// right takes a share of a rate, and the share is given back if the sender confirms the keys. So the rate bounds the
// work for handshakes that are refused, do not verify, or are never confirmed. It does not slow down clients that get
// in, however many they are.
//
// When less than half of a second's worth is left, no source may take more than a sixteenth of the rate. A flood from a
// few addresses then leaves the rest to everybody else. Sources are told apart by their network, hashed with a secret
// into a fixed number of places, so that nobody can make the memory grow and nobody can aim at another's place. A
// forger has as many source addresses as it likes. Against that an honest client competes for the whole rate, and sends
// its message 1 again until it gets a share or gives up.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>

#include "mxp/address.h"
#include "mxp/time.h"

namespace mxp {

class HandshakeBudget {
 public:
  // When the rate is short, one source may take one part in this many of it. Our choice.
  static constexpr std::uint64_t kSourceShare = 16;

  // `per_second` is at least 1; this many may also come at once. `hash_key` is random.
  HandshakeBudget(std::uint64_t per_second, std::uint64_t hash_key) : shared_(per_second, 1), hash_key_(hash_key) {
    sources_.fill(Bucket(per_second, kSourceShare));
  }

  // A message 1 from `source` is about to cost public-key operations. False if it must not.
  bool take(Timestamp now, const SocketAddress& source) {
    Bucket& own = sources_[place_of(source)];
    shared_.refill(now);
    own.refill(now);
    if (!shared_.has_one() || (shared_.is_short() && !own.has_one())) return false;
    shared_.take();
    own.take();
    return true;
  }
  // The handshake that took a share was confirmed, by a client at `source`.
  void give_back(const SocketAddress& source) {
    shared_.give_back();
    sources_[place_of(source)].give_back();
  }

 private:
  // A token bucket. Its contents are counted as the time that it takes them to flow in.
  class Bucket {
   public:
    Bucket() = default;
    // Gains `per_second` / `divisor` in a second, and holds what it gains in a second, or one if that is less than one.
    Bucket(std::uint64_t per_second, std::uint64_t divisor)
        : one_(std::chrono::nanoseconds(1'000'000'000 * divisor / per_second)),
          most_(std::max<Duration>(std::chrono::seconds(1), one_)),
          held_(most_) {}

    void refill(Timestamp now) {
      held_ = std::min(most_, held_ + std::min(now - since_, most_));
      since_ = now;
    }
    bool has_one() const { return held_ >= one_; }
    bool is_short() const { return held_ < most_ / 2; }
    void take() { held_ -= std::min(held_, one_); }
    void give_back() { held_ = std::min(most_, held_ + one_); }

   private:
    Duration one_{};
    Duration most_{};
    Duration held_{};
    Timestamp since_{};
  };

  static constexpr std::size_t kPlaces = 64;

  // A source is its network: an IPv4 address, or the upper half of an IPv6 address, which is the least that anybody is
  // given.
  std::size_t place_of(const SocketAddress& source) const {
    std::uint64_t network = static_cast<std::uint64_t>(source.family) + 1;
    for (std::size_t i = 0; i < 8; ++i) network = network << 8 ^ source.ip[i] ^ network >> 56;
    const auto product = static_cast<unsigned __int128>(network ^ hash_key_) * (hash_key_ | 1);
    const auto mixed = static_cast<std::uint64_t>(product >> 64 ^ product) * 0x9E3779B97F4A7C15u;
    return static_cast<std::size_t>(mixed >> 58);
  }
  static_assert(kPlaces == std::size_t{1} << (64 - 58));

  Bucket shared_;
  std::array<Bucket, kPlaces> sources_;
  std::uint64_t hash_key_;
};

}  // namespace mxp
