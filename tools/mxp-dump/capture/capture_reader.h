// Reads a capture file: pcap (both byte orders, micro- and nanoseconds) and pcapng (several sections and interfaces).
// It is a streaming reader of our own, because a capture comes from strangers: its memory is constant whatever a length
// field says, and if a file is broken, the error names the byte and the frame.
#pragma once

#include <cstdint>
#include <expected>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "mxp-dump/capture/byte_source.h"
#include "mxp-dump/capture/captured_packet.h"

namespace mxp::dump {

// The largest captured part of one packet. Our choice: tcpdump writes 256 KiB at most, and more means a broken file.
inline constexpr std::uint32_t kMaxCapturedBytes = 256 * 1024;

struct CaptureError {
  enum class Kind : std::uint8_t {
    empty,        // no byte at all
    not_capture,  // the first bytes are not those of a capture
    truncated,    // ends in the middle of a record; all before it was handed out
    malformed,    // contradicts itself; all before it was handed out
    unreadable,   // the system refused a read
    times,        // all was handed out; packets whose times are out of range have none
  };
  Kind kind = Kind::malformed;
  std::uint64_t offset = 0;  // where in the file the broken record starts
  std::uint64_t frame = 0;   // the frame that would have come next
  std::string reason;        // a clause without the file's name
  std::string to_string() const;
};

class CaptureReader {
 public:
  virtual ~CaptureReader() = default;
  // The next packet, nullopt at a clean end. After an error the reader must not be used again.
  virtual std::expected<std::optional<CapturedPacket>, CaptureError> next() = 0;
  // How the file is compressed: "gzip", "zstd", or empty. The offsets of its packets are of what it holds.
  virtual std::string_view compression() const { return {}; }
};

// What a decryption secrets block of pcapng with lines of an MXP key log holds, piece by piece; empty at its end. The
// pieces are wiped afterwards.
using TakeSecrets = std::function<void(ByteView piece)>;

// Looks at the first bytes and chooses the reader.
std::expected<std::unique_ptr<CaptureReader>, CaptureError> open_capture(ByteSource source, TakeSecrets secrets = {});
// The same where the first four bytes, or as many as there are, have been taken from `source` already.
std::expected<std::unique_ptr<CaptureReader>, CaptureError> open_capture_after(ByteSource source, ByteView magic,
                                                                               TakeSecrets secrets = {});

}  // namespace mxp::dump
