#include "mxp-perf/histograms/hdr_payload.h"

#include <openssl/evp.h>
#include <zlib.h>

#include <bit>
#include <climits>
#include <cstdint>
#include <optional>
#include <vector>

namespace mxp::perf {

namespace {

using Bytes = std::vector<std::uint8_t>;

// HdrHistogram's AbstractHistogram: the base of each cookie, and the word size of its counts.
constexpr std::uint32_t kPlainCookie = 0x1c849303 | 0x10, kCompressedCookie = 0x1c849304 | 0x10;
constexpr std::size_t kHeaderSize = 40, kCompressedHeaderSize = 8;
constexpr std::size_t kLongestCount = 9;  // bytes
constexpr double kRatio = 1.0;            // from integer to double values, which we do not have

void put(Bytes& out, std::uint64_t value, int bytes) {
  for (int shift = 8 * (bytes - 1); shift >= 0; shift -= 8) out.push_back(static_cast<std::uint8_t>(value >> shift));
}

// In seven bits a byte, low bits first; the ninth byte, if there is one, has eight.
void put_count(Bytes& out, std::int64_t count) {
  std::uint64_t value = (static_cast<std::uint64_t>(count) << 1) ^ (count < 0 ? UINT64_MAX : 0);
  for (std::size_t i = 1; i != kLongestCount && value >= 0x80; ++i, value >>= 7)
    out.push_back(static_cast<std::uint8_t>(value | 0x80));
  out.push_back(static_cast<std::uint8_t>(value));
}

class Cursor {
 public:
  explicit Cursor(const Bytes& bytes) : bytes_(bytes) {}
  std::size_t left() const { return bytes_.size() - at_; }
  // REQUIRES: left() >= bytes.
  std::uint64_t take(int bytes) {
    std::uint64_t value = 0;
    for (int i = 0; i != bytes; ++i) value = value << 8 | bytes_[at_++];
    return value;
  }
  // std::nullopt: it is cut off.
  std::optional<std::int64_t> take_count() {
    std::uint64_t value = 0;
    for (std::size_t i = 0; i != kLongestCount && left() > 0; ++i) {
      const std::uint64_t byte = bytes_[at_++];
      const bool last = i + 1 == kLongestCount || byte < 0x80;
      value |= (i + 1 == kLongestCount ? byte : byte & 0x7f) << (7 * i);
      if (last) return static_cast<std::int64_t>((value >> 1) ^ (value & 1 ? UINT64_MAX : 0));
    }
    return std::nullopt;
  }

