// A capture file from a stranger, through the reader and the search for UDP datagrams in its packets.
#include "mxp-dump/capture/capture_reader.h"

#include <sys/mman.h>
#include <unistd.h>

#include "mxp-dump/dissect/key_ring.h"
#include "mxp-dump/files/block_stream.h"
#include "mxp-dump/link/udp_finder.h"
#include "require.h"

using namespace mxp;
using namespace mxp::dump;
using fuzz::require;

namespace {

int file_of(ByteView bytes) {
  const int descriptor = memfd_create("capture", MFD_CLOEXEC);
  require(descriptor >= 0, "the system gives a file");
  std::size_t written = 0;
  while (written < bytes.size()) {
    const ssize_t n = write(descriptor, bytes.data() + written, bytes.size() - written);
    require(n > 0, "the file takes the input");
    written += static_cast<std::size_t>(n);
  }
  require(lseek(descriptor, 0, SEEK_SET) == 0, "the file can be rewound");
  return descriptor;
}

// Every link type is tried on every packet: the reader says which one it is, and the bytes do not have to agree.
constexpr std::uint32_t kLinkTypes[] = {0,   1,   9,   12,  50,  51,  100, 101, 104, 105, 108,
                                        113, 117, 127, 166, 192, 204, 228, 229, 239, 258, 276};

void check(const CapturedPacket& packet, const FoundUdp& datagram) {
  require(packet.bytes.size() <= kMaxCapturedBytes, "packets are bounded");
  if (!datagram) return;
  require(datagram->payload.size() <= datagram->length, "no more is captured than was sent");
  if (datagram->fragments > 0) return;  // in a buffer of the finder's
  const ByteView payload = datagram->payload;
  require(payload.empty() || (payload.data() >= packet.bytes.data() &&
                              payload.data() + payload.size() <= packet.bytes.data() + packet.bytes.size()),
          "the payload lies inside the packet");
}

// The same as blocks, as the commands copy them: what is written is no larger than what was read allows.
void pass_through(ByteView bytes) {
  auto blocks = open_blocks(ByteSource(file_of(bytes), -1));
  if (!blocks) return;
  while (true) {
    const auto block = (*blocks)->next();
    if (!block || !*block) return;
    const auto written = (*block)->bytes();
    require(written.size() % 4 == 0 && written.size() <= kMaxBlockBytes, "a block has a size that a reader takes");
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  pass_through(ByteView(data, size));
  KeyRing keys;
  auto reader = open_capture(ByteSource(file_of(ByteView(data, size)), -1),
                             [&keys](ByteView piece) { keys.take_embedded(piece); });
  if (!reader) {
    require(!reader.error().to_string().empty(), "an error has words");
    return 0;
  }
  UdpFinder finder, others;
  std::uint64_t frame = 0;
  while (true) {
    const auto packet = (*reader)->next();
    if (!packet) {
      require(!packet.error().to_string().empty() && packet.error().offset <= size,
              "an error says where, inside the file");
      if (packet.error().kind == CaptureError::Kind::times)
        require(packet.error().frame >= 1 && packet.error().frame <= frame, "or which frame had the first bad time");
      else require(packet.error().frame == frame + 1, "and which frame would have come next");
      return 0;
    }
    if (!*packet) return 0;
    require((*packet)->frame == ++frame, "frames are counted from 1");
    require(frame <= size, "a packet takes at least a byte of the file");
    finder.find(**packet, check);
    require(finder.fragment_bytes() <= Fragments::kMaxBytes + kMaxCapturedBytes + 1024, "fragments are bounded");
    require(finder.waiting_datagrams() <= Fragments::kMaxDatagrams, "datagrams that wait are bounded");
    for (const std::uint32_t link_type : kLinkTypes) {
      CapturedPacket other = **packet;
      other.link_type = link_type;
      others.find(other, check);
    }
  }
}
