#include "reliability/train_search.h"

#include "reliability/scaled.h"

namespace mxp {
namespace {

// Our choices. Times the known rate; the smaller one once a train has shown a queue.
constexpr double kTrainGain = 2.0;
constexpr double kSmallGain = 1.5;
constexpr double kGapGain = 0.5;
constexpr int kGapLengths = 2;  // of trains, so that what they sent too much is made up for
constexpr std::uint64_t kLeastPackets = 8;
constexpr int kDeviations = 3;
constexpr double kWasSent = 0.75;      // of what was meant: a slower train shows nothing
constexpr double kMargin = 0.97;       // of what a train found: it is measured in a few packets
constexpr double kGrowth = 1.2;        // by less the rate has not grown
constexpr double kWithoutQueue = 0.9;  // of what was meant
constexpr double kLargestRetreat = 0.5;
constexpr unsigned kTrainsWithoutGrowth = 3;
constexpr int kSamplesOfDeviation = 16;

// Bytes sent on the path in total, with this packet.
std::uint64_t sent_with(const SentPacket& packet) {
  return packet.delivery.delivered + packet.delivery.lost + packet.delivery.in_flight;
}

}  // namespace

TrainSearch::TrainSearch(ByteRate rate) : rate_(rate), train_gain_(kTrainGain) {}

double TrainSearch::pacing_gain() const {
  if (stage_ == Stage::train) return train_gain_;
  return stage_ == Stage::gap ? kGapGain : 1.0;
}

bool TrainSearch::on_packet_sent(const SentPacket& packet, Duration min_rtt) {
  switch (stage_) {
    case Stage::ready:
      stage_ = Stage::train;
      began_at_ = packet.sent_at;
      bytes_before_ = sent_with(packet) - packet.size_bytes;
      length_ = std::max({length_at(min_rtt), kDeviations * deviation_,
                          scaled(rate_, train_gain_).time_for(kLeastPackets * packet.size_bytes)});
      before_ = tail_ = {};
      compared_from_ = calm_from_;
      return true;
    case Stage::train:
      if (packet.sent_at < began_at_ + length_) return false;
      ended_at_ = packet.sent_at;
      stage_ = Stage::gap;
      return true;
    case Stage::gap:
      if (packet.sent_at < ended_at_ + kGapLengths * (ended_at_ - began_at_)) return false;
      stage_ = Stage::calm;
      calm_from_ = packet.sent_at;
      return true;
    case Stage::calm: return false;
  }
  return false;
}

bool TrainSearch::on_ack(const SentPacket& newest, std::optional<Duration> round_trip) {
  if (stage_ == Stage::ready) return false;
  if (newest.sent_at < began_at_) {
    if (round_trip && newest.sent_at >= compared_from_) {
      ++before_.count;
      before_.round_trips += *round_trip;
      if (usual_ != Duration::zero())
        deviation_ += (std::chrono::abs(*round_trip - usual_) - deviation_) / kSamplesOfDeviation;
    }
    return false;
  }
  const std::uint64_t sent = sent_with(newest);
  if (round_trip && newest.sent_at >= began_at_ + length_ / 2 && newest.sent_at <= began_at_ + length_ * 5 / 4 &&
      sent > bytes_before_) {
    ++tail_.count;
    tail_.bytes += sent - bytes_before_;
    tail_.sent_in += newest.sent_at - began_at_;
    tail_.round_trips += *round_trip;
  }
  if (stage_ != Stage::calm || newest.sent_at <= ended_at_) return false;
  judge();
  stage_ = Stage::ready;
  return trains_without_growth_ >= kTrainsWithoutGrowth;
}

void TrainSearch::judge() {
  if (tail_.count == 0 || before_.count == 0) return;
  const ByteRate meant = scaled(rate_, train_gain_);
  if (ByteRate::over(tail_.bytes, tail_.sent_in) < scaled(meant, kWasSent)) return;  // something held it back
  const Duration usual = before_.round_trips / static_cast<Duration::rep>(before_.count);
  usual_ = usual;
  const Duration queue = tail_.round_trips - usual * static_cast<Duration::rep>(tail_.count);
  const ByteRate arrived =
      std::min(ByteRate::over(tail_.bytes, tail_.sent_in + std::max(queue, Duration::zero())), meant);
  const bool grows = arrived > scaled(rate_, kGrowth);
  trains_without_growth_ = grows ? 0 : trains_without_growth_ + 1;
  train_gain_ = arrived < scaled(meant, kWithoutQueue) ? kSmallGain : kTrainGain;
  rate_ = std::max(scaled(arrived, kMargin), scaled(rate_, kLargestRetreat));
}

}  // namespace mxp
