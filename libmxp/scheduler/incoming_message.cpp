#include "scheduler/incoming_message.h"

#include <algorithm>
#include <cstring>

#include "message/body.h"
#include "mxp/require.h"

namespace mxp {

IncomingMessage::Added IncomingMessage::add(std::uint64_t offset, ByteView data, std::uint64_t max_payload) {
  const std::uint64_t end = offset + data.size();
  MXP_REQUIRE(end <= size_);
  if (present_.contains(offset, end)) return Added::ok;
  // Only what is new is copied: what was checked must not change afterwards.
  std::uint64_t at = offset;
  for (const RangeSet::Range& there : present_.ranges_ending_after(offset)) {
    if (there.begin >= end) break;
    if (at < there.begin) copy(at, data.subspan(at - offset, there.begin - at));
    at = std::max(at, there.end);
  }
  if (at < end) copy(at, data.subspan(at - offset));
  present_bytes_ += present_.add(offset, end);
  if (present_.range_count() > max_spans() && present_.range_count() > present_bytes_ / kBytesForSpan)
    return Added::too_many_spans;
  if (header_is_checked_ || !present_.contains(0, std::min(size_, header_size(form_)))) return Added::ok;
  header_is_checked_ = true;
  return check_header(max_payload);
}

IncomingMessage::Added IncomingMessage::check_header(std::uint64_t max_payload) const {
  const ByteView start(chunks_.front().get(), std::min(size_, header_size(form_)));
  const auto payload = payload_size(form_, start, size_);
  if (!payload) return Added::no_message;
  return *payload > max_payload ? Added::too_large : Added::ok;
}

void IncomingMessage::copy(std::uint64_t offset, ByteView data) {
  while (!data.empty()) {
    const std::size_t index = static_cast<std::size_t>(offset / kChunk);
    const std::size_t within = static_cast<std::size_t>(offset % kChunk);
    auto& chunk = chunks_[index];
    if (chunk == nullptr) {
      chunk = std::make_unique_for_overwrite<std::uint8_t[]>(chunk_size(index));
      bytes_ += chunk_size(index);
    }
    const std::size_t count = std::min(data.size(), kChunk - within);
    std::memcpy(chunk.get() + within, data.data(), count);
    data = data.subspan(count);
    offset += count;
  }
}

std::unique_ptr<std::uint8_t[]> IncomingMessage::take() {
  MXP_REQUIRE(is_complete());
  if (chunks_.size() == 1) return std::move(chunks_.front());
  auto body = std::make_unique_for_overwrite<std::uint8_t[]>(size_);
  for (std::size_t i = 0; i != chunks_.size(); ++i) {
    std::memcpy(body.get() + i * kChunk, chunks_[i].get(), chunk_size(i));
    chunks_[i].reset();
  }
  return body;
}

}  // namespace mxp
