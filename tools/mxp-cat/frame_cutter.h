// Cuts a stream of bytes into payloads, as --frame says, and joins them again. Holds no more than one payload and what
// was added last, however long a line is.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "mxp/bytes.h"

namespace mxp::tools {

enum class Framing : std::uint8_t {
  raw,   // none of its own: bytes as they come, each payload what there is, cut to the limit
  line,  // each ends with a newline, which is no part of it; the last may go without
  len,   // its length stands before each, as a little-endian u32
  nul    // each ends with a zero byte
};

class FrameCutter {
 public:
  // `limit`: of a payload, more than 0.
  FrameCutter(Framing framing, std::size_t limit) : framing_(framing), limit_(limit) {}

  std::size_t limit() const { return limit_; }
  // From the next front() on. A payload that was too large before stays so.
  void set_limit(std::size_t limit) { limit_ = limit; }

  void add(ByteView bytes);
  // Nothing more will be added.
  void on_end() { ended_ = true; }

  struct Cut {
    enum class Kind : std::uint8_t {
      payload,   // a view, until the next call of add or take
      nothing,   // more bytes are needed, or all were taken
      too_large  // beyond the limit; so is the size of a payload that is named in `size`
    } kind;
    ByteView payload;
    std::uint64_t size = 0;
  };
  // The payload at the front; it stays there until take(). What is too large is known when its end, or its length,
  // came.
  Cut front();
  void take();
  // Counted from 1: of the payload at the front.
  std::uint64_t number() const { return number_; }
  // After the end: whether bytes are left that are no whole payload (len only).
  bool is_cut_short() const { return ended_ && begin_ != bytes_.size(); }

 private:
  Cut front_as_it_comes();
  Cut front_by_delimiter(std::uint8_t delimiter);
  Cut front_by_length();
  Cut judge(ByteView payload, std::uint64_t size, std::size_t end);

  Framing framing_;
  std::size_t limit_;
  std::vector<std::uint8_t> bytes_;  // from begin_ on not yet taken
  std::size_t begin_ = 0;
  std::size_t front_end_ = 0;  // where the next payload begins
  std::uint64_t skipped_ = 0;  // bytes of a line that is too long in any case
  std::uint64_t number_ = 1;
  bool ended_ = false;
};

// Appends the payload to `out` as it stands on stdout.
void append_framed(Framing framing, ByteView payload, std::vector<std::uint8_t>& out);

}  // namespace mxp::tools
