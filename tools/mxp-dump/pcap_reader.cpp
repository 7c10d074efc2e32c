#include "mxp-dump/pcap_reader.h"

#include <fmt/format.h>

#include <array>

namespace mxp::dump {
namespace {

constexpr std::uint32_t kMicroseconds = 0xa1b2c3d4;
constexpr std::uint32_t kNanoseconds = 0xa1b23c4d;

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
  const auto little = load<std::uint32_t>(magic.data(), ByteOrder::little);
  const ByteOrder order = little == kMicroseconds || little == kNanoseconds ? ByteOrder::little : ByteOrder::big;
  std::unique_ptr<PcapReader> reader(
      new PcapReader(std::move(source), order, load<std::uint32_t>(magic.data(), order) == kNanoseconds));
  reader->input_.start_record(0);
  std::array<std::uint8_t, kHeaderSize - 4> rest{};
  if (auto done = reader->input_.read(rest); !done) return std::unexpected(done.error());
  if (const auto major = load<std::uint16_t>(rest.data(), order); major != 2) {
    return std::unexpected(reader->input_.malformed(fmt::format("is pcap version {}, this reads version 2", major)));
  }
  // The upper bits say whether frames end with a check sequence; the IP length makes that irrelevant.
  reader->link_type_ = load<std::uint32_t>(rest.data() + 16, order) & 0xffff;
  return reader;
}

std::expected<std::optional<CapturedPacket>, CaptureError> PcapReader::next() {
  input_.start_record();
  std::array<std::uint8_t, 16> header{};
  const std::size_t got = input_.read_some(header);
  if (got == 0 && input_.failure().empty()) return std::nullopt;
  if (got < header.size()) return std::unexpected(input_.ended());

  const std::uint64_t seconds = load<std::uint32_t>(header.data(), order_);
  const std::uint64_t fraction = load<std::uint32_t>(header.data() + 4, order_);
  const auto captured = load<std::uint32_t>(header.data() + 8, order_);
  const auto original = load<std::uint32_t>(header.data() + 12, order_);
  if (captured > kMaxCapturedBytes) {
    return std::unexpected(input_.malformed(
        fmt::format("claims a packet of {} bytes; {} is the most that is read", captured, kMaxCapturedBytes)));
  }
  const auto bytes = input_.packet_bytes(captured);
  if (!bytes) return std::unexpected(bytes.error());
  return CapturedPacket{.frame = input_.count_frame(),
                        .time_ns = seconds * 1'000'000'000 + fraction * (nanoseconds_ ? 1 : 1000),
                        .link_type = link_type_,
                        .original_length = std::max(original, captured),
                        .bytes = *bytes};
}

}  // namespace mxp::dump
