// Explicit congestion notification (RFC 3168, RFC 9000 §13.4): a router with a long queue marks packets (CE) instead of
// losing them, if their sender says that it understands (ECT). Whether a path carries the marks must be found out,
// because some routers erase them, some change them, and some drop what is marked. The receiver counts the marks that
// arrive and reports the counts with every ACK; they must agree with what was sent.
//
//   testing ──10 packets or a probe timeout──▶ waiting ──all marked ones lost──▶ failed
//      │                                        ▲    │                              ▲
//      │                  three probe timeouts  │    │ counts agree                 │ counts disagree, in any state
//      └────────counts agree──────▶ capable ────┘◀───┘
//
// As in RFC 9000 appendix A.4, with our choices: testing ends with the first probe timeout, so that what asks again is
// not marked and gets through wherever anything does; and a capable path is tested again when three probe timeouts in a
// row had no answer.
//
// The counts of a peer are of the connection, which has one packet number space, while a path is what is judged. So
// there are two parts: EcnLedger, one for a connection, and EcnValidation, one for a path. One connection, one thread.
#pragma once

#include <cstdint>
#include <optional>

#include "core/frames.h"
#include "mxp/ecn.h"

namespace mxp {

// What was sent marked on all paths, and what the peer has said of it.
class EcnLedger {
 public:
  void on_marked_sent() { ++marked_sent_; }
  std::uint64_t marked_sent() const { return marked_sent_; }

  // By how much the counts grew since the ACK before.
  struct Growth {
    bool sound = false;        // there are counts, and they can be true
    std::uint64_t marked = 0;  // packets that arrived with a mark, CE included
    std::uint64_t ce = 0;      // of them
  };
  // The counts of an ACK that raises the largest acknowledged number. An older ACK may have smaller counts rightly, and
  // must not be given (RFC 9000 §13.4.2.1).
  Growth on_ack(const std::optional<EcnCounts>& counts);

 private:
  std::uint64_t marked_sent_ = 0;
  EcnCounts last_{};
};

class EcnValidation {
 public:
  // From the specification (RFC 9000 appendix A.4).
  static constexpr unsigned kPacketsToTest = 10;
  // Our choice: probe timeouts in a row after which a path that was capable is doubted.
  static constexpr unsigned kTimeoutsToDoubt = 3;

  explicit EcnValidation(bool enabled) : state_(enabled ? EcnState::testing : EcnState::off) {}

  // For another path that is expected to be like this one: what was found out holds there too, and what is still to be
  // found out is asked anew, because no answer to what was sent here comes there.
  EcnValidation carried_on() const {
    EcnValidation other(state_ != EcnState::off);
    if (state_ == EcnState::capable || state_ == EcnState::failed) other.state_ = state_;
    return other;
  }

  EcnState state() const { return state_; }
  // Whether packets are to be sent with ECT(0).
  bool marks() const { return state_ == EcnState::testing || state_ == EcnState::capable; }

  // Each of these three is about one marked packet of this path, which the peer must acknowledge. It was sent.
  void on_marked_sent();
  // It is waited for no longer, and its marks were not the reason: it was acknowledged, or it teaches nothing.
  void on_marked_gone() { --under_way_; }
  // It was declared lost.
  void on_marked_lost();
  // `count`: probe timeouts in a row.
  void on_probe_timeout(unsigned count);

  // An ACK newly acknowledged `marked` of these packets, at least one, and its counts grew by `growth`. Counts may grow
  // by more than that, because ACKs get lost and packets arrive after they were declared lost. Returns how many new CE
  // marks the ACK tells of; 0 where its counts are not believed.
  std::uint64_t on_ack(std::uint64_t marked, const EcnLedger::Growth& growth);

 private:
  EcnState state_;
  std::uint32_t sent_ = 0;  // up to kPacketsToTest
  std::uint32_t under_way_ = 0;
};

}  // namespace mxp
