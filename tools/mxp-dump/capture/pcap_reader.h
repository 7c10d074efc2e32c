// The classic format: one header, one link type, records of 16 bytes and the packet (draft-ietf-opsawg-pcap).
// Files that were appended to one another are read as one capture.
#pragma once

#include "mxp-dump/capture/record_input.h"

namespace mxp::dump {

class PcapReader final : public CaptureReader {
 public:
  static constexpr std::size_t kHeaderSize = 24, kRecordHeaderSize = 16;
  // Whether these are the first bytes of a pcap file.
  static bool recognises(std::span<const std::uint8_t, 4> magic);
  // The four bytes of the magic number have been taken from `source` already.
  static std::expected<std::unique_ptr<CaptureReader>, CaptureError> open(ByteSource source,
                                                                          std::span<const std::uint8_t, 4> magic);

  std::expected<std::optional<CapturedPacket>, CaptureError> next() override;
  std::string_view compression() const override { return input_.compression(); }

 private:
  PcapReader(ByteSource source, ByteOrder order, bool nanoseconds)
      : input_(std::move(source)), order_(order), nanoseconds_(nanoseconds) {}

  std::expected<void, CaptureError> read_header(std::span<const std::uint8_t, kHeaderSize - 4> rest);
  std::expected<void, CaptureError> begin_appended(std::span<const std::uint8_t, kRecordHeaderSize> begin);

  RecordInput input_;
  ByteOrder order_;
  bool nanoseconds_;
  std::uint32_t link_type_ = 0;
};

}  // namespace mxp::dump
