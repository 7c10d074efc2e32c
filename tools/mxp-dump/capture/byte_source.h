// The bytes of a capture file or of standard input, in order, through one buffer of a fixed size; compressed ones
// (gzip, zstd, by their first bytes) are decompressed on the way. It does not seek, so that a pipe works, and no
// allocation depends on what the input says, but for zstd's window (inflater.h).
#pragma once

#include <cstdint>
#include <expected>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "mxp-dump/capture/inflater.h"
#include "mxp/bytes.h"
#include "udp/unique_fd.h"

namespace mxp::dump {

// `path` "-" is standard input. The error is a clause for the user.
std::expected<UniqueFd, std::string> open_input(const std::string& path);
// The offset at which an input begins that was just opened, if it is a file that can be read again; nullopt for a pipe.
std::optional<std::uint64_t> start_of_file(int descriptor);

class ByteSource {
 public:
  static constexpr std::size_t kLongestView = std::size_t{256} * 1024;

  // Takes `descriptor` over. When `wake` (a descriptor, or -1) becomes readable, the input ends. So a signal can end
  // the wait for a pipe.
  ByteSource(int descriptor, int wake) : descriptor_(descriptor), wake_(wake) {}
  ByteSource(ByteSource&& other) noexcept;
  ByteSource& operator=(ByteSource&&) = delete;
  ~ByteSource();

  // Reads until `out` is full or the input ends; returns how many bytes there were.
  std::size_t read(MutableBytes out);
  // The next `count` bytes where they lie, or those that are left at the end of the input. Valid until the next call of
  // any of these. REQUIRES: count <= kLongestView.
  ByteView view(std::size_t count);
  // As read(), but throws the bytes away.
  std::uint64_t skip(std::uint64_t count);

  std::uint64_t offset() const { return offset_; }  // bytes taken so far, decompressed
  // "gzip", "zstd", or empty. Known after the first read.
  std::string_view compression() const { return inflater_ == nullptr ? std::string_view() : inflater_->name(); }

  enum class Failure : std::uint8_t {
    none,
    system,      // the system refused a read
    compressed,  // the compressed data are damaged, or end too early
  };
  // A clean end of the file is no failure.
  Failure failed() const { return failed_; }
  // What the system said, or a clause on the compressed data.
  const std::string& failure() const { return failure_; }

 private:
  static constexpr std::size_t kReadSize = std::size_t{64} * 1024;  // our choice: it stays in the processor's cache

  bool refill();
  std::size_t inflate(MutableBytes out);
  std::size_t read_raw(MutableBytes out);
  void begin();

  int descriptor_;
  int wake_;
  bool begun_ = false;
  std::size_t begin_ = 0;
  std::size_t end_ = 0;
  std::uint64_t offset_ = 0;
  Failure failed_ = Failure::none;
  std::string failure_;
  std::unique_ptr<Inflater> inflater_;
  std::vector<std::uint8_t> compressed_;  // empty unless there is an inflater
  ByteView waiting_;                      // of compressed_
  bool raw_ended_ = false;
  std::vector<std::uint8_t> buffer_ = std::vector<std::uint8_t>(kLongestView + kReadSize);
};

}  // namespace mxp::dump
