// What both file formats need from a ByteSource: integers in the file's byte order, and errors that know where they
// are.
#pragma once

#include <bit>
#include <concepts>
#include <cstring>
#include <string>
#include <vector>

#include "mxp-dump/capture/byte_source.h"
#include "mxp-dump/capture/capture_reader.h"

namespace mxp::dump {

enum class ByteOrder : std::uint8_t { little, big };

template <std::unsigned_integral T>
T load(const std::uint8_t* bytes, ByteOrder order) {
  T value = 0;
  std::memcpy(&value, bytes, sizeof value);
  return (order == ByteOrder::little) == (std::endian::native == std::endian::little) ? value : std::byteswap(value);
}

class RecordInput {
 public:
  explicit RecordInput(ByteSource source) : source_(std::move(source)) {}

  // The bytes of the start of the file were read to tell its format, and are handed over here.
  void start_record(std::uint64_t offset) { record_offset_ = offset; }
  void start_record() { record_offset_ = source_.offset(); }
  std::uint64_t offset() const { return source_.offset(); }

  // Reads all of `out`, or fails with what is missing.
  std::expected<void, CaptureError> read(MutableBytes out) {
    if (source_.read(out) == out.size()) return {};
    return std::unexpected(ended());
  }
  // Returns the number of bytes read. For the start of a record, where the end of the file is no error.
  std::size_t read_some(MutableBytes out) { return source_.read(out); }
  std::expected<void, CaptureError> skip(std::uint64_t count) {
    if (source_.skip(count) == count) return {};
    return std::unexpected(ended());
  }
  // REQUIRES: count <= kMaxCapturedBytes. The view is valid until the next call.
  std::expected<ByteView, CaptureError> packet_bytes(std::uint32_t count) {
    static_assert(kMaxCapturedBytes <= ByteSource::kLongestView);
    const ByteView bytes = source_.view(count);
    if (bytes.size() < count) return std::unexpected(ended());
    return bytes;
  }
  // The same, valid until the next call of this one.
  std::expected<ByteView, CaptureError> packet_copy(std::uint32_t count) {
    packet_.resize(kMaxCapturedBytes);
    const MutableBytes part = MutableBytes(packet_).first(count);
    if (auto done = read(part); !done) return std::unexpected(done.error());
    return part;
  }

  bool failed() const { return source_.failed() != ByteSource::Failure::none; }
  std::string_view compression() const { return source_.compression(); }
  std::uint64_t next_frame() const { return frames_ + 1; }
  std::uint64_t count_frame() { return ++frames_; }

  CaptureError ended() const {
    switch (source_.failed()) {
      case ByteSource::Failure::system:
        return {CaptureError::Kind::unreadable, record_offset_, next_frame(), source_.failure()};
      case ByteSource::Failure::compressed: return malformed(source_.failure());
      case ByteSource::Failure::none: break;
    }
    return {CaptureError::Kind::truncated, record_offset_, next_frame(), {}};
  }
  CaptureError malformed(std::string reason) const {
    return {CaptureError::Kind::malformed, record_offset_, next_frame(), std::move(reason)};
  }

 private:
  ByteSource source_;
  std::vector<std::uint8_t> packet_;
  std::uint64_t record_offset_ = 0;
  std::uint64_t frames_ = 0;
};

}  // namespace mxp::dump
