#include "connection/local_ids.h"

#include <algorithm>

#include "mxp/require.h"

namespace mxp {

namespace {

std::unexpected<TransportError> violation(std::string_view reason) {
  return std::unexpected(
      TransportError{TransportErrorCode::protocol_violation, frame_type::kRetireConnectionId, reason});
}

}  // namespace

LocalIds::LocalIds(const ConnectionId& handshake_id) {
  entries_[count_++] = {next_sequence_++, handshake_id, Entry::Announcement::acknowledged};
  first_unsent_ = next_sequence_;
}

void LocalIds::set_peer_limit(std::uint64_t limit) {
  MXP_REQUIRE(limit >= 1);
  peer_limit_ = limit;
}

std::size_t LocalIds::room() const {
  const auto most = static_cast<std::size_t>(std::min<std::uint64_t>(peer_limit_, kMost));
  return most > count_ ? most - count_ : 0;
}

void LocalIds::issue(const ConnectionId& id) {
  MXP_REQUIRE(room() > 0);
  entries_[count_++] = {next_sequence_++, id, Entry::Announcement::due};
}

std::optional<NewConnectionIdFrame> LocalIds::announcement_due() const {
  for (const Entry& entry : entries()) {
    if (entry.announcement == Entry::Announcement::due) return NewConnectionIdFrame{entry.sequence, 0, entry.id};
  }
  return std::nullopt;
}

void LocalIds::on_announcement_sent(std::uint64_t sequence) {
  Entry* entry = find(sequence);
  MXP_REQUIRE(entry != nullptr);
  entry->announcement = Entry::Announcement::under_way;
  first_unsent_ = std::max(first_unsent_, sequence + 1);
}

void LocalIds::on_announcement_lost(std::uint64_t sequence) {
  Entry* entry = find(sequence);
  // Known already where an earlier frame said the same and was acknowledged.
  if (entry != nullptr && entry->announcement == Entry::Announcement::under_way)
    entry->announcement = Entry::Announcement::due;
}

void LocalIds::on_announcement_acknowledged(std::uint64_t sequence) {
  if (Entry* entry = find(sequence)) entry->announcement = Entry::Announcement::acknowledged;
}

std::expected<std::optional<ConnectionId>, TransportError> LocalIds::on_frame(const RetireConnectionIdFrame& frame,
                                                                              const ConnectionId& carried_by) {
  // RFC 9000 §19.16, both.
  if (frame.sequence >= first_unsent_) return violation("retires a connection id that was never sent");
  Entry* entry = find(frame.sequence);
  if (entry == nullptr) return std::nullopt;
  if (entry->id == carried_by) return violation("retires the connection id of its own packet");
  const ConnectionId retired = entry->id;
  std::copy(entry + 1, entries_.data() + count_, entry);
  --count_;
  return retired;
}

LocalIds::Entry* LocalIds::find(std::uint64_t sequence) {
  Entry* const end = entries_.data() + count_;
  Entry* const entry = std::find_if(entries_.data(), end, [&](const Entry& e) { return e.sequence == sequence; });
  return entry == end ? nullptr : entry;
}

}  // namespace mxp
