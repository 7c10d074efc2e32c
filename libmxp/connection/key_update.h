// When keys are updated, and whether the peer keeps to the rules (docs/protocol.md §3.1; RFC 9001 §6). The keys
// themselves belong to PacketSealer and PacketOpener; this part knows only times and packet numbers.
//
//   due() ──▶ we turn ──▶ on_sending_turned ──▶ packets ──▶ on_ack: confirmed ──3 PTO──▶ due() may be true again
//   a packet under the next key ──▶ on_peer_began ──▶ on_receiving_turned ──3 PTO──▶ the old keys go
//
// The directions follow each other: a side that opens the peer's first packet of a new phase turns its own sending
// direction before it sends anything more. So the sending phase equals the receiving phase, or is one ahead of it while
// an update that we began is not yet answered.
#pragma once

#include <algorithm>
#include <expected>
#include <optional>

#include "connection/update_allowance.h"
#include "mxp/config.h"
#include "mxp/error.h"
#include "mxp/ids.h"
#include "mxp/time.h"
#include "reliability/rtt_estimator.h"

namespace mxp {

class KeyUpdate {
 public:
  // `timeout`, in all calls: a probe timeout in which the peer's max_ack_delay counts as it was announced.
  // `max_ack_delay` is our own, and at most what we announced: the peer's probe timeout is never shorter than it (RFC
  // 9002 §6.2.1).
  KeyUpdate(const KeyUpdateConfig& config, Duration max_ack_delay, Timestamp now)
      : config_(config), allowance_(2 * (max_ack_delay + kTimerGranularity), now), sending_since_(now) {}

  // Whether we should begin an update now. `sealed` is how many packets have gone out under the current key.
  bool due(Timestamp now, std::uint64_t sealed, Duration timeout) const {
    if (!confirmed_at_ || now < *confirmed_at_ + 3 * timeout) return false;
    return sealed >= std::min(config_.packets, kWorn) || now - sending_since_ >= config_.interval;
  }
  // Whether to send a PING for the sake of an update alone, because there is nothing else to send but acknowledgements.
  // The peer does not acknowledge those, so they confirm no phase and begin no update, and in the end the key would
  // wear out.
  bool needs_ping(Timestamp now, std::uint64_t sealed, Duration timeout, std::uint64_t bytes_in_flight) const {
    if (sealed / kOverdue < config_.packets && sealed < kWorn) return false;
    return confirmed_at_ ? due(now, sealed, timeout) : bytes_in_flight == 0;
  }
  // Our sending direction turned; `first` is the smallest packet number that the new phase can have.
  void on_sending_turned(Timestamp now, PacketNumber first) {
    sending_since_ = now;
    first_sent_ = first;
    confirmed_at_.reset();
  }
  // The peer acknowledged our packet `largest`, in a packet that was protected under `keys`. KEY_UPDATE_ERROR if it
  // knows packets of our new phase and yet uses the old one (RFC 9001 §6.2).
  enum class Under : std::uint8_t { our_phase, older_phase };
  std::expected<void, TransportError> on_ack(Timestamp now, PacketNumber largest, Under keys) {
    if (largest < first_sent_ || confirmed_at_) return {};
    if (keys == Under::older_phase)
      return std::unexpected(TransportError{TransportErrorCode::key_update_error, 0,
                                            "packets of a new key phase are acknowledged under the old keys"});
    confirmed_at_ = now;
    return {};
  }

  // The peer began an update: its first packet of the next phase was opened, and our own direction has not turned yet.
  // `next` is the number that we would send next. KEY_UPDATE_ERROR if the peer cannot yet have had an acknowledgement
  // in the phase that we send in, or if it keeps beginning updates faster than it may. An honest peer waits three of
  // its probe timeouts after our acknowledgement, and a probe timeout is at least max_ack_delay + 1 ms. We ask for two
  // thirds of that on average (UpdateAllowance), since a clock that stopped while its machine slept makes updates seem
  // closer together than they were. This bounds what updates cost us (threat t26).
  std::expected<void, TransportError> on_peer_began(Timestamp now, PacketNumber next) {
    if (next <= first_sent_)
      return std::unexpected(TransportError{TransportErrorCode::key_update_error, 0,
                                            "a key update before the last one could be confirmed"});
    if (!allowance_.take(now))
      return std::unexpected(
          TransportError{TransportErrorCode::key_update_error, 0, "key updates follow each other too fast"});
    return {};
  }
  void on_receiving_turned(Timestamp now, Duration timeout) { old_keys_until_ = now + 3 * timeout; }
  // When the keys of the previous phase can be forgotten: what was sent under them has arrived by then or is lost.
  Timestamp old_keys_until() const { return old_keys_until_; }
  void on_old_keys_gone() { old_keys_until_ = kNever; }

 private:
  // Our choice: after this many packets a key is changed whatever the settings say. It is an eighth of the AEAD's
  // limit, 2^23 packets.
  static constexpr std::uint64_t kWorn = std::uint64_t{1} << 20;
  // Our choice: a side that has nothing to send but acknowledgements sends a PING, with which an update can begin, when
  // its key has protected this many times as many packets as make an update due.
  static constexpr std::uint64_t kOverdue = 100;

  KeyUpdateConfig config_;
  UpdateAllowance allowance_;
  Timestamp sending_since_;
  PacketNumber first_sent_{0};
  std::optional<Timestamp> confirmed_at_;  // a packet of the current sending phase was acknowledged
  Timestamp old_keys_until_ = kNever;
};

}  // namespace mxp
