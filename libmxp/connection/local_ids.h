// The connection ids that we have given the peer, and that it puts into packets to us (RFC 9000 §5.1).
//
// A peer that moves to another address takes an id there that nobody has seen on the old path, so it needs some in
// store. We announce as many as it wants to remember, up to a bound of our own, and one more for each that it retires.
// That is also the bound on work: each new id answers a frame of the peer.
//
// Values only: who makes ids, and who finds connections by them, is the endpoint's business. Used from the thread of
// its connection.
#pragma once

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

class LocalIds {
 public:
  // Ids that are in use at a time, whatever the peer would remember. Our choice: one in use, one for the path that a
  // peer tries next, and two while what was retired is on its way. Each costs an entry in the endpoint's index.
  static constexpr std::size_t kMost = 4;

  struct Entry {
    std::uint64_t sequence = 0;
    ConnectionId id;
    enum class Announcement : std::uint8_t { due, under_way, acknowledged } announcement = Announcement::due;
  };

  // `handshake_id` has sequence 0, and the peer knows it.
  explicit LocalIds(const ConnectionId& handshake_id);

  // The peer's active_connection_id_limit; 1 until this is called. REQUIRES: limit >= 1.
  void set_peer_limit(std::uint64_t limit);

  // How many more ids to issue now.
  std::size_t room() const;
  // The next id in sequence, to be announced. REQUIRES: room() > 0, and `id` was never given to this peer.
  void issue(const ConnectionId& id);

  // What to tell the peer next, the lowest sequence first. The same until on_announcement_sent().
  std::optional<NewConnectionIdFrame> announcement_due() const;
  void on_announcement_sent(std::uint64_t sequence);
  // Of an id that was retired meanwhile: nothing happens.
  void on_announcement_lost(std::uint64_t sequence);
  void on_announcement_acknowledged(std::uint64_t sequence);

  // `carried_by`: the destination id of the packet that the frame came in. Returns the id that the peer will not use
  // any more; packets under way may still carry it, so whoever finds connections by ids had better keep it for three
  // probe timeouts. Nothing: it was retired before. Error: PROTOCOL_VIOLATION.
  std::expected<std::optional<ConnectionId>, TransportError> on_frame(const RetireConnectionIdFrame& frame,
                                                                      const ConnectionId& carried_by);

  // Those in use, in the order of their sequences.
  std::span<const Entry> entries() const { return std::span(entries_).first(count_); }

 private:
  Entry* find(std::uint64_t sequence);

  std::array<Entry, kMost> entries_{};
  std::size_t count_ = 0;
  std::uint64_t next_sequence_ = 0;
  std::uint64_t first_unsent_ = 0;  // no frame has carried this sequence or a later one
  std::uint64_t peer_limit_ = 1;
};

}  // namespace mxp
