// Takes compressed bytes and gives what they hold, step by step, with memory that does not depend on the input's size:
// gzip through zlib (32 KiB of window), zstd through libzstd (the window that the file asks for, 128 MiB at most, as
// zstd(1) allows by default).
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

#include "mxp/bytes.h"

namespace mxp::dump {

class Inflater {
 public:
  virtual ~Inflater() = default;
  virtual std::string_view name() const = 0;
  // Takes from the front of `in` and writes to `out`; returns how much it wrote. Nothing written means that it needs
  // more input, or that failure() says something.
  virtual std::size_t step(ByteView& in, MutableBytes out) = 0;
  // Whether the input may end here: nothing was begun that is not complete.
  virtual bool complete() const = 0;
  // Not empty once the data are damaged: a clause. What was written before is good.
  const std::string& failure() const { return failure_; }

 protected:
  std::string failure_;
};

// How many of the first bytes of a file tell how it is compressed.
inline constexpr std::size_t kCompressionMagicSize = 4;
// Null if `head` begins no compressed file that is known.
std::unique_ptr<Inflater> make_inflater(ByteView head);

}  // namespace mxp::dump
