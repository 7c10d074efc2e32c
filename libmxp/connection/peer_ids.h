// The connection ids that the peer has given us, for packets to it (RFC 9000 §5.1, §19.15, §19.16).
//
// Each path uses one. take() never gives an id out twice, because an observer who sees it on two paths knows that they
// belong together (RFC 9000 §9.5); a path that finds no spare id shares the old one (migration.cpp). An id is retired
// when its path ends. The peer may also ask that all ids below a
// sequence be retired. Then the paths that used them have to take others.
//
// Everything here is what the peer wants it to be, so everything is bounded (threats t05, t06). It may have as many ids
// in use as we announced, and at most 32 retirements that it has not acknowledged: a peer that asks for them and holds
// back its ACKs would otherwise make us keep a list without end. Ids that were retired are not remembered one by one,
// but as a mark below which all are, and a bit for each of the 64 sequences below the highest. Where neither tells, the
// id is retired once more, which is always allowed.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <expected>
#include <optional>
#include <span>

#include "core/frames.h"
#include "mxp/error.h"
#include "mxp/ids.h"

namespace mxp {

class PeerIds {
 public:
  // What we announce as active_connection_id_limit. Our choice, as LocalIds::kMost.
  static constexpr std::size_t kLimit = 4;
  // Retirements that wait for their acknowledgement. Our choice (threat t05).
  static constexpr std::size_t kMaxRetirements = 32;

  struct Entry {
    std::uint64_t sequence = 0;
    ConnectionId id;
    bool taken = false;  // by a path, or by one before it: never given out again
  };

  // `handshake_id` has sequence 0 and is taken.
  explicit PeerIds(const ConnectionId& handshake_id);

  // Afterwards a path whose id is_held() no longer must take() another one before it sends. Errors: PROTOCOL_VIOLATION
  // (a sequence with two ids, an id with two sequences), CONNECTION_ID_LIMIT_ERROR (too many in use, too many
  // retirements under way). REQUIRES: retire_prior_to <= sequence, which the frame reader has checked.
  std::expected<void, TransportError> on_frame(const NewConnectionIdFrame& frame);

  // An id that was never used, for a new path; the lowest sequence. Nothing if there is none: no new path now.
  std::optional<Entry> take();
  bool has_spare() const {
    return std::ranges::any_of(entries(), [](const Entry& entry) { return !entry.taken; });
  }
  bool is_held(std::uint64_t sequence) const;
  // The path that took it has ended. Nothing happens if the peer had it retired before.
  void retire(std::uint64_t sequence);

  // What to tell the peer next. The same until on_retirement_sent().
  std::optional<RetireConnectionIdFrame> retirement_due() const;
  void on_retirement_sent(std::uint64_t sequence);
  void on_retirement_lost(std::uint64_t sequence);
  void on_retirement_acknowledged(std::uint64_t sequence);

  std::span<const Entry> entries() const { return std::span(entries_).first(count_); }
  std::size_t retirements() const { return retirement_count_; }  // not acknowledged

 private:
  // Sequences below the highest for which it is known whether they were seen.
  static constexpr std::uint64_t kRemembered = 64;
  // With those that we retire of our own accord, at most one for each id held.
  static constexpr std::size_t kRetirementPlaces = kMaxRetirements + 1 + kLimit;

  struct Retirement {
    std::uint64_t sequence : 63 = 0;  // a varint: 62 bits
    std::uint64_t under_way : 1 = 0;
  };
  enum class Seen : std::uint8_t { no, yes, forgotten };

  Seen seen(std::uint64_t sequence) const;
  void mark_seen(std::uint64_t sequence);
  void retire_below(std::uint64_t sequence);
  void add_retirement(std::uint64_t sequence);
  Retirement* find_retirement(std::uint64_t sequence);
  std::expected<void, TransportError> check_retirements() const;

  std::array<Entry, kLimit> entries_{};
  std::size_t count_ = 0;
  std::array<Retirement, kRetirementPlaces> retirements_{};
  std::size_t retirement_count_ = 0;
  std::uint64_t retired_below_ = 0;  // the peer's wish so far
  std::uint64_t highest_seen_ = 0;
  std::uint64_t seen_ = 1;  // bit n: highest_seen_ - n was seen
};

}  // namespace mxp
