// How fast the path delivers, measured with every ACK: the estimator of draft-cheng-iccrg-delivery-rate-estimation.
//
//   on_packet_sent ──▶ DeliveryState, kept with the packet
//   on_acknowledged for each packet of an ACK, then finish_ack ──▶ RateSample
//
// A sample compares two moments: when the newest acknowledged packet was sent, and now. What was delivered between them
// is divided by the longer of two times: that in which it was sent, and that in which it was acknowledged. It is the
// longer one because ACKs that arrive in a bunch would otherwise make the path look faster than it is.
//
// The cost is a few additions for each packet. One sampler belongs to one connection and one thread.
#pragma once

#include <cstdint>

#include "mxp/rate.h"
#include "mxp/time.h"
#include "reliability/sent_packet.h"

namespace mxp {

// What one ACK says about the path.
struct RateSample {
  ByteRate rate;                      // zero if this ACK gave no sample
  bool app_limited = false;           // the application had no more to send: the path may be faster than `rate`
  std::uint64_t delivered = 0;        // bytes, between the sending of the newest packet and now
  std::uint64_t lost = 0;             // bytes declared lost in the same time
  std::uint64_t in_flight = 0;        // bytes, when the newest packet was sent, itself included
  std::uint64_t prior_delivered = 0;  // bytes, total when the newest packet was sent
  std::uint64_t total_delivered = 0;  // bytes, total now
};

class RateSampler {
 public:
  // The state that a packet of `size` bytes keeps. `in_flight_before` is in bytes and does not include this packet.
  DeliveryState on_packet_sent(Timestamp now, std::uint64_t in_flight_before, std::uint32_t size);
  // Nothing waits to be sent after the packets before number `next`. So samples may say less than the path can do,
  // until a packet from `next` on is acknowledged. Lost bytes do not keep this mark up, because it is a number.
  void on_application_limited(std::uint64_t next) { app_limited_until_ = next; }

  // One packet of the ACK that finish_ack() will end; it was in flight until now.
  void on_acknowledged(const SentPacket& packet);
  void on_lost(std::uint64_t bytes) { lost_ += bytes; }
  // A packet that had been declared lost has arrived after all.
  void on_late_arrival(std::uint64_t bytes);
  RateSample finish_ack(Timestamp now);

  std::uint64_t delivered() const { return delivered_; }  // bytes
  std::uint64_t lost() const { return lost_; }            // bytes

 private:
  std::uint64_t delivered_ = 0;
  std::uint64_t lost_ = 0;
  Timestamp delivered_at_{};   // of the latest ACK
  Timestamp first_sent_at_{};  // when the latest acknowledged packet was sent: a sample's sending time begins here
  std::uint64_t app_limited_until_ = 0;  // packet number
  std::uint64_t largest_acknowledged_ = 0;

  bool has_newest_ = false;  // set while an ACK is being settled
  SentPacket newest_;
};

}  // namespace mxp
