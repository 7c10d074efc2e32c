#include "mxp-dump/link/fragments.h"

#include <algorithm>
#include <utility>

namespace mxp::dump {
namespace {

constexpr std::size_t kMaxDatagramBytes = 65535;

std::size_t cost(const Fragments::Kept& kept) { return kept.frame.size() + sizeof kept; }

// Whether any datagram can have it.
bool possible(const Fragment& fragment) {
  return fragment.length > 0 && fragment.offset + fragment.length <= kMaxDatagramBytes &&
         (fragment.last || fragment.length % 8 == 0);
}

bool same_place(const Fragment& a, const Fragment& b) {
  return a.offset == b.offset && a.length == b.length && a.last == b.last;
}

Fragments::Kept keep(const Fragment& fragment, const CapturedPacket& packet) {
  Fragments::Kept kept{packet, {packet.bytes.begin(), packet.bytes.end()}, fragment};
  const auto at = static_cast<std::size_t>(fragment.body.data() - packet.bytes.data());
  kept.packet.bytes = kept.frame;
  kept.fragment.body = ByteView(kept.frame).subspan(at, fragment.body.size());
  return kept;
}

}  // namespace

std::optional<Fragments::Whole> Fragments::add(const FragmentKey& key, const Fragment& fragment,
                                               const CapturedPacket& frame) {
  if (frame.time_ns) expire(*frame.time_ns);
  Place place = std::find_if(waiting_.begin(), waiting_.end(), [&](const Waiting& one) { return one.key == key; });
  if (place == waiting_.end()) {
    if (!possible(fragment)) {  // makes nobody wait for its datagram
      ++counts_.overlapping;
      return std::nullopt;
    }
    place = waiting_.insert(waiting_.end(), Waiting{});
    place->key = key;
    place->since_ns = frame.time_ns;
    bound();
  }
  Waiting& waiting = *place;
  if (waiting.dropped) {
    ++counts_.overlapping;
    return std::nullopt;
  }
  const auto next = std::find_if(waiting.kept.begin(), waiting.kept.end(),
                                 [&](const Kept& kept) { return kept.fragment.offset >= fragment.offset; });
  if (next != waiting.kept.end() && same_place(next->fragment, fragment)) {
    ++counts_.copies;
    return std::nullopt;
  }
  const bool into_the_one_before =
      next != waiting.kept.begin() &&
      std::prev(next)->fragment.offset + std::prev(next)->fragment.length > fragment.offset;
  const bool into_the_next = next != waiting.kept.end() && fragment.offset + fragment.length > next->fragment.offset;
  if (into_the_one_before || into_the_next || !fits(waiting, fragment)) {
    ++counts_.overlapping;
    drop(waiting);
    return std::nullopt;
  }
  if (fragment.last) waiting.length = fragment.offset + fragment.length;
  waiting.received += fragment.length;
  const auto kept = waiting.kept.insert(next, keep(fragment, frame));
  bytes_ += cost(*kept);
  if (waiting.length == waiting.received) return complete(place);
  bound();
  return std::nullopt;
}

// Whether it lies within the datagram, as far as its length is known.
bool Fragments::fits(const Waiting& waiting, const Fragment& fragment) const {
  const std::size_t end = fragment.offset + fragment.length;
  if (!possible(fragment) || waiting.kept.size() >= kMaxFragments) return false;
  if (waiting.length && (fragment.last || end > *waiting.length)) return false;
  return !fragment.last || waiting.kept.empty() ||
         waiting.kept.back().fragment.offset + waiting.kept.back().fragment.length <= end;
}

// The entry stays until its time is over, so that what still comes of the datagram is dropped too.
void Fragments::drop(Waiting& waiting) {
  counts_.overlapping += waiting.kept.size();
  for (const Kept& kept : waiting.kept) bytes_ -= cost(kept);
  waiting.kept.clear();
  waiting.dropped = true;
}

Fragments::Whole Fragments::complete(Place place) {
  Whole whole{{}, *place->length, static_cast<std::uint32_t>(place->kept.size())};
  body_.clear();
  for (const Kept& kept : place->kept) {
    bytes_ -= cost(kept);
    if (body_.size() == kept.fragment.offset)  // else the one before was cut by the snap length
      body_.insert(body_.end(), kept.fragment.body.begin(), kept.fragment.body.end());
  }
  whole.body = body_;
  completed_ = std::move(place->kept);
  waiting_.erase(place);
  ++counts_.reassembled;
  return whole;
}

std::vector<CapturedPacket> Fragments::earlier_frames() const {
  std::vector<CapturedPacket> frames;
  frames.reserve(completed_.size());
  for (const Kept& kept : completed_) frames.push_back(kept.packet);
  std::sort(frames.begin(), frames.end(), [](const auto& a, const auto& b) { return a.frame < b.frame; });
  if (!frames.empty()) frames.pop_back();
  return frames;
}

void Fragments::give_up(Place place) {
  for (Kept& kept : place->kept) {
    bytes_ -= cost(kept);
    if (kept.fragment.offset == 0) first_.push_back(std::move(kept));
    else ++counts_.unmatched;
  }
  waiting_.erase(place);
}

// A clock that goes back gives up nothing.
void Fragments::expire(std::uint64_t now_ns) {
  while (!waiting_.empty() && waiting_.front().since_ns && now_ns > *waiting_.front().since_ns &&
         now_ns - *waiting_.front().since_ns > kPatienceNs)
    give_up(waiting_.begin());
}

void Fragments::bound() {
  while (waiting_.size() > 1 && (bytes_ > kMaxBytes || waiting_.size() > kMaxDatagrams)) give_up(waiting_.begin());
}

void Fragments::give_up_all() {
  while (!waiting_.empty()) give_up(waiting_.begin());
}

std::optional<Fragments::Kept> Fragments::take_first() {
  if (first_.empty()) return std::nullopt;
  Kept kept = std::move(first_.front());
  first_.pop_front();
  return kept;
}

}  // namespace mxp::dump
