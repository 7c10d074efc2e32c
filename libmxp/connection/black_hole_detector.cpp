#include "connection/black_hole_detector.h"

#include <algorithm>

namespace mxp {

void BlackHoleDetector::on_acknowledged(PacketNumber number, std::size_t size) {
  loss_share_ -= loss_share_ * kLossShareWeight;
  remember({number, size});
  if (row_.losses == 0 || number < row_.first || size < row_.smallest) return;
  // Some of the row were lost by chance, and which ones is not known any more: it starts again.
  count_ordinary_losses(row_.losses);
  row_ = {};
}

bool BlackHoleDetector::on_lost(PacketNumber number, std::size_t size) {
  if (explained_by_arrival(number, size)) {
    count_ordinary_losses(1);
    return false;
  }
  if (row_.losses == 0) row_ = {.losses = 0, .first = number, .smallest = size, .by_chance = 1};
  row_.first = std::min(row_.first, number);
  row_.smallest = std::min(row_.smallest, size);
  row_.by_chance *= std::min(loss_share_, kLargestLossShare);
  ++row_.losses;
  if (row_.losses < kLeastLosses || row_.by_chance > kByChance) return false;
  forget();
  return true;
}

void BlackHoleDetector::forget() {
  arrival_count_ = 0;
  row_ = {};
}

bool BlackHoleDetector::explained_by_arrival(PacketNumber number, std::size_t size) const {
  return std::any_of(arrivals_.begin(), arrivals_.begin() + arrival_count_,
                     [&](const Arrival& arrival) { return arrival.number > number && arrival.size >= size; });
}

void BlackHoleDetector::remember(Arrival arrival) {
  // Those of smaller numbers and sizes are implied by the new one. What remains before it is larger, what remains
  // behind it was sent later.
  const auto end = std::remove_if(arrivals_.begin(), arrivals_.begin() + arrival_count_, [&](const Arrival& old) {
    return old.number <= arrival.number && old.size <= arrival.size;
  });
  arrival_count_ = static_cast<std::size_t>(end - arrivals_.begin());
  const auto after =
      std::find_if(arrivals_.begin(), end, [&](const Arrival& old) { return old.number > arrival.number; });
  if (after != end && after->size >= arrival.size) return;  // implied by one that was sent later
  if (arrival_count_ == kMaxArrivals) {
    arrivals_.back().number = std::max(arrivals_.back().number, arrival.number);
    return;
  }
  std::move_backward(after, end, end + 1);
  *after = arrival;
  ++arrival_count_;
}

void BlackHoleDetector::count_ordinary_losses(unsigned losses) {
  for (; losses > 0; --losses) loss_share_ += (1 - loss_share_) * kLossShareWeight;
}

}  // namespace mxp
