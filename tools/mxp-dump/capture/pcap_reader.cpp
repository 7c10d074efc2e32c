#include "mxp-dump/capture/pcap_reader.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "mxp-dump/capture/pcapng_reader.h"

namespace mxp::dump {
namespace {

constexpr std::uint32_t kMicroseconds = 0xa1b2c3d4;
constexpr std::uint32_t kNanoseconds = 0xa1b23c4d;

ByteOrder order_of(std::span<const std::uint8_t, 4> magic) {
  const auto little = load<std::uint32_t>(magic.data(), ByteOrder::little);
  return little == kMicroseconds || little == kNanoseconds ? ByteOrder::little : ByteOrder::big;
}

}  // namespace

bool PcapReader::recognises(std::span<const std::uint8_t, 4> magic) {
  for (const ByteOrder order : {ByteOrder::little, ByteOrder::big}) {
    const auto value = load<std::uint32_t>(magic.data(), order);
    if (value == kMicroseconds || value == kNanoseconds) return true;
  }
  return false;
}

std::expected<std::unique_ptr<CaptureReader>, CaptureError> PcapReader::open(ByteSource source,
                                                                             std::span<const std::uint8_t, 4> magic) {
  const ByteOrder order = order_of(magic);
  std::unique_ptr<PcapReader> reader(
      new PcapReader(std::move(source), order, load<std::uint32_t>(magic.data(), order) == kNanoseconds));
  reader->input_.start_record(0);
  std::array<std::uint8_t, kHeaderSize - 4> rest{};
  if (auto done = reader->input_.read(rest); !done) return std::unexpected(done.error());
  if (auto done = reader->read_header(rest); !done) return std::unexpected(done.error());
  return reader;
}

std::expected<void, CaptureError> PcapReader::read_header(std::span<const std::uint8_t, kHeaderSize - 4> rest) {
  if (const auto major = load<std::uint16_t>(rest.data(), order_); major != 2)
    return std::unexpected(input_.malformed(fmt::format("is pcap version {}, this reads version 2", major)));
  // The upper bits say whether frames end with a check sequence; the IP length makes that irrelevant.
  link_type_ = load<std::uint32_t>(rest.data() + 16, order_) & 0xffff;
  return {};
}

// Another file was appended to this one, as cat does. Its first bytes stand where a record would have its header.
std::expected<void, CaptureError> PcapReader::begin_appended(std::span<const std::uint8_t, kRecordHeaderSize> begin) {
  const auto magic = begin.first<4>();
  order_ = order_of(magic);
  nanoseconds_ = load<std::uint32_t>(magic.data(), order_) == kNanoseconds;
  std::array<std::uint8_t, kHeaderSize - 4> rest{};
  std::copy(begin.begin() + 4, begin.end(), rest.begin());
  if (auto done = input_.read(MutableBytes(rest).subspan(begin.size() - 4)); !done) return done;
  return read_header(rest);
}

std::expected<std::optional<CapturedPacket>, CaptureError> PcapReader::next() {
  std::array<std::uint8_t, kRecordHeaderSize> header{};
  for (;;) {
    input_.start_record();
    const std::size_t got = input_.read_some(header);
    if (got == 0 && !input_.failed()) return std::nullopt;
    if (got < header.size()) return std::unexpected(input_.ended());
    const auto magic = std::span(header).first<4>();
    // As a record this would be an empty packet, or one of 430 MB, in 2055 or 1975.
    if (recognises(magic)) {
      if (auto done = begin_appended(header); !done) return std::unexpected(done.error());
      continue;
    }
    if (PcapngReader::recognises(magic))
      return std::unexpected(input_.malformed("is a pcap file with a pcapng file appended: give them one by one"));
    break;
  }

  const std::uint64_t seconds = load<std::uint32_t>(header.data(), order_);
  const std::uint64_t fraction = load<std::uint32_t>(header.data() + 4, order_);
  const auto captured = load<std::uint32_t>(header.data() + 8, order_);
  const auto original = load<std::uint32_t>(header.data() + 12, order_);
  if (captured > kMaxCapturedBytes) {
    return std::unexpected(input_.malformed(
        fmt::format("claims a packet of {} bytes; {} is the most that is read", captured, kMaxCapturedBytes)));
  }
  const std::uint64_t offset = input_.offset();
  const auto bytes = input_.packet_bytes(captured);
  if (!bytes) return std::unexpected(bytes.error());
  return CapturedPacket{.frame = input_.count_frame(),
                        .time_ns = seconds * 1'000'000'000 + fraction * (nanoseconds_ ? 1 : 1000),
                        .link_type = link_type_,
                        .original_length = std::max(original, captured),
                        .bytes = *bytes,
                        .offset = offset};
}

}  // namespace mxp::dump
