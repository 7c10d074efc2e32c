#include "reliability/rate_sampler.h"

#include <algorithm>

namespace mxp {

DeliveryState RateSampler::on_packet_sent(Timestamp now, std::uint64_t in_flight_before, std::uint32_t size) {
  if (in_flight_before == 0) first_sent_at_ = delivered_at_ = now;  // idle time says nothing about the path
  return {.delivered = delivered_,
          .lost = lost_,
          .delivered_at = delivered_at_,
          .first_sent_at = first_sent_at_,
          .in_flight = in_flight_before + size,
          .app_limited = largest_acknowledged_ < app_limited_until_};
}

void RateSampler::on_acknowledged(const SentPacket& packet) {
  delivered_ += packet.size_bytes;
  if (has_newest_ && packet.number < newest_.number) return;
  newest_ = packet;
  has_newest_ = true;
}

void RateSampler::on_late_arrival(std::uint64_t bytes) {
  delivered_ += bytes;
  lost_ -= std::min(lost_, bytes);
}

RateSample RateSampler::finish_ack(Timestamp now) {
  RateSample sample;
  sample.total_delivered = delivered_;
  if (!has_newest_) return sample;
  has_newest_ = false;
  delivered_at_ = now;
  largest_acknowledged_ = std::max(largest_acknowledged_, newest_.number.value());

  const DeliveryState& then = newest_.delivery;
  const Duration sending = newest_.sent_at - then.first_sent_at;
  const Duration acknowledging = now - then.delivered_at;
  const Duration interval = std::max(sending, acknowledging);
  first_sent_at_ = newest_.sent_at;

  sample.app_limited = then.app_limited;
  sample.delivered = delivered_ - then.delivered;
  sample.lost = lost_ > then.lost ? lost_ - then.lost : 0;
  sample.in_flight = then.in_flight;
  sample.prior_delivered = then.delivered;
  if (interval > Duration::zero()) sample.rate = ByteRate::over(sample.delivered, interval);
  return sample;
}

}  // namespace mxp
