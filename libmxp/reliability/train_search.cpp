#include "reliability/train_search.h"

#include "reliability/scaled.h"

namespace mxp {
namespace {

// Our choices. Times the known rate; the smaller one once a train has shown a queue.
constexpr double kTrainGain = 2.0;
constexpr double kSmallGain = 1.5;
constexpr double kGapGain = 0.5;
constexpr int kGapLengths = 2;  // of trains, so that what they sent too much is made up for
constexpr std::uint64_t kLeastDatagrams = 8;
constexpr std::uint64_t kLargestDatagram = 1500;  // of larger ones fewer are enough
constexpr int kDeviations = 3;
constexpr int kMostOfRoundTrip = 4;    // the divisor for a train that is long because round trips vary
constexpr int kLateLengths = 2;        // what comes so long after the beginning of a train is no part of it
constexpr double kWasSent = 0.75;      // of what was meant: a slower train shows nothing
constexpr double kMargin = 0.99;       // of what a train found: it is measured in a few packets
constexpr double kGrowth = 1.2;        // by less the rate has not grown
constexpr double kWithoutQueue = 0.9;  // of what was meant
constexpr double kLargestRetreat = 0.5;
constexpr unsigned kTrainsWithoutGrowth = 3;
constexpr unsigned kTrainsWithoutLesson = 8;
constexpr unsigned kMostTrains = 40;
constexpr int kSamplesOfDeviation = 16;

// Bytes sent on the path in total, with this packet.
std::uint64_t sent_with(const SentPacket& packet) {
  return packet.delivery.delivered + packet.delivery.lost + packet.delivery.in_flight;
}

}  // namespace

TrainSearch::TrainSearch(ByteRate rate, ByteRate least)
    : rate_(std::max(rate, least)), least_(least), train_gain_(kTrainGain) {}

double TrainSearch::pacing_gain() const {
  if (stage_ == Stage::train) return train_gain_;
  return stage_ == Stage::gap ? kGapGain : 1.0;
}

void TrainSearch::begin_train(const SentPacket& packet, Duration min_rtt, std::uint64_t datagram_bytes) {
  stage_ = Stage::train;
  began_at_ = packet.sent_at;
  bytes_before_ = sent_with(packet);
  const std::uint64_t least_bytes =
      std::max(kLeastDatagrams * std::min(datagram_bytes, kLargestDatagram), 2 * datagram_bytes);
  length_ = std::max({length_at(min_rtt), std::min(kDeviations * deviation_, min_rtt / kMostOfRoundTrip),
                      scaled(rate_, train_gain_).time_for(least_bytes)});
  tail_ = {};
}

bool TrainSearch::on_packet_sent(const SentPacket& packet, Duration min_rtt, std::uint64_t datagram_bytes) {
  switch (stage_) {
    case Stage::ready: begin_train(packet, min_rtt, datagram_bytes); return true;
    case Stage::train:
      if (packet.sent_at < began_at_ + length_) return false;
      if (packet.sent_at >= began_at_ + kLateLengths * length_) {
        // The application had paused, or the host is late.
        if (!packet.delivery.app_limited) ++trains_without_lesson_;
        begin_train(packet, min_rtt, datagram_bytes);
        before_ = {};
        compared_from_ = began_at_;
        return false;
      }
      ended_at_ = packet.sent_at;
      was_sent_ = sent_with(packet) > bytes_before_ &&
                  ByteRate::over(sent_with(packet) - bytes_before_, ended_at_ - began_at_) >=
                      scaled(scaled(rate_, train_gain_), kWasSent);
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

TrainSearch::Verdict TrainSearch::on_ack(const SentPacket& newest, std::optional<Duration> round_trip) {
  if (is_in_vain()) return Verdict::given_up;
  if (stage_ == Stage::ready || newest.sent_at < began_at_) {
    if (round_trip && newest.sent_at >= compared_from_) {
      ++before_.count;
      before_.round_trips += *round_trip;
      if (usual_ != Duration::zero())
        deviation_ += (std::chrono::abs(*round_trip - usual_) - deviation_) / kSamplesOfDeviation;
    }
    return Verdict::goes_on;
  }
  const std::uint64_t sent = sent_with(newest);
  if (round_trip && newest.sent_at >= began_at_ + length_ / 2 && newest.sent_at <= began_at_ + length_ * 5 / 4 &&
      sent > bytes_before_) {
    ++tail_.count;
    tail_.bytes += sent - bytes_before_;
    tail_.sent_in += newest.sent_at - began_at_;
    tail_.round_trips += *round_trip;
  }
  if (stage_ != Stage::calm || newest.sent_at <= ended_at_) return Verdict::goes_on;
  const bool app_limited = newest.delivery.app_limited;
  // Of an application that sends in bursts, and perhaps nothing before a train, no number of them says anything.
  if (!app_limited) {
    ++trains_without_lesson_;
    ++trains_;
  }
  if (was_sent_) judge(app_limited);
  stage_ = Stage::ready;
  compared_from_ = calm_from_;
  before_ = {};
  if (round_trip && newest.sent_at >= compared_from_) before_ = {.count = 1, .round_trips = *round_trip};
  if (trains_without_growth_ >= kTrainsWithoutGrowth) return Verdict::found;
  return is_in_vain() ? Verdict::given_up : Verdict::goes_on;
}

bool TrainSearch::is_in_vain() const {
  return trains_without_lesson_ >= kTrainsWithoutLesson || trains_ >= kMostTrains;
}

void TrainSearch::judge(bool app_limited) {
  if (tail_.count == 0 || before_.count == 0) return;
  const ByteRate meant = scaled(rate_, train_gain_);
  if (ByteRate::over(tail_.bytes, tail_.sent_in) < scaled(meant, kWasSent)) return;
  trains_without_lesson_ = 0;
  usual_ = before_.round_trips / static_cast<Duration::rep>(before_.count);
  const Duration queue = tail_.round_trips - usual_ * static_cast<Duration::rep>(tail_.count);
  const ByteRate arrived =
      std::min(ByteRate::over(tail_.bytes, tail_.sent_in + std::max(queue, Duration::zero())), meant);
  // An application that sends in bursts never fills the path; what it has found holds for when it does.
  if (arrived > scaled(rate_, kGrowth)) trains_without_growth_ = 0;
  else if (!app_limited) ++trains_without_growth_;
  const bool queue_shown = arrived < scaled(meant, kWithoutQueue);
  has_shown_queue_ |= queue_shown;
  train_gain_ = queue_shown ? kSmallGain : kTrainGain;
  rate_ = std::max({scaled(arrived, kMargin), scaled(rate_, kLargestRetreat), least_});
}

}  // namespace mxp
