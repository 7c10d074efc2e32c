#include "mxp-dump/capture/capture_reader.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <string_view>

#include "mxp-dump/capture/pcap_reader.h"
#include "mxp-dump/capture/pcapng_reader.h"

namespace mxp::dump {
namespace {

// What a file probably is that is no capture, so that the message can say what to do.
std::string guess(ByteView head) {
  struct Format {
    std::string_view magic;
    std::string_view says;
  };
  using namespace std::string_view_literals;
  constexpr std::array kFormats{
      Format{"\xfd\x37zX"sv, "it is compressed with xz: unxz it first"},
      Format{"BZh"sv, "it is compressed with bzip2: bunzip2 it first"},
      Format{"\x04\x22\x4d\x18"sv, "it is compressed with lz4: unlz4 it first"},
      Format{"PK\x03\x04"sv, "it is a zip archive: unzip it first"},
      Format{"snoo"sv, "it is a snoop capture: convert it with editcap -F pcapng"},
      Format{"\x34\xcd\xb2\xa1"sv, "it is a pcap file with modified records: convert it with editcap -F pcapng"},
      Format{"\xa1\xb2\xcd\x34"sv, "it is a pcap file with modified records: convert it with editcap -F pcapng"},
  };
  const std::string_view begin(reinterpret_cast<const char*>(head.data()), head.size());
  for (const Format& format : kFormats) {
    if (begin.starts_with(format.magic)) return std::string(format.says);
  }
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
    case Kind::times: return fmt::format("holds {} (the first is frame {}): read without a time", reason, frame);
    case Kind::unreadable: return fmt::format("cannot be read at byte {}: {}", offset, reason);
  }
  return reason;
}

std::expected<std::unique_ptr<CaptureReader>, CaptureError> open_capture(ByteSource source, TakeSecrets secrets) {
  std::array<std::uint8_t, 4> magic{};
  const std::size_t got = source.read(magic);
  return open_capture_after(std::move(source), ByteView(magic).first(got), std::move(secrets));
}

std::expected<std::unique_ptr<CaptureReader>, CaptureError> open_capture_after(ByteSource source, ByteView begin,
                                                                               TakeSecrets secrets) {
  if (source.failed() != ByteSource::Failure::none) {
    const bool damaged = source.failed() == ByteSource::Failure::compressed;
    return std::unexpected(
        CaptureError{damaged ? CaptureError::Kind::malformed : CaptureError::Kind::unreadable, 0, 1, source.failure()});
  }
  if (begin.empty()) return std::unexpected(CaptureError{CaptureError::Kind::empty, 0, 1, {}});
  if (begin.size() == 4) {
    const auto magic = begin.first<4>();
    if (PcapReader::recognises(magic)) return PcapReader::open(std::move(source), magic);
    if (PcapngReader::recognises(magic)) return PcapngReader::open(std::move(source), std::move(secrets));
  }
  return std::unexpected(CaptureError{CaptureError::Kind::not_capture, 0, 1, guess(begin)});
}

}  // namespace mxp::dump
