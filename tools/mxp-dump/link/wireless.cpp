// 802.11 frames, plain or behind the headers that capturing adds. Only data frames in the clear hold IP.
#include "mxp-dump/link/packet_walk.h"

namespace mxp::dump {

// https://www.radiotap.org: version, padding, length, words that say which fields follow; of those only the flags matter.
FoundUdp PacketWalk::radiotap(Reader in) {
  const ByteView whole = in.rest();
  const auto version = in.le<std::uint16_t>(), length = in.le<std::uint16_t>();
  auto present = in.le<std::uint32_t>();
  if (!present || (*version & 0xff) != 0 || *length < 8 || *length > whole.size()) return not_udp(NotUdp::malformed);
  const std::uint32_t fields = *present;
  constexpr std::uint32_t kTimer = 1, kFlags = 2, kMorePresent = 0x80000000;
  while ((*present & kMorePresent) != 0) {
    present = in.le<std::uint32_t>();
    if (!present) return not_udp(NotUdp::malformed);
  }
  std::size_t at = whole.size() - in.remaining();
  if ((fields & kTimer) != 0) at = ((at + 7) & ~std::size_t{7}) + 8;
  constexpr std::uint8_t kPaddedToWords = 0x20;
  const bool padded = (fields & kFlags) != 0 && at < *length && (whole[at] & kPaddedToWords) != 0;
  return wireless(Reader(whole.subspan(*length)), padded ? 4 : 1);
}

// PPI: version, flags, length, link type of what follows.
FoundUdp PacketWalk::per_packet_information(Reader in) {
  const ByteView whole = in.rest();
  (void)in.bytes(2);
  const auto length = in.le<std::uint16_t>();
  const auto link_type = in.le<std::uint32_t>();
  if (!length || !link_type || *length < 8 || *length > whole.size()) return not_udp(NotUdp::malformed);
  return link(*link_type, Reader(whole.subspan(*length)));
}

// IEEE 802.11 §9.2: the header's size depends on how many addresses there are, and on the extras of QoS.
FoundUdp PacketWalk::wireless(Reader in, std::size_t padded_to) {
  constexpr std::uint8_t kVersion = 0x03, kType = 0x0c, kData = 0x08, kNoData = 0x40, kQos = 0x80;
  constexpr std::uint8_t kBothSystems = 0x03, kMoreFragments = 0x04, kProtected = 0x40, kControlField = 0x80;
  const auto head = in.bytes(24);
  if (!head) {
    const bool short_frame = in.remaining() >= 2 && (in.rest()[0] & kType) != kData;  // acknowledgements and the like
    return not_udp(short_frame ? NotUdp::other_protocol : NotUdp::malformed);
  }
  const std::uint8_t control = (*head)[0], flags = (*head)[1];
  if ((control & kVersion) != 0 || (control & kType) != kData || (control & kNoData) != 0)
    return not_udp(NotUdp::other_protocol);
  if ((flags & kProtected) != 0) return not_looked_into("encrypted 802.11");
  if ((flags & kMoreFragments) != 0 || ((*head)[22] & 0x0f) != 0) return not_looked_into("802.11 fragments");
  std::size_t size = 24;
  const auto extra = [&](std::size_t count) {
    size += count;
    return in.bytes(count);
  };
  if ((flags & kBothSystems) == kBothSystems && !extra(6)) return not_udp(NotUdp::malformed);
  if ((control & kQos) != 0) {
    const auto qos = extra(2);
    if (!qos) return not_udp(NotUdp::malformed);
    constexpr std::uint8_t kSeveralInOne = 0x80;
    if (((*qos)[0] & kSeveralInOne) != 0) return not_looked_into("802.11 A-MSDU");
    if ((flags & kControlField) != 0 && !extra(4)) return not_udp(NotUdp::malformed);
  }
  if (!in.bytes((padded_to - size % padded_to) % padded_to)) return not_udp(NotUdp::malformed);
  return llc(in);
}

}  // namespace mxp::dump
