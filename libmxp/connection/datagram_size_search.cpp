#include "connection/datagram_size_search.h"

#include <algorithm>

#include "mxp/require.h"

namespace mxp {

namespace {

constexpr std::size_t kEthernet = 1500;
// MTUs that real paths have, largest first.
constexpr std::array<std::size_t, 10> kUsualMtus{
    65535,      // loopback of 65,536 and IP over InfiniBand of 65,520, as far as an IP packet's length goes
    9000,       // jumbo frames in data centres and storage networks
    8896,       // virtual networks of one large cloud at their largest
    4000,       // virtual networks of another; IP over InfiniBand in datagram mode has 4,092
    kEthernet,  // nearly everything else
    1480,       // tunnels of IPv6 or IPv4 in IPv4; PPPoE has 1,492
    1460,       // the default of a large cloud
    1420,       // WireGuard over Ethernet
    1400,       // many other tunnels and mobile networks
    1280,       // the least that IPv6 allows, and what careful tunnels are set to
};

bool fits(std::size_t size, std::uint64_t window) { return DatagramSizeSearch::kDatagramsInWindow * size <= window; }

// Sizes that few paths have are not asked for with a window with which connections begin (bbr_startup.cpp).
constexpr std::uint64_t kGrownWindow = 48 * 1024;

}  // namespace

DatagramSizeSearch::DatagramSizeSearch(AddressFamily family, std::size_t ceiling)
    : overhead_(ip_and_udp_headers(family)), ceiling_(std::max(ceiling, kBase)), failed_(ceiling_ + 1) {}

std::size_t DatagramSizeSearch::usable_size(std::uint64_t window) const {
  std::size_t size = passed_;
  while (size > kBase && !fits(size, window)) size /= 2;
  return std::max(size, kBase);
}

std::optional<std::size_t> DatagramSizeSearch::probe_due(Timestamp now, std::uint64_t window) {
  if (probe_) return std::nullopt;
  if (!searching_) {
    if (now < rest_until_) return std::nullopt;
    begin();
  }
  rest_if_done(now);
  if (!searching_) return std::nullopt;
  return next_size(window);
}

// The steps of the essay in the header, from the first to the last.
std::optional<std::size_t> DatagramSizeSearch::next_size(std::uint64_t window) const {
  const auto if_it_fits = [&](std::size_t size) { return fits(size, window) ? std::optional(size) : std::nullopt; };
  if (suspect_ && fits(suspect_->size, window)) return suspect_->size;
  if (asking_again_) return if_it_fits(failed_);
  if (failed_ - passed_ <= kGap) return std::nullopt;  // all that is left is the suspect, which does not fit yet
  // Before all that is larger: Ethernet's size until it has passed or failed, and then what is just above it. They are
  // small, and where one of them fails nothing larger passes.
  const std::size_t ethernet = kEthernet - overhead_;
  if (passed_ == ethernet) return if_it_fits(std::min(passed_ + kGap, ceiling_));
  if (losses_ > 0 && asked_size_ == ethernet && passed_ < ethernet && ethernet < failed_) return if_it_fits(ethernet);
  std::size_t remaining = 0;
  if (const auto usual = next_usual_size(window, remaining)) return usual;
  if (is_usual(passed_)) return if_it_fits(passed_ + kGap);
  if (remaining > 0) return std::nullopt;  // the window has to grow first
  return if_it_fits(passed_ + (failed_ - passed_) / 2);
}

// `remaining`: how many sizes are worth asking for whatever the window is.
std::optional<std::size_t> DatagramSizeSearch::next_usual_size(std::uint64_t window, std::size_t& remaining) const {
  remaining = 0;
  if (ceiling_ < failed_) {
    if (is_worth_asking(ceiling_, window)) return ceiling_;
    ++remaining;
  }
  std::array<std::size_t, kUsualMtus.size()> below_ethernet{};
  std::size_t count = 0;
  for (const std::size_t mtu : kUsualMtus) {
    const std::size_t size = mtu - overhead_;
    if (size <= passed_ || size >= failed_) continue;
    ++remaining;
    if (!is_worth_asking(size, window)) continue;
    if (mtu >= kEthernet) return size;
    below_ethernet[count++] = size;
  }
  // What is smaller than Ethernet's is a tunnel of some kind, and each of these is about as likely as another one:
  // halving their number finds the right one with the fewest losses.
  if (count > 0) return below_ethernet[count / 2];
  return std::nullopt;
}

bool DatagramSizeSearch::is_worth_asking(std::size_t size, std::uint64_t window) const {
  return fits(size, window) && (size + overhead_ <= kEthernet || window >= kGrownWindow);
}

bool DatagramSizeSearch::is_usual(std::size_t size) const {
  return size == kBase || std::find(kUsualMtus.begin(), kUsualMtus.end(), size + overhead_) != kUsualMtus.end();
}

void DatagramSizeSearch::on_probe_sent(PacketNumber number, std::size_t size) {
  MXP_REQUIRE(!probe_ && size > kBase && size <= ceiling_);
  if (size != asked_size_) losses_ = 0;  // the window has changed and with it the size that is asked for
  asked_size_ = size;
  probe_ = {number, size};
  ++probes_;
}

void DatagramSizeSearch::on_probe_acknowledged(Timestamp now, PacketNumber number) {
  if (!is_probe(number)) return;
  const std::size_t size = probe_->size;
  detector_.on_acknowledged(number, size);
  probe_.reset();
  losses_ = 0;
  if (suspect_ && size >= suspect_->size) {
    // It was an outage: all is as it was before.
    failed_ = std::max(suspect_->failed, size + 1);
    searching_ = suspect_->searching;
    rest_until_ = suspect_->rest_until;
    suspect_.reset();
  }
  passed_ = std::max(passed_, size);
  if (passed_ >= failed_) {  // it had failed by chance
    failed_ = ceiling_ + 1;
    asking_again_ = false;
    asked_again_ = false;
  }
  rest_if_done(now);
}

void DatagramSizeSearch::on_probe_lost(Timestamp now, PacketNumber number) {
  if (!is_probe(number)) return;
  const std::size_t size = probe_->size;
  probe_.reset();
  ++losses_;
  const bool was_suspected = suspect_ && suspect_->size == size;  // one loss confirms what many losses have shown
  if (losses_ >= kMaxLosses || was_suspected) on_failed(now, size);
  rest_if_done(now);
}

void DatagramSizeSearch::on_failed(Timestamp now, std::size_t size) {
  losses_ = 0;
  if (suspect_ && size <= suspect_->size) suspect_.reset();
  if (asking_again_ && size >= failed_) {
    rest(now);
    return;
  }
  if (size <= passed_ || size > failed_) return;
  if (size < failed_) asked_again_ = false;
  failed_ = size;
}

std::optional<PacketNumber> DatagramSizeSearch::on_refused(Timestamp now, std::size_t size) {
  std::optional<PacketNumber> unsent;
  if (probe_ && probe_->size == size) {
    unsent = probe_->number;
    probe_.reset();
  }
  if (size <= kBase) return unsent;  // nothing can be done: the path takes no packet that we may send
  if (size <= passed_) {             // the interface has changed
    passed_ = kBase;
    detector_.forget();
    if (!searching_) begin();
  }
  losses_ = 0;
  if (suspect_ && size <= suspect_->size) suspect_.reset();
  if (size <= failed_) {
    failed_ = size;
    asking_again_ = false;
    asked_again_ = true;  // a refusal is certain
  }
  rest_if_done(now);
  return unsent;
}

void DatagramSizeSearch::on_packet_acknowledged(PacketNumber number, std::size_t size) {
  if (size > kBase) detector_.on_acknowledged(number, size);
}

void DatagramSizeSearch::on_packet_lost(PacketNumber number, std::size_t size) {
  // Larger ones are from the time before a black hole was found.
  if (size <= kBase || size > passed_) return;
  if (detector_.on_lost(number, size)) fall_back();
}

void DatagramSizeSearch::on_persistent_timeout() {
  if (passed_ > kBase) fall_back();
}

void DatagramSizeSearch::fall_back() {
  const Suspect suspect{passed_, failed_, searching_, rest_until_};
  ++black_holes_;
  detector_.forget();
  probe_.reset();
  begin();
  suspect_ = suspect;
  failed_ = passed_;
  passed_ = kBase;
}

void DatagramSizeSearch::begin() {
  failed_ = ceiling_ + 1;
  searching_ = true;
  asking_again_ = false;
  asked_again_ = false;
  suspect_.reset();
  losses_ = 0;
  probes_ = 0;
  rest_until_ = kNever;
}

void DatagramSizeSearch::rest_if_done(Timestamp now) {
  if (!searching_ || probe_) return;
  if (probes_ >= kMaxProbes) return rest(now);
  if (asking_again_ || failed_ - passed_ > kGap || suspect_) return;
  if (asked_again_ || failed_ > ceiling_) return rest(now);
  asking_again_ = true;
  asked_again_ = true;
}

void DatagramSizeSearch::rest(Timestamp now) {
  searching_ = false;
  asking_again_ = false;
  suspect_.reset();
  losses_ = 0;
  const bool more_above = ceiling_ + 1 - passed_ > kGap;
  rest_until_ = more_above ? now + kRaiseAfter : kNever;
}

}  // namespace mxp
