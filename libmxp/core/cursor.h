// Reading and writing the wire without index arithmetic: a reader that cannot overrun, and a writer that knows how much
// space it has. Both are views and own nothing.
#pragma once

#include <concepts>
#include <cstring>
#include <optional>

#include "core/varint.h"
#include "mxp/bytes.h"
#include "mxp/require.h"

namespace mxp {

class Reader {
 public:
  explicit Reader(ByteView bytes) : rest_(bytes) {}

  std::size_t remaining() const { return rest_.size(); }
  bool empty() const { return rest_.empty(); }
  ByteView rest() const { return rest_; }

  // Each read returns nullopt, and consumes nothing, if not all of its bytes are there.
  std::optional<std::uint8_t> u8() {
    if (rest_.empty()) return std::nullopt;
    const std::uint8_t value = rest_.front();
    rest_ = rest_.subspan(1);
    return value;
  }
  // Fixed-width, little-endian.
  template <std::unsigned_integral T>
  std::optional<T> le() {
    if (rest_.size() < sizeof(T)) return std::nullopt;
    T value = 0;
    for (std::size_t i = 0; i < sizeof(T); ++i) value = static_cast<T>(value | static_cast<T>(T{rest_[i]} << (8 * i)));
    rest_ = rest_.subspan(sizeof(T));
    return value;
  }
  // RFC 9000 §16.
  std::optional<std::uint64_t> varint() {
    if (rest_.empty()) return std::nullopt;
    const std::size_t size = varint_size_from_first_byte(rest_.front());
    if (rest_.size() < size) return std::nullopt;
    const std::uint64_t value = decode_varint(rest_.data(), size);
    rest_ = rest_.subspan(size);
    return value;
  }
  std::optional<ByteView> bytes(std::uint64_t count) {
    if (rest_.size() < count) return std::nullopt;
    const ByteView taken = rest_.first(static_cast<std::size_t>(count));
    rest_ = rest_.subspan(static_cast<std::size_t>(count));
    return taken;
  }
  // Skips a run of bytes with this value at the front; returns how many there were.
  std::size_t skip_run(std::uint8_t value) {
    std::size_t count = 0;
    while (count < rest_.size() && rest_[count] == value) ++count;
    rest_ = rest_.subspan(count);
    return count;
  }

 private:
  ByteView rest_;
};

class Writer {
 public:
  explicit Writer(MutableBytes out) : out_(out) {}

  std::size_t written() const { return used_; }
  std::size_t space() const { return out_.size() - used_; }
  MutableBytes so_far() const { return out_.first(used_); }
  // The untouched rest of the buffer, for callers that fill it in place and then call commit().
  MutableBytes free_space() const { return out_.subspan(used_); }
  // REQUIRES: count <= space().
  void commit(std::size_t count) {
    MXP_REQUIRE(count <= space());
    used_ += count;
  }

  // Each write returns false, and writes nothing, if it does not fit.
  bool u8(std::uint8_t value) {
    if (space() < 1) return false;
    out_[used_++] = value;
    return true;
  }
  template <std::unsigned_integral T>
  bool le(T value) {
    if (space() < sizeof(T)) return false;
    for (std::size_t i = 0; i < sizeof(T); ++i) out_[used_++] = static_cast<std::uint8_t>(value >> (8 * i));
    return true;
  }
  // REQUIRES: value <= kMaxVarint.
  bool varint(std::uint64_t value) {
    const std::size_t size = varint_size(value);
    if (space() < size) return false;
    encode_varint(value, size, out_.data() + used_);
    used_ += size;
    return true;
  }
  bool bytes(ByteView data) {
    if (space() < data.size()) return false;
    if (!data.empty()) std::memcpy(out_.data() + used_, data.data(), data.size());
    used_ += data.size();
    return true;
  }
  bool fill(std::uint8_t value, std::size_t count) {
    if (space() < count) return false;
    if (count != 0) std::memset(out_.data() + used_, value, count);
    used_ += count;
    return true;
  }

 private:
  MutableBytes out_;
  std::size_t used_ = 0;
};

}  // namespace mxp
