#include "mxp-perf/workloads/datagram_test.h"

#include <algorithm>
#include <chrono>

#include "common/units.h"

namespace mxp::perf {

namespace {

// A number in the eight bytes that begin a datagram, the highest byte first.
void write_number(MutableBytes out, std::uint64_t number) {
  for (std::size_t i = 0; i < kLeastDatagram; ++i) out[i] = static_cast<std::uint8_t>(number >> (8 * (7 - i)));
}
std::uint64_t read_number(ByteView in) {
  std::uint64_t number = 0;
  for (std::size_t i = 0; i < kLeastDatagram; ++i) number = number << 8 | in[i];
  return number;
}

}  // namespace

DatagramSender::DatagramSender(Connection& connection, std::uint64_t size, Timestamp until)
    : connection_(connection), data_(static_cast<std::size_t>(size)), until_(until) {}

bool DatagramSender::send(DatagramPolicy when_full) {
  write_number(data_, next_);
  // What is still queued at the end of the test is not sent: it would count as lost.
  if (!connection_.send_datagram(data_, {.policy = when_full, .expires_at = until_})) return false;
  ++next_;
  return true;
}

bool DatagramMeter::on_datagram(Timestamp now, ByteView data) {
  if (data.size() < kLeastDatagram) return false;
  const std::uint64_t number = read_number(data);
  if (largest && number < *largest) ++overtaken;
  largest = std::max(largest.value_or(0), number);
  if (received++ == 0) first = now;
  last = now;
  bytes += data.size();
  return true;
}

DatagramTest::DatagramTest(const Workload& workload, EventLoop& loop, const ClientLoads& loads)
    : workload_(workload), loop_(loop), loads_(loads) {}

std::expected<void, std::string> DatagramTest::begin(Timestamp now) {
  begun_ = now;
  for (const auto& [connection, load] : loads_) {
    if (connection->max_datagram_size() < workload_.size)
      return std::unexpected("the server takes no datagrams of this size");
    senders_.try_emplace(connection, *connection, workload_.size, begun_ + workload_.duration);
  }
  next_sender_ = senders_.begin();
  if (workload_.calls_per_second > 0) pump();
  else
    for (auto& [connection, sender] : senders_) fill(sender);
  return {};
}

void DatagramTest::fill(DatagramSender& sender) {
  while (sender.send(DatagramPolicy::block)) {
  }
}

void DatagramTest::on_datagrams_writable(Connection& connection) {
  const auto found = senders_.find(&connection);
  // What is late already would only make room again.
  const bool over = stopped_ || loop_.now() >= begun_ + workload_.duration;
  if (!over && workload_.calls_per_second == 0 && found != senders_.end()) fill(found->second);
}

void DatagramTest::pump() {
  if (stopped_) return;
  const double passed = std::chrono::duration<double>(loop_.now() - begun_).count();
  const auto due = static_cast<std::uint64_t>(passed * workload_.calls_per_second) + 1;
  for (; offered_ < due; ++offered_) {
    if (!next_sender_->second.send(DatagramPolicy::drop_newest)) ++refused_;
    if (++next_sender_ == senders_.end()) next_sender_ = senders_.begin();
  }
  const auto next = std::chrono::duration<double>(static_cast<double>(offered_) / workload_.calls_per_second);
  loop_.at(begun_ + std::chrono::duration_cast<Duration>(next), [this] { pump(); });
}

std::uint64_t DatagramTest::acknowledged() const {
  std::uint64_t total = 0;
  for (const auto& [connection, sender] : senders_) total += connection->stats().datagrams.delivered;
  return total;
}

std::optional<LoadDirection> DatagramTest::stuck() const {
  return acknowledged() == 0 ? std::optional(LoadDirection::up) : std::nullopt;
}

std::uint64_t DatagramTest::progress() const { return acknowledged(); }

std::string DatagramTest::describe_rate(double per_second) const {
  return tools::format_bit_rate(per_second * static_cast<double>(workload_.size) * 8);
}

void DatagramTest::add_to(Result& result) {
  DatagramCounts counts;
  for (const auto& [connection, sender] : senders_) {
    const DatagramStats stats = connection->stats().datagrams;
    counts.sent += stats.sent;
    counts.not_sent += stats.expired + stats.too_large + stats.queued;
  }
  counts.not_sent += refused_;
  if (all_reported(loads_)) {
    ArrivalSpan span;
    counts.overtaken = 0;
    for (const auto& [connection, load] : loads_) {
      if (load.report->datagrams == 0) continue;
      counts.delivered += load.report->datagrams;
      *counts.overtaken += load.report->overtaken;
      result.bytes += load.report->bytes;
      span.add(*load.report);
    }
    result.seconds = span.seconds();
  } else {
    counts.delivered = acknowledged();
    result.bytes = counts.delivered * workload_.size;
    result.seconds = std::chrono::duration<double>(loop_.now() - begun_).count();
  }
  if (result.seconds > 0) {
    result.goodput_bits_per_second = static_cast<double>(result.bytes) * 8 / result.seconds;
    result.messages_per_second = static_cast<double>(counts.delivered) / result.seconds;
  }
  if (workload_.calls_per_second > 0) {
    counts.asked_per_second = workload_.calls_per_second;
    counts.rate_kept = keeps_rate(counts, result.seconds);
  }
  result.datagrams = counts;
}

}  // namespace mxp::perf
