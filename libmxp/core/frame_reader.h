// Reads the frames of one packet's payload, one after the other.
#pragma once

#include <expected>
#include <optional>

#include "core/frames.h"

namespace mxp {

class FrameReader {
 public:
  explicit FrameReader(ByteView payload) : reader_(payload) {}

  // The next frame; nullopt at the end of the payload. Errors: FRAME_ENCODING_ERROR (malformed, type not in its
  // shortest form, sums beyond 2^62 − 1, ORDERED of what it cannot be of, too many ranges, too long a reason or delay,
  // an id that retires itself, receive times that are too many or before the epoch, an unknown state), UNKNOWN_FRAME.
  // After an error the reader is spent.
  std::expected<std::optional<Frame>, TransportError> next();

  // Type of the frame that next() read last, as on the wire.
  std::uint64_t last_type() const { return last_type_; }

 private:
  Reader reader_;
  std::uint64_t last_type_ = 0;
};

}  // namespace mxp
