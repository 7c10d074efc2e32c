#include "mxp-dump/capture_reader.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "mxp-dump/pcap_reader.h"
#include "mxp-dump/pcapng_reader.h"

namespace mxp::dump {
namespace {

// What a file that is no capture probably is, so that the message can say the way out.
std::string guess(ByteView head) {
  if (head.size() >= 2 && head[0] == 0x1f && head[1] == 0x8b) return "it is compressed with gzip: gunzip it first";
  if (head.size() >= 4 && head[0] == 0x28 && head[1] == 0xb5 && head[2] == 0x2f && head[3] == 0xfd)
    return "it is compressed with zstd: unzstd it first";
  const bool text = std::all_of(head.begin(), head.end(), [](std::uint8_t byte) {
    return (byte >= 0x20 && byte < 0x7f) || byte == '\n' || byte == '\r' || byte == '\t';
  });
  if (text) return "it begins like a text file";
  return "its first bytes are those of neither pcap nor pcapng";
}

}  // namespace

std::string CaptureError::to_string() const {
  switch (kind) {
    case Kind::empty: return "is empty: not a capture";
    case Kind::not_capture: return fmt::format("is not a capture (pcap or pcapng): {}", reason);
    case Kind::truncated:
      return fmt::format(
          "is truncated: it ends in the middle of frame {}, whose record starts at byte {}; all before it is whole",
          frame, offset);
    case Kind::malformed:
      return fmt::format("is malformed: it {} (frame {}, byte {}); all before it was read", reason, frame, offset);
    case Kind::unreadable: return fmt::format("cannot be read at byte {}: {}", offset, reason);
  }
  return reason;
}

std::expected<std::unique_ptr<CaptureReader>, CaptureError> open_capture(ByteSource source) {
  std::array<std::uint8_t, 4> magic{};
  const std::size_t got = source.read(magic);
  if (!source.failure().empty())
    return std::unexpected(CaptureError{CaptureError::Kind::unreadable, 0, 1, source.failure()});
  if (got == 0) return std::unexpected(CaptureError{CaptureError::Kind::empty, 0, 1, {}});
  if (got == magic.size() && PcapReader::recognises(magic)) return PcapReader::open(std::move(source), magic);
  if (got == magic.size() && PcapngReader::recognises(magic)) return PcapngReader::open(std::move(source));
  return std::unexpected(CaptureError{CaptureError::Kind::not_capture, 0, 1, guess(ByteView(magic).first(got))});
}

}  // namespace mxp::dump
