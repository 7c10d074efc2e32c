#include "reliability/pacer.h"

#include <algorithm>

namespace mxp {

Pacer::Pacer(std::size_t max_datagram_bytes, bool enabled)
    : max_datagram_bytes_(max_datagram_bytes),
      enabled_(enabled),
      burst_(kBurstDatagrams * max_datagram_bytes),
      quantum_(max_datagram_bytes),
      credit_(static_cast<Credit>(burst_) * kUnit) {}

Pacer::Credit Pacer::credit_at(Timestamp now) const {
  const Credit full = static_cast<Credit>(burst_) * kUnit;
  if (refilled_at_ == Timestamp::min()) return full;
  if (now <= refilled_at_) return std::min(credit_, full);
  const auto earned =
      static_cast<__int128>((now - refilled_at_).count()) * static_cast<std::int64_t>(rate_.bytes_per_second());
  return static_cast<Credit>(std::min<__int128>(credit_ + earned, full));
}

void Pacer::refill(Timestamp now) {
  credit_ = credit_at(now);
  refilled_at_ = std::max(refilled_at_, now);
}

void Pacer::set_rate(Timestamp now, ByteRate rate) {
  if (rate == rate_) return;
  refill(now);  // what was earned so far was earned at the old rate
  rate_ = ByteRate::bytes_per_second(std::min(rate.bytes_per_second(), kMaxRate));
  set_bursts();
}

void Pacer::set_datagram_size(Timestamp now, std::size_t bytes) {
  const bool unused = refilled_at_ == Timestamp::min();
  if (!unused) refill(now);
  max_datagram_bytes_ = bytes;
  set_bursts();
  if (unused) credit_ = static_cast<Credit>(burst_) * kUnit;  // as at the start: a full burst
}

void Pacer::set_bursts() {
  burst_ = std::max(kBurstDatagrams * max_datagram_bytes_, rate_.bytes_in(kBurstTime));
  quantum_ = std::clamp(rate_.bytes_in(kQuantumTime), max_datagram_bytes_, std::max(kMaxQuantum, max_datagram_bytes_));
}

std::uint64_t Pacer::available(Timestamp now) const {
  if (!limited()) return kUnlimited;
  const Credit credit = credit_at(now);
  return credit <= 0 ? 0 : static_cast<std::uint64_t>(credit / kUnit);
}

Timestamp Pacer::ready_at(Timestamp now, std::uint64_t bytes) const {
  if (!limited()) return now;
  const Credit missing = static_cast<Credit>(bytes) * kUnit - credit_at(now);
  if (missing <= 0) return now;
  const auto rate = static_cast<Credit>(rate_.bytes_per_second());
  // Rounded up, so that a caller who asks again at that time gets what it asked for. Where time went backwards, it is
  // counted from the refill.
  return std::max(now, refilled_at_) + Duration((missing + rate - 1) / rate);
}

void Pacer::on_sent(Timestamp now, std::uint64_t bytes) {
  if (!limited()) return;
  refill(now);
  credit_ -= static_cast<Credit>(bytes) * kUnit;
}

}  // namespace mxp
