// The 3× limit (docs/protocol.md §2.3): until a client has shown that it hears us at its address, a server sends at
// most three bytes to that address for each byte that came from there. Otherwise an attacker who forges a source
// address could turn the server into a weapon against whoever has that address (threat t17).
//
// A client that holds the keys has shown this only if message 2 went to that address and to no other. If it also went
// elsewhere, an attacker may have read it there and may name a victim's address as its own. Then the proof is an
// acknowledgement of a packet number that cannot be guessed, which only a reader of our packets can send.
#pragma once

#include <cstdint>
#include <limits>
#include <optional>

#include "mxp/ids.h"

namespace mxp {

class AmplificationLimit {
 public:
  void on_received(std::uint64_t bytes) { received_ += bytes; }
  void on_sent(std::uint64_t bytes) { sent_ += bytes; }
  void lift() {
    lifted_ = true;
    proof_.reset();
  }
  bool lifted() const { return lifted_; }

  // Message 2 went to a second address as well.
  void on_answered_elsewhere() { answered_elsewhere_ = true; }
  bool answered_elsewhere() const { return answered_elsewhere_; }
  // The limit stands until a packet with this number or a later one is acknowledged.
  void await_proof(PacketNumber first) { proof_ = first; }
  bool awaits_proof() const { return proof_.has_value(); }
  // From here on the counts are those of another address.
  void move_to_new_address(std::uint64_t received) {
    received_ = received;
    sent_ = 0;
  }
  // REQUIRES: a packet with this number was sent.
  void on_acknowledged(PacketNumber largest) {
    if (proof_ && largest >= *proof_) lift();
  }
  // Bytes that may be sent now.
  std::uint64_t allowance() const {
    if (lifted_) return std::numeric_limits<std::uint64_t>::max();
    const std::uint64_t limit = kFactor * received_;
    return limit > sent_ ? limit - sent_ : 0;
  }

 private:
  static constexpr std::uint64_t kFactor = 3;  // from the specification
  std::uint64_t received_ = 0;
  std::uint64_t sent_ = 0;
  bool lifted_ = false;
  bool answered_elsewhere_ = false;
  std::optional<PacketNumber> proof_;
};

}  // namespace mxp
