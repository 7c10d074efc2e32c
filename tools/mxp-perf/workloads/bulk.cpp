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
    const auto written = connection_.write(id, kData);
    if (!written || *written < kData.size()) return;  // on_writable tells when to go on
  }
}

}  // namespace mxp::perf
