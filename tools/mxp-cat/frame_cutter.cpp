#include "mxp-cat/frame_cutter.h"

#include <algorithm>

namespace mxp::tools {
namespace {

constexpr std::size_t kLengthBytes = 4;

}  // namespace

void FrameCutter::add(ByteView bytes) {
  bytes_.erase(bytes_.begin(), bytes_.begin() + static_cast<std::ptrdiff_t>(begin_));
  begin_ = 0;
  bytes_.insert(bytes_.end(), bytes.begin(), bytes.end());
}

FrameCutter::Cut FrameCutter::front() {
  switch (framing_) {
    case Framing::line: return front_by_delimiter('\n');
    case Framing::nul: return front_by_delimiter(0);
    case Framing::len: return front_by_length();
    case Framing::raw: return front_as_it_comes();
  }
  return {.kind = Cut::Kind::nothing, .payload = {}};
}

FrameCutter::Cut FrameCutter::judge(ByteView payload, std::uint64_t size, std::size_t end) {
  front_end_ = end;
  const bool is_whole = skipped_ == 0;
  if (size > limit_ || !is_whole) return {.kind = Cut::Kind::too_large, .payload = {}, .size = size};
  return {.kind = Cut::Kind::payload, .payload = payload, .size = size};
}

FrameCutter::Cut FrameCutter::front_as_it_comes() {
  const ByteView rest = ByteView(bytes_).subspan(begin_);
  if (rest.empty()) return {.kind = Cut::Kind::nothing, .payload = {}};
  const std::size_t size = std::min(rest.size(), limit_);
  return judge(rest.first(size), size, begin_ + size);
}

FrameCutter::Cut FrameCutter::front_by_delimiter(std::uint8_t delimiter) {
  const ByteView rest = ByteView(bytes_).subspan(begin_);
  const auto found = std::find(rest.begin(), rest.end(), delimiter);
  const auto size = static_cast<std::size_t>(found - rest.begin());
  if (found != rest.end()) return judge(rest.first(size), skipped_ + size, begin_ + size + 1);
  if (ended_ && skipped_ + size > 0) return judge(rest, skipped_ + size, bytes_.size());
  if (!ended_ && size > limit_) {  // nobody will see it: only its size is still asked for
    skipped_ += size;
    begin_ = bytes_.size();
  }
  return {.kind = Cut::Kind::nothing, .payload = {}};
}

FrameCutter::Cut FrameCutter::front_by_length() {
  const ByteView rest = ByteView(bytes_).subspan(begin_);
  if (rest.size() < kLengthBytes) return {.kind = Cut::Kind::nothing, .payload = {}};
  std::size_t size = 0;
  for (std::size_t i = 0; i < kLengthBytes; ++i) size |= std::size_t{rest[i]} << (8 * i);
  if (size > limit_) return judge({}, size, begin_);
  if (rest.size() - kLengthBytes < size) return {.kind = Cut::Kind::nothing, .payload = {}};
  return judge(rest.subspan(kLengthBytes, size), size, begin_ + kLengthBytes + size);
}

void FrameCutter::take() {
  begin_ = front_end_;
  skipped_ = 0;
  ++number_;
}

void append_framed(Framing framing, ByteView payload, std::vector<std::uint8_t>& out) {
  if (framing == Framing::len)
    for (std::size_t i = 0; i < kLengthBytes; ++i) out.push_back(static_cast<std::uint8_t>(payload.size() >> (8 * i)));
  out.insert(out.end(), payload.begin(), payload.end());
  if (framing == Framing::line) out.push_back('\n');
  if (framing == Framing::nul) out.push_back(0);
}

}  // namespace mxp::tools
