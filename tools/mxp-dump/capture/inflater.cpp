#include "mxp-dump/capture/inflater.h"

#include <fmt/format.h>
#include <zlib.h>
#include <zstd.h>

#include <algorithm>
#include <cstdint>

namespace mxp::dump {
namespace {

// Files that were appended to one another hold one capture, as gunzip(1) sees it. Zeros behind the last are padding.
class GzipInflater final : public Inflater {
 public:
  GzipInflater() {
    constexpr int kGzipOnly = 16;
    if (::inflateInit2(&stream_, MAX_WBITS + kGzipOnly) != Z_OK) failure_ = "cannot be decompressed: out of memory";
  }
  ~GzipInflater() override { ::inflateEnd(&stream_); }
  GzipInflater(const GzipInflater&) = delete;
  GzipInflater& operator=(const GzipInflater&) = delete;

  std::string_view name() const override { return "gzip"; }
  bool complete() const override { return between_; }

  std::size_t step(ByteView& in, MutableBytes out) override {
    if (between_) {
      while (!in.empty() && in.front() == 0 && any_) in = in.subspan(1);
      if (in.empty()) return 0;
      if (any_ && ::inflateReset(&stream_) != Z_OK) failure_ = "cannot be decompressed any further";
      between_ = false;
      any_ = true;
    }
    stream_.next_in = const_cast<Bytef*>(in.data());
    stream_.avail_in = static_cast<uInt>(in.size());
    stream_.next_out = out.data();
    stream_.avail_out = static_cast<uInt>(out.size());
    const int result = ::inflate(&stream_, Z_NO_FLUSH);
    in = in.last(stream_.avail_in);
    if (result == Z_STREAM_END) {
      between_ = true;
    } else if (result != Z_OK && result != Z_BUF_ERROR) {
      failure_ = fmt::format("has damaged gzip data ({})", stream_.msg != nullptr ? stream_.msg : ::zError(result));
    }
    return out.size() - stream_.avail_out;
  }

 private:
  z_stream stream_{};
  bool between_ = true;  // two members of the file
  bool any_ = false;
};

class ZstdInflater final : public Inflater {
 public:
  ZstdInflater() : stream_(::ZSTD_createDStream()) {
    if (stream_ == nullptr) failure_ = "cannot be decompressed: out of memory";
  }
  ~ZstdInflater() override { ::ZSTD_freeDStream(stream_); }
  ZstdInflater(const ZstdInflater&) = delete;
  ZstdInflater& operator=(const ZstdInflater&) = delete;

  std::string_view name() const override { return "zstd"; }
  bool complete() const override { return complete_; }

  std::size_t step(ByteView& in, MutableBytes out) override {
    ZSTD_inBuffer from{in.data(), in.size(), 0};
    ZSTD_outBuffer to{out.data(), out.size(), 0};
    const std::size_t result = ::ZSTD_decompressStream(stream_, &to, &from);
    in = in.subspan(from.pos);
    if (::ZSTD_isError(result) != 0) {
      failure_ = fmt::format("has damaged zstd data ({})", ::ZSTD_getErrorName(result));
    } else if (from.pos > 0 || to.pos > 0) {
      complete_ = result == 0;
    }
    return to.pos;
  }

 private:
  ZSTD_DStream* stream_;
  bool complete_ = true;
};

}  // namespace

std::unique_ptr<Inflater> make_inflater(ByteView head) {
  if (head.size() < kCompressionMagicSize) return nullptr;
  if (head[0] == 0x1f && head[1] == 0x8b && head[2] == 8) return std::make_unique<GzipInflater>();
  const bool frame = head[0] == 0x28 && head[1] == 0xb5 && head[2] == 0x2f && head[3] == 0xfd;
  const bool skippable = head[0] >> 4 == 5 && head[1] == 0x2a && head[2] == 0x4d && head[3] == 0x18;  // RFC 8878 §3.1.2
  if (frame || skippable) return std::make_unique<ZstdInflater>();
  return nullptr;
}

}  // namespace mxp::dump
