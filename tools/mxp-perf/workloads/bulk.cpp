#include "mxp-perf/workloads/bulk.h"

#include <array>

namespace mxp::perf {

namespace {

// What is sent. The content does not matter to any cipher; the size is what one write offers.
constexpr std::size_t kChunk = 256 * 1024;
std::array<std::uint8_t, kChunk> make_chunk() {
  std::array<std::uint8_t, kChunk> chunk;
  for (std::size_t i = 0; i < chunk.size(); ++i) chunk[i] = static_cast<std::uint8_t>(i * 167 + (i >> 8));
  return chunk;
}
const std::array<std::uint8_t, kChunk> kData = make_chunk();

}  // namespace

bool BulkSender::start(unsigned streams) {
  // All are opened before the first is written to: a stream's share of the memory depends on their number.
  for (unsigned i = 0; i < streams; ++i) {
    const auto id = connection_.open_stream(StreamType::unidirectional);
    if (!id) return false;
    ids_.push_back(*id);
  }
  for (const StreamId id : ids_) on_writable(id);
  return true;
}

void BulkSender::abandon(AppErrorCode code) {
  stop();
  for (const StreamId id : ids_) (void)connection_.reset(id, code);
}

void BulkSender::on_writable(StreamId id) {
  // The other streams that this side writes to are two-way.
  if (stopped_ || id.type() != StreamType::unidirectional) return;
  for (;;) {
    const std::size_t offered = passes(kData.size());
    const auto written = connection_.write(id, ByteView(kData).first(offered));
    const std::size_t taken = written.value_or(0);
    if (limit_) limit_->gate.give_back(offered - taken);
    if (taken < offered) return;  // on_writable tells when to go on
    if (offered < kData.size()) return go_on_later();
  }
}

std::size_t BulkSender::passes(std::size_t bytes) { return limit_ ? limit_->gate.take(limit_->now(), bytes) : bytes; }

void BulkSender::go_on_later() {
  if (waits_) return;
  waits_ = true;
  limit_->later([this] {
    waits_ = false;
    // Each of them is the first in its turn, so that one does not take all that passes.
    for (std::size_t i = 0; i < ids_.size(); ++i) on_writable(ids_[(next_ + i) % ids_.size()]);
    next_ = (next_ + 1) % ids_.size();
  });
}

}  // namespace mxp::perf
