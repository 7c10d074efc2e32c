// How long packets wait in queues on their way to the peer, learned from the receive times in ACKs (docs/protocol.md
// §4.2). The round trip tells of both ways together, and of how long the peer held its ACK back; this tells of one.
//
// The two clocks are never compared. The time of arrival by the peer's clock minus the time of sending by ours is the
// delay of the way plus a number that nobody knows. But that number is the same for all packets, so the packet with the
// smallest difference is the one that waited least, and what others have beyond it is what they waited longer
// (RFC 6817 §2.4, where the smallest one is called the base delay).
//
// One clock runs faster than the other, by up to 100 millionths, and the number changes with it. So the base is the
// smallest of the last 20 to 30 seconds: a difference that grows by itself then stays below 3 ms, and one that shrinks
// takes the base along at once. The price is that a queue which never empties for that long counts as part of the way.
// Congestion control here empties it more often.
//
// Full packets take longer than small ones to be put on a slow link, and show that as delay too.
//
// The peer may say what it likes: it is a measurement for the application, which no decision of ours hangs on. A packet
// cannot have waited longer on its way than the whole round trip took, and more is not believed.
#pragma once

#include <array>
#include <optional>
#include <span>

#include "core/frames.h"
#include "mxp/time.h"
#include "reliability/sent_packet.h"

namespace mxp {

class ForwardDelay {
 public:
  static constexpr Duration kBucket = std::chrono::seconds(10);
  static constexpr std::size_t kBuckets = 3;

  // `acknowledged` are the packets that an ACK with these times newly acknowledged. Only those of `path` say something;
  // a time of any other packet is ignored. Returns whether there was one, so that queue() is of this ACK.
  bool on_ack(Timestamp now, PathId path, std::span<const SentPacket> acknowledged, const ReceiveTimes& times);

  // Of the packet that arrived last of those that times are known of, 0 or more; nothing before the first.
  std::optional<Duration> queue() const { return queue_; }

 private:
  void advance(Timestamp now);

  std::array<Duration, kBuckets> smallest_{};  // difference in each bucket, the current one first
  Timestamp bucket_began_at_{};
  Timestamp sent_origin_{};  // times of sending count from here
  std::optional<Duration> queue_;
};

}  // namespace mxp
