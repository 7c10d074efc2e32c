// When keys are updated, and whether the peer does it by the rules (docs/protocol.md §3.1; RFC 9001 §6). The keys
// themselves are PacketSealer's and PacketOpener's; this part only knows times and numbers.
//
//   due() ──▶ we turn ──▶ on_sending_turned ──▶ packets ──▶ on_ack: confirmed ──3 PTO──▶ due() may be true again
//   a packet under the next key ──▶ check_peer_began ──▶ on_receiving_turned ──3 PTO──▶ the old keys go
//
// Both directions always turn together: who sees the peer's first packet of a new phase turns its own direction before
// it sends anything. So the sending phase is the receiving one, or one ahead of it while an update that we began is not
// yet answered.
#pragma once

#include <expected>
#include <optional>

#include "mxp/config.h"
#include "mxp/error.h"
#include "mxp/ids.h"
#include "mxp/time.h"

namespace mxp {

class KeyUpdate {
 public:
  // `max_ack_delay`: ours, as announced: a peer's probe timeout is never shorter (RFC 9002 §6.2.1).
  KeyUpdate(const KeyUpdateConfig& config, Duration max_ack_delay, Timestamp now)
      : config_(config), min_distance_(2 * (max_ack_delay + kTimerGranularity)), sending_since_(now) {}

  // Whether we should begin an update now; `sealed` packets have gone out under the current key.
  bool due(Timestamp now, std::uint64_t sealed, Duration probe_timeout) const {
    if (!confirmed_at_ || now < *confirmed_at_ + 3 * probe_timeout) return false;
    return sealed >= config_.packets || now >= sending_since_ + config_.interval;
  }
  // Our direction turned; `first` is the smallest number that the new phase can have.
  void on_sending_turned(Timestamp now, PacketNumber first) {
    sending_since_ = now;
    first_sent_ = first;
    confirmed_at_.reset();
  }
  // The peer acknowledged a packet that we sent as `largest`, in a packet that was (or was not) protected under the
  // phase that we send in. KEY_UPDATE_ERROR: it knows packets of the new phase and yet uses the old one (RFC 9001
  // §6.2).
  std::expected<void, TransportError> on_ack(Timestamp now, PacketNumber largest, bool in_our_phase) {
    if (largest < first_sent_ || confirmed_at_) return {};
    if (!in_our_phase)
      return std::unexpected(TransportError{TransportErrorCode::key_update_error, 0,
                                            "packets of a new key phase are acknowledged under the old keys"});
    confirmed_at_ = now;
    return {};
  }

  // The peer began an update: its first packet of the next phase was opened, and our own direction has not turned yet.
  // `next` is the number that we would send next. KEY_UPDATE_ERROR if a peer that obeys the rules cannot have done so:
  // before it had an acknowledgement in the phase that we send in now, or sooner than three of its probe timeouts after
  // that, which bounds what updates can cost us (threat t26). We cannot have confirmed its last update before we saw
  // it; from there it has to wait, and a third of that is granted to it for the coarseness of clocks.
  std::expected<void, TransportError> check_peer_began(Timestamp now, PacketNumber next) const {
    if (next <= first_sent_)
      return std::unexpected(TransportError{TransportErrorCode::key_update_error, 0,
                                            "a key update before the last one could be confirmed"});
    if (receiving_since_ && now < *receiving_since_ + min_distance_)
      return std::unexpected(
          TransportError{TransportErrorCode::key_update_error, 0, "key updates follow each other too fast"});
    return {};
  }
  void on_receiving_turned(Timestamp now, Duration probe_timeout) {
    receiving_since_ = now;
    old_keys_until_ = now + 3 * probe_timeout;
  }
  // When the keys of the phase before can go: what was sent under them has arrived by then or is lost.
  Timestamp old_keys_until() const { return old_keys_until_; }
  void on_old_keys_gone() { old_keys_until_ = kNever; }

 private:
  static constexpr Duration kTimerGranularity = std::chrono::milliseconds(1);  // RFC 9002 §6.1.2

  KeyUpdateConfig config_;
  Duration min_distance_;
  Timestamp sending_since_;
  PacketNumber first_sent_{0};
  std::optional<Timestamp> confirmed_at_;     // a packet of the current sending phase was acknowledged
  std::optional<Timestamp> receiving_since_;  // nothing: still the phase of the handshake
  Timestamp old_keys_until_ = kNever;
};

}  // namespace mxp
