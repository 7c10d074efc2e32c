#include "mxp-perf/bulk.h"

#include <algorithm>
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

BulkSender::BulkSender(Connection& connection, unsigned streams) : connection_(connection), wanted_(streams) {
  ids_.reserve(streams);
}

bool BulkSender::start() {
  for (unsigned i = 0; i < wanted_; ++i) {
    const auto id = connection_.open_stream(StreamType::unidirectional);
    if (!id) return false;
    ids_.push_back(*id);
    ++open_;
  }
  for (const StreamId id : ids_) pump(id);
  return true;
}

bool BulkSender::owns(StreamId id) const { return std::find(ids_.begin(), ids_.end(), id) != ids_.end(); }

void BulkSender::pump(StreamId id) {
  if (stopped_) return;
  for (;;) {
    const auto written = connection_.write(id, kData);
    if (!written || *written < kData.size()) return;  // on_writable tells when to go on
  }
}

void BulkSender::on_writable(StreamId id) {
  if (owns(id)) pump(id);
}

void BulkSender::stop() {
  if (stopped_) return;
  stopped_ = true;
  for (const StreamId id : ids_) (void)connection_.finish(id);
}

void BulkSender::on_finished(StreamId id) {
  if (owns(id) && open_ > 0) --open_;
}

}  // namespace mxp::perf
