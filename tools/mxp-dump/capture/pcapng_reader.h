// The block format (draft-ietf-opsawg-pcapng): sections, each with its own byte order and interfaces; packets in
// enhanced, simple and the obsolete blocks; secrets that are lines of an MXP key log. All others (names, statistics,
// unknown ones) are skipped without being kept.
#pragma once

#include <optional>
#include <vector>

#include "mxp-dump/capture/record_input.h"

namespace mxp::dump {

// How many interfaces a section may have. Our choice: far above any real capture, and it bounds what a section can make
// us keep.
inline constexpr std::size_t kMaxInterfaces = 4096;

class PcapngReader final : public CaptureReader {
 public:
  static bool recognises(std::span<const std::uint8_t, 4> magic);
  // The four bytes of the first block's type have been taken from `source` already.
  static std::expected<std::unique_ptr<CaptureReader>, CaptureError> open(ByteSource source, TakeSecrets secrets = {});

  std::expected<std::optional<CapturedPacket>, CaptureError> next() override;
  std::string_view compression() const override { return input_.compression(); }

 private:
  struct Interface {
    std::uint32_t link_type = 0;
    std::uint32_t snap_length = 0;  // 0: no limit
    std::uint8_t resolution = 6;    // if_tsresol: a power of ten, or of two with the top bit
    std::int64_t offset_s = 0;      // if_tsoffset
    std::optional<std::uint64_t> nanoseconds(std::uint64_t ticks) const;  // nothing: out of range
  };
  struct Block {
    std::uint32_t type = 0;
    std::uint32_t left = 0;   // bytes of the body that are not read yet
    std::uint32_t total = 0;  // as its first length field says
  };
  using Done = std::expected<void, CaptureError>;
  using Next = std::expected<std::optional<CapturedPacket>, CaptureError>;

  PcapngReader(ByteSource source, TakeSecrets secrets) : input_(std::move(source)), secrets_(std::move(secrets)) {}
  // `type` as on the wire, its bytes already read.
  std::expected<Block, CaptureError> begin_block(std::span<const std::uint8_t, 4> type);
  std::expected<Block, CaptureError> begin_section();
  Done read_body(Block& block, MutableBytes out);
  Done end_block(const Block& block);
  Done read_interface(Block& block);
  Done read_secrets(Block& block);
  Done read_interface_options(Block& block, Interface& interface);
  Next read_enhanced(Block& block);
  Next read_simple(Block& block);
  Next read_obsolete(Block& block);
  Next end_of_file() const;
  Next finish_packet(Block& block, std::size_t interface, std::optional<std::uint64_t> ticks, std::uint32_t captured,
                     std::uint32_t original);

  RecordInput input_;
  TakeSecrets secrets_;
  ByteOrder order_ = ByteOrder::little;
  std::vector<Interface> interfaces_;
  std::uint64_t times_out_of_range_ = 0, first_out_of_range_ = 0;  // frame
};

}  // namespace mxp::dump
