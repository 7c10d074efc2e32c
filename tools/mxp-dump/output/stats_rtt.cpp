#include "mxp-dump/output/stats_rtt.h"

#include <functional>

namespace mxp::dump {

std::uint64_t StatsRtt::path_of(const SocketAddress& from, const SocketAddress& to) {
  const auto hash = [](const SocketAddress& address) {
    const std::string_view ip(reinterpret_cast<const char*>(address.ip.data()), address.ip.size());
    return std::hash<std::string_view>{}(ip) * 31 + address.port;
  };
  return hash(from) * 1'000'003 + hash(to);
}

std::ptrdiff_t StatsRtt::sent(const PacketRecord& record, bool room) {
  if (!record.number || !record.time_ns || record.duplicate || record.seen_before || record.damaged || !room) return 0;
  if (!record.asks_for_ack()) return 0;
  const std::uint64_t number = record.number->value();
  // What was overtaken before this place gives no sample.
  if ((!outstanding_.empty() && number <= outstanding_.back().number) ||
      (largest_acknowledged_ && number <= *largest_acknowledged_))
    return 0;
  outstanding_.push_back({number, *record.time_ns, path_of(record.source, record.destination)});
  if (outstanding_.size() <= kMaxOutstanding) return 1;
  outstanding_.pop_front();
  return 0;
}

std::ptrdiff_t StatsRtt::answered(const PacketRecord& record) {
  if (!record.time_ns || record.damaged) return 0;
  std::ptrdiff_t change = 0;
  for (const Frame& frame : record.frames) {
    const auto* ack = std::get_if<AckFrame>(&frame);
    if (ack == nullptr) continue;
    const std::uint64_t largest = ack->largest.value();
    if (largest_acknowledged_ && largest <= *largest_acknowledged_) continue;
    largest_acknowledged_ = largest;
    while (!outstanding_.empty() && outstanding_.front().number <= largest) {
      const Sent sent = outstanding_.front();
      outstanding_.pop_front();
      --change;
      if (sent.number != largest || sent.path != path_of(record.destination, record.source) ||
          sent.time_ns > *record.time_ns)
        continue;
      const std::uint64_t whole_us = (*record.time_ns - sent.time_ns) / 1000;
      const auto delay_us =
          static_cast<std::uint64_t>(std::chrono::duration_cast<std::chrono::microseconds>(ack->delay).count());
      samples_us_.add(whole_us >= delay_us ? whole_us - delay_us : whole_us);
    }
  }
  return change;
}

}  // namespace mxp::dump
