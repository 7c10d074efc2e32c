#include "mxp-dump/files/block_stream.h"

#include <fmt/format.h>

#include <array>
#include <deque>

#include "mxp-dump/capture/pcap_reader.h"
#include "mxp-dump/capture/pcapng_reader.h"

namespace mxp::dump {
namespace {

constexpr std::uint32_t kOrderMagic = 0x1a2b3c4d, kOverhead = 12;

void pad(std::vector<std::uint8_t>& body) { body.resize((body.size() + 3) & ~std::size_t{3}); }

class RawBlocks final : public BlockStream {
 public:
  explicit RawBlocks(ByteSource source) : input_(std::move(source)) {}

  std::expected<std::optional<CaptureBlock>, CaptureError> next() override {
    std::array<std::uint8_t, 4> type{}, length{};
    input_.start_record();
    if (first_) {  // its type was read to tell the format
      input_.start_record(0);
      store_section_type(type);
    } else {
      const std::size_t got = input_.read_some(type);
      if (got == 0 && !input_.failed()) return std::nullopt;
      if (got < type.size()) return std::unexpected(input_.ended());
    }
    first_ = false;
    if (auto done = input_.read(length); !done) return std::unexpected(done.error());
    CaptureBlock block;
    std::array<std::uint8_t, 4> magic{};
    const bool section = PcapngReader::recognises(type);
    if (section) {
      if (auto done = input_.read(magic); !done) return std::unexpected(done.error());
      order_ = load<std::uint32_t>(magic.data(), ByteOrder::little) == kOrderMagic ? ByteOrder::little : ByteOrder::big;
      if (load<std::uint32_t>(magic.data(), order_) != kOrderMagic)
        return std::unexpected(input_.malformed("has a section without a byte order"));
      block.body.assign(magic.begin(), magic.end());
    }
    block.order = order_;
    block.type = load<std::uint32_t>(type.data(), order_);
    const auto total = load<std::uint32_t>(length.data(), order_);
    if (total < kOverhead + (section ? 16 : 0) || total % 4 != 0 || total > kMaxBlockBytes)
      return std::unexpected(input_.malformed(fmt::format("has a block of impossible length {}", total)));
    const std::size_t begun = block.body.size();
    block.body.resize(total - kOverhead);
    if (auto done = input_.read(MutableBytes(block.body).subspan(begun)); !done) return std::unexpected(done.error());
    if (auto done = input_.read(length); !done) return std::unexpected(done.error());
    if (load<std::uint32_t>(length.data(), order_) != total)
      return std::unexpected(input_.malformed("has a block with two different lengths"));
    if (block.is_packet()) (void)input_.count_frame();
    return block;
  }

 private:
  static void store_section_type(std::array<std::uint8_t, 4>& type) { type = {0x0a, 0x0d, 0x0d, 0x0a}; }

  RecordInput input_;
  ByteOrder order_ = ByteOrder::little;
  bool first_ = true;
};

// The packets of a pcap file. Files of other link types may have been appended: each gets an interface.
class ConvertedBlocks final : public BlockStream {
 public:
  explicit ConvertedBlocks(std::unique_ptr<CaptureReader> reader) : reader_(std::move(reader)) {
    ready_.push_back(section_block());
  }

  std::expected<std::optional<CaptureBlock>, CaptureError> next() override {
    if (ready_.empty()) {
      const auto packet = reader_->next();
      if (!packet) return std::unexpected(packet.error());
      if (!*packet) return std::nullopt;
      if (!any_ || (*packet)->link_type != link_type_) {
        if (any_) ++interface_;
        any_ = true;
        link_type_ = (*packet)->link_type;
        ready_.push_back(interface_block(link_type_));
      }
      ready_.push_back(packet_block(interface_, **packet));
    }
    CaptureBlock block = std::move(ready_.front());
    ready_.pop_front();
    return block;
  }

 private:
  std::unique_ptr<CaptureReader> reader_;
  std::deque<CaptureBlock> ready_;
  std::uint32_t link_type_ = 0, interface_ = 0;
  bool any_ = false;
};

}  // namespace

std::vector<std::uint8_t> CaptureBlock::bytes() const {
  std::vector<std::uint8_t> out;
  const auto total = static_cast<std::uint32_t>(body.size()) + kOverhead;
  store(out, type, order);
  store(out, total, order);
  out.insert(out.end(), body.begin(), body.end());
  if (type == block_type::kSectionHeader) std::fill_n(out.begin() + 16, 8, std::uint8_t{0xff});
  store(out, total, order);
  return out;
}

CaptureBlock section_block() {
  CaptureBlock block{block_type::kSectionHeader, ByteOrder::little, {}};
  store(block.body, kOrderMagic, block.order);
  store(block.body, std::uint16_t{1}, block.order);
  store(block.body, std::uint16_t{0}, block.order);
  store(block.body, ~std::uint64_t{0}, block.order);
  return block;
}

CaptureBlock interface_block(std::uint32_t link_type) {
  CaptureBlock block{block_type::kInterface, ByteOrder::little, {}};
  store(block.body, link_type & 0xffffu, block.order);  // and two reserved bytes
  store(block.body, std::uint32_t{0}, block.order);
  constexpr std::uint16_t kTimeResolution = 9;
  store(block.body, kTimeResolution, block.order);
  store(block.body, std::uint16_t{1}, block.order);
  block.body.insert(block.body.end(), {9, 0, 0, 0});  // 10^-9
  store(block.body, std::uint32_t{0}, block.order);   // end of the options
  return block;
}

CaptureBlock packet_block(std::uint32_t interface, const CapturedPacket& packet) {
  CaptureBlock block{packet.time_ns ? block_type::kEnhancedPacket : block_type::kSimplePacket, ByteOrder::little, {}};
  if (packet.time_ns) {
    store(block.body, interface, block.order);
    store(block.body, static_cast<std::uint32_t>(*packet.time_ns >> 32), block.order);
    store(block.body, static_cast<std::uint32_t>(*packet.time_ns), block.order);
    store(block.body, static_cast<std::uint32_t>(packet.bytes.size()), block.order);
  }
  store(block.body, packet.original_length, block.order);
  block.body.insert(block.body.end(), packet.bytes.begin(), packet.bytes.end());
  pad(block.body);
  return block;
}

CaptureBlock secrets_block(ByteView secrets, ByteOrder order) {
  CaptureBlock block{block_type::kDecryptionSecrets, order, {}};
  store(block.body, kMxpSecrets, order);
  store(block.body, static_cast<std::uint32_t>(secrets.size()), order);
  block.body.insert(block.body.end(), secrets.begin(), secrets.end());
  pad(block.body);
  return block;
}

std::expected<std::unique_ptr<BlockStream>, CaptureError> open_blocks(ByteSource source) {
  std::array<std::uint8_t, 4> magic{};
  const std::size_t got = source.read(magic);
  if (got == magic.size() && source.failed() == ByteSource::Failure::none && PcapngReader::recognises(magic))
    return std::make_unique<RawBlocks>(std::move(source));
  auto reader = open_capture_after(std::move(source), ByteView(magic).first(got));
  if (!reader) return std::unexpected(reader.error());
  return std::make_unique<ConvertedBlocks>(std::move(*reader));
}

}  // namespace mxp::dump
