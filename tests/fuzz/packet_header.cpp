// The clear part of any datagram: what is taken apart covers the datagram, and writes to the same bytes again.
#include "core/packet_header.h"

#include <algorithm>
#include <array>
#include <vector>

#include "mxp/version.h"
#include "require.h"

using namespace mxp;
using fuzz::require;

namespace {

bool inside(ByteView part, ByteView whole) {
  return part.data() >= whole.data() && part.data() + part.size() <= whole.data() + whole.size();
}

void check(const InitialHeader& header, ByteView datagram) {
  require(header.version == kWireVersion, "only this version's initials are read");
  require(header.token.size() <= kMaxTokenSize && header.ticket.size() <= kMaxTicketSize,
          "token and ticket are bounded");
  for (const ByteView part : {header.token, header.ticket, header.prologue, header.noise_message, header.mac1}) {
    require(inside(part, datagram), "views point into the datagram");
  }
  require(header.prologue.size() + header.noise_message.size() + kMac1Size == datagram.size(),
          "the parts are the whole datagram");
  std::vector<std::uint8_t> buffer(header.prologue.size());
  Writer out(buffer);
  require(write_initial_header(out, static_cast<Suite>(header.suite), header.client_id, header.token, header.ticket),
          "it can be written");
  require(std::ranges::equal(out.so_far(), header.prologue), "written again it is the same");
}

void check(const ResponseHeader& header, ByteView datagram) {
  require(inside(header.noise_message, datagram), "views point into the datagram");
  std::array<std::uint8_t, kHandshakeHeaderSize> buffer;
  Writer out(buffer);
  require(write_response_header(out, static_cast<Suite>(header.suite), header.client_id), "it can be written");
  require(std::ranges::equal(out.so_far(), datagram.first(kHandshakeHeaderSize)), "written again it is the same");
}

void check(const ShortHeader& header, ByteView datagram) {
  require(datagram.size() >= kMinShortPacket, "there is room for number and tag");
  require(std::ranges::equal(header.destination.bytes(), datagram.subspan(1, ConnectionId::kSize)),
          "the id is in its place");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const ByteView datagram(data, size);
  const auto header = parse_packet_header(datagram);
  if (!header) {
    require(header.error() == DropReason::malformed_header || header.error() == DropReason::unknown_version,
            "one of two reasons");
    return 0;
  }
  std::visit([&](const auto& kind) { check(kind, datagram); }, *header);
  return 0;
}