 private:
  const Bytes& bytes_;
  std::size_t at_ = 0;
};

Bytes plain_of(const HdrHistogram& histogram) {
  const std::vector<std::uint64_t>& counts = histogram.counts();
  std::size_t end = counts.size();
  while (end > 0 && counts[end - 1] == 0) --end;
  Bytes payload;
  for (std::size_t bin = 0; bin != end;) {
    std::size_t zeros = 0;
    while (counts[bin + zeros] == 0) ++zeros;  // the last one is not 0
    if (zeros == 0) put_count(payload, static_cast<std::int64_t>(counts[bin]));
    else put_count(payload, zeros == 1 ? 0 : -static_cast<std::int64_t>(zeros));
    bin += std::max<std::size_t>(zeros, 1);
  }
  Bytes out;
  put(out, kPlainCookie, 4);
  put(out, payload.size(), 4);
  put(out, 0, 4);  // by how much bins are shifted
  put(out, static_cast<std::uint64_t>(histogram.shape().figures), 4);
  put(out, histogram.shape().lowest, 8);
  put(out, histogram.shape().highest, 8);
  put(out, std::bit_cast<std::uint64_t>(kRatio), 8);
  out.insert(out.end(), payload.begin(), payload.end());
  return out;
}

std::string base64_of(const Bytes& bytes) {
  std::string text(4 * ((bytes.size() + 2) / 3) + 1, '\0');  // and EVP's zero at the end
  const int size =
      EVP_EncodeBlock(reinterpret_cast<unsigned char*>(text.data()), bytes.data(), static_cast<int>(bytes.size()));
  text.resize(static_cast<std::size_t>(size));
  return text;
}

std::optional<Bytes> from_base64(std::string_view text) {
  if (text.empty() || text.size() % 4 != 0 || text.size() > INT_MAX) return std::nullopt;
  const std::size_t padding = text.ends_with("==") ? 2 : text.ends_with('=') ? 1 : 0;
  // EVP_DecodeBlock takes white space and '=' in places where they are none of base64's.
  for (const char c : text.substr(0, text.size() - padding))
    if (!((c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '+' || c == '/'))
      return std::nullopt;
  Bytes bytes(text.size() / 4 * 3);
  const int size =
      EVP_DecodeBlock(bytes.data(), reinterpret_cast<const unsigned char*>(text.data()), static_cast<int>(text.size()));
  if (size < 0) return std::nullopt;
  bytes.resize(static_cast<std::size_t>(size) - padding);
  return bytes;
}

std::optional<Bytes> inflated(const std::uint8_t* data, std::size_t size, std::size_t most_bytes) {
  z_stream stream{};
  if (inflateInit(&stream) != Z_OK) return std::nullopt;
  stream.next_in = const_cast<std::uint8_t*>(data);  // zlib's type is older than const
  stream.avail_in = static_cast<uInt>(size);
  Bytes out;
  int status = Z_OK;
  while (status == Z_OK && out.size() <= most_bytes) {
    const std::size_t before = out.size();
    out.resize(before + 16384);
    stream.next_out = out.data() + before;
    stream.avail_out = 16384;
    status = inflate(&stream, Z_NO_FLUSH);
    out.resize(before + 16384 - stream.avail_out);
  }
  const bool whole = status == Z_STREAM_END && stream.avail_in == 0 && out.size() <= most_bytes;
  inflateEnd(&stream);
  return whole ? std::optional(std::move(out)) : std::nullopt;
}

std::expected<void, std::string> read_counts(Cursor& in, HdrHistogram& histogram) {
  std::size_t bin = 0;
  std::uint64_t total = 0;
  while (in.left() > 0) {
    const auto count = in.take_count();
    if (!count) return std::unexpected("its last count is cut off");
    const std::size_t left = histogram.most_bins() - bin;
    // Compared as a negative number, since the least one has no positive.
    if (left == 0 || (*count < 0 && *count < -static_cast<std::int64_t>(left)))
      return std::unexpected("it has more counts than bins");
    if (*count <= 0) {
      bin += *count == 0 ? 1 : static_cast<std::size_t>(-*count);
      continue;
    }
    if (static_cast<std::uint64_t>(*count) > INT64_MAX - total) return std::unexpected("its counts are too many");
    total += static_cast<std::uint64_t>(*count);
    histogram.set(bin++, static_cast<std::uint64_t>(*count));
  }
  return {};
}

}  // namespace

std::string encode_histogram(const HdrHistogram& histogram) {
  const Bytes plain = plain_of(histogram);
  uLongf size = compressBound(static_cast<uLong>(plain.size()));
  Bytes packed(size);
  if (compress(packed.data(), &size, plain.data(), static_cast<uLong>(plain.size())) != Z_OK) return {};
  Bytes out;
  put(out, kCompressedCookie, 4);
  put(out, size, 4);
  out.insert(out.end(), packed.begin(), packed.begin() + static_cast<std::ptrdiff_t>(size));
  return base64_of(out);
}

std::expected<HdrHistogram, std::string> decode_histogram(std::string_view base64, std::size_t most_bins) {
  const auto packed = from_base64(base64);
  if (!packed) return std::unexpected("it is not base64");
  if (packed->size() < kCompressedHeaderSize) return std::unexpected("it is cut off");
  Cursor outer(*packed);
  if (outer.take(4) != kCompressedCookie) return std::unexpected("it is no compressed histogram of version 2");
  if (outer.take(4) != outer.left()) return std::unexpected("its length is another than it says");
  const auto plain = inflated(packed->data() + kCompressedHeaderSize, packed->size() - kCompressedHeaderSize,
                              kHeaderSize + most_bins * kLongestCount);
  if (!plain) return std::unexpected("it cannot be decompressed");
  if (plain->size() < kHeaderSize) return std::unexpected("its header is cut off");
  Cursor in(*plain);
  if (in.take(4) != kPlainCookie) return std::unexpected("it is no histogram of version 2");
  if (in.take(4) != plain->size() - kHeaderSize) return std::unexpected("its counts are cut off");
  if (in.take(4) != 0) return std::unexpected("its bins are shifted, which is not supported");
  HdrHistogram::Shape shape;
  const std::uint64_t figures = in.take(4);
  shape.figures = figures > HdrHistogram::kMostFigures ? 0 : static_cast<int>(figures);
  shape.lowest = in.take(8);
  shape.highest = in.take(8);
  in.take(8);  // the ratio of double values
  if (!HdrHistogram::is_possible(shape)) return std::unexpected("its range or its figures are impossible");
  HdrHistogram histogram(shape);
  if (histogram.most_bins() > most_bins) return std::unexpected("it has too many bins");
  if (auto read = read_counts(in, histogram); !read) return std::unexpected(read.error());
  return histogram;
}

}  // namespace mxp::perf
