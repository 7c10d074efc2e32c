#include "connection/peer_ids.h"

#include <algorithm>

#include "core/work.h"
#include "mxp/require.h"

namespace mxp {

namespace {

std::unexpected<TransportError> refused(TransportErrorCode code, std::string_view reason) {
  return std::unexpected(TransportError{code, frame_type::kNewConnectionId, reason});
}

}  // namespace

PeerIds::PeerIds(const ConnectionId& handshake_id) { entries_[count_++] = {0, handshake_id, true}; }

std::expected<void, TransportError> PeerIds::on_frame(const NewConnectionIdFrame& frame) {
  MXP_WORK(count_);
  bool held = false;
  for (const Entry& entry : entries()) {
    if ((entry.sequence == frame.sequence) != (entry.id == frame.id))
      return refused(TransportErrorCode::protocol_violation, "connection id or its sequence is known with another one");
    held = held || entry.sequence == frame.sequence;
  }
  retire_below(frame.retire_prior_to);
  if (held) return check_retirements();
  const Seen before = seen(frame.sequence);
  if (before == Seen::yes) return check_retirements();  // a repetition, and retired since
  if (before == Seen::no) mark_seen(frame.sequence);
  // RFC 9000 §19.15: what comes after it was retired is retired again.
  if (before == Seen::forgotten || frame.sequence < retired_below_) {
    add_retirement(frame.sequence);
    return check_retirements();
  }
  if (count_ == kLimit)
    return refused(TransportErrorCode::connection_id_limit_error, "more connection ids than allowed");
  entries_[count_++] = {frame.sequence, frame.id, false};
  return check_retirements();
}

std::optional<PeerIds::Entry> PeerIds::take() {
  Entry* lowest = nullptr;
  for (Entry& entry : std::span(entries_).first(count_)) {
    if (!entry.taken && (lowest == nullptr || entry.sequence < lowest->sequence)) lowest = &entry;
  }
  if (lowest == nullptr) return std::nullopt;
  lowest->taken = true;
  return *lowest;
}

bool PeerIds::is_held(std::uint64_t sequence) const {
  return std::ranges::any_of(entries(), [&](const Entry& entry) { return entry.sequence == sequence; });
}

void PeerIds::retire(std::uint64_t sequence) {
  const auto end = entries_.begin() + count_;
  const auto entry = std::find_if(entries_.begin(), end, [&](const Entry& e) { return e.sequence == sequence; });
  if (entry == end) return;
  std::copy(entry + 1, end, entry);
  --count_;
  add_retirement(sequence);
}

void PeerIds::retire_below(std::uint64_t sequence) {
  if (sequence <= retired_below_) return;
  retired_below_ = sequence;
  // At most kLimit of them, however far the mark moves: sequences that never came are not looked at one by one.
  for (std::size_t i = count_; i > 0; --i) {
    MXP_WORK(1);
    if (entries_[i - 1].sequence < sequence) retire(entries_[i - 1].sequence);
  }
}

void PeerIds::add_retirement(std::uint64_t sequence) {
  if (find_retirement(sequence) != nullptr || retirement_count_ == kRetirementPlaces) return;
  retirements_[retirement_count_++] = {sequence, false};
}

std::expected<void, TransportError> PeerIds::check_retirements() const {
  if (retirement_count_ <= kMaxRetirements) return {};
  return refused(TransportErrorCode::connection_id_limit_error, "more connection ids to retire than are remembered");
}

std::optional<RetireConnectionIdFrame> PeerIds::retirement_due() const {
  for (std::size_t i = 0; i < retirement_count_; ++i) {
    if (!retirements_[i].under_way) return RetireConnectionIdFrame{retirements_[i].sequence};
  }
  return std::nullopt;
}

void PeerIds::on_retirement_sent(std::uint64_t sequence) {
  Retirement* retirement = find_retirement(sequence);
  MXP_REQUIRE(retirement != nullptr);
  retirement->under_way = true;
}

void PeerIds::on_retirement_lost(std::uint64_t sequence) {
  if (Retirement* retirement = find_retirement(sequence)) retirement->under_way = false;
}

void PeerIds::on_retirement_acknowledged(std::uint64_t sequence) {
  Retirement* retirement = find_retirement(sequence);
  if (retirement == nullptr) return;
  *retirement = retirements_[--retirement_count_];
}

PeerIds::Retirement* PeerIds::find_retirement(std::uint64_t sequence) {
  MXP_WORK(retirement_count_);
  Retirement* const end = retirements_.data() + retirement_count_;
  Retirement* const found =
      std::find_if(retirements_.data(), end, [&](const Retirement& r) { return r.sequence == sequence; });
  return found == end ? nullptr : found;
}

PeerIds::Seen PeerIds::seen(std::uint64_t sequence) const {
  if (sequence > highest_seen_) return Seen::no;
  const std::uint64_t below = highest_seen_ - sequence;
  if (below >= kRemembered) return Seen::forgotten;
  return (seen_ >> below & 1) != 0 ? Seen::yes : Seen::no;
}

void PeerIds::mark_seen(std::uint64_t sequence) {
  if (sequence > highest_seen_) {
    const std::uint64_t distance = sequence - highest_seen_;
    seen_ = distance < kRemembered ? seen_ << distance : 0;
    highest_seen_ = sequence;
  }
  seen_ |= std::uint64_t{1} << (highest_seen_ - sequence);
}

}  // namespace mxp
