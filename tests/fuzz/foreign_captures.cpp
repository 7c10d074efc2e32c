// Captures of other protocols, mutated: QUIC, DTLS, WireGuard, DNS, RTP, STUN and bytes without a meaning, over all link
// types, in pcap and pcapng. The reader and the dissector must find no MXP in them, and keep no more than they may.
//
// The input is a seed of decisions. Where it ends, a generator goes on from a hash of it, so that a few bytes make a
// whole capture and any run of seeds is as good as a corpus (scripts/foreign_captures.sh).
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <string_view>
#include <vector>

#include "core/split_mix.h"
#include "mxp-dump/capture/capture_reader.h"
#include "mxp-dump/dissect/dissector.h"
#include "mxp-dump/link/udp_finder.h"
#include "require.h"

using namespace mxp;
using namespace mxp::dump;
using fuzz::require;

namespace {

using Bytes = std::vector<std::uint8_t>;

class Dice {
 public:
  Dice(const std::uint8_t* data, std::size_t size) : left_(data, size) {
    for (const std::uint8_t byte : left_) state_ = (state_ ^ byte) * 0x100000001b3;
  }
  std::uint64_t draw() {
    if (left_.empty()) return split_mix(state_ += kGoldenGamma);
    const std::uint64_t value = left_.front();
    left_ = left_.subspan(1);
    return value ^ split_mix(state_ += kGoldenGamma);
  }
  std::size_t below(std::size_t bound) { return static_cast<std::size_t>(draw() % bound); }
  std::uint8_t byte() { return static_cast<std::uint8_t>(draw()); }
  bool one_in(std::size_t bound) { return below(bound) == 0; }
  void fill(Bytes& out, std::size_t count) {
    while (count-- > 0) out.push_back(byte());
  }

 private:
  ByteView left_;
  std::uint64_t state_ = 0xcbf29ce484222325;
};

void put(Bytes& out, std::uint64_t value, int size) {
  while (size-- > 0) out.push_back(size < 8 ? static_cast<std::uint8_t>(value >> (8 * size)) : std::uint8_t{0});
}
void put(Bytes& out, std::string_view text) { out.insert(out.end(), text.begin(), text.end()); }

// A flow: two addresses, and what stays the same from packet to packet.
struct Flow {
  std::array<std::uint8_t, 32> addresses;
  std::uint16_t ports[2];
  std::array<std::uint8_t, 8> id;  // of a connection, as QUIC has it
  std::size_t protocol;
  std::uint64_t count = 0;
};

Bytes quic(Flow& flow, Dice& dice) {
  Bytes out;
  if (flow.count < 4) {  // long header: Initial or Handshake of version 1
    out.push_back(static_cast<std::uint8_t>(0xc0 | dice.below(4) << 4 | dice.below(16)));
    put(out, dice.one_in(5) ? dice.draw() : 1, 4);
    out.push_back(8);
    out.insert(out.end(), flow.id.begin(), flow.id.end());
    out.push_back(0);
    put(out, 0x4000 | 1180, 2);
    dice.fill(out, dice.one_in(3) ? dice.below(600) : 1200 - out.size());
  } else {
    out.push_back(static_cast<std::uint8_t>(0x40 | dice.below(64)));
    out.insert(out.end(), flow.id.begin(), flow.id.end());
    dice.fill(out, 20 + dice.below(1180));
  }
  return out;
}
Bytes dtls(Flow& flow, Dice& dice) {
  Bytes out;
  put(out, 20 + dice.below(4), 1);
  put(out, 0xfe, 1);
  put(out, 0xfd, 1);
  put(out, flow.count, 8);
  const std::size_t size = 13 + dice.below(1200);
  put(out, size, 2);
  dice.fill(out, size);
  return out;
}
Bytes wireguard(Flow& flow, Dice& dice) {
  const std::size_t type = flow.count < 2 ? 1 + static_cast<std::size_t>(flow.count) : 4;
  Bytes out;
  put(out, type, 1);
  put(out, 0, 1);
  put(out, 0, 1);
  put(out, 0, 1);
  out.insert(out.end(), flow.id.begin(), flow.id.begin() + 4);
  if (type == 4) put(out, flow.count << 56, 8);
  dice.fill(out, type == 1 ? 140 : type == 2 ? 84 : 16 * (1 + dice.below(80)));
  return out;
}
Bytes dns(Flow&, Dice& dice) {
  Bytes out;
  put(out, dice.draw(), 2);
  put(out, dice.one_in(2) ? 0x0100 : 0x8180, 2);
  put(out, std::uint64_t{1} << 48 | std::uint64_t{dice.below(3)} << 32, 8);
  put(out, std::string_view("\3www\7example\0\0\1\0\1", 17));
  dice.fill(out, dice.below(200));
  return out;
}
Bytes rtp(Flow& flow, Dice& dice) {
  Bytes out;
  put(out, 0x80, 1);
  put(out, 96 + dice.below(2), 1);
  put(out, flow.count, 2);
  put(out, flow.count * 160, 4);
  out.insert(out.end(), flow.id.begin(), flow.id.begin() + 4);
  dice.fill(out, 20 + dice.below(1150));
  return out;
}
Bytes stun(Flow&, Dice& dice) {
  Bytes out;
  const std::size_t size = 4 * dice.below(30);
  put(out, dice.one_in(2) ? 0x0001 : 0x0101, 2);
  put(out, size, 2);
  put(out, 0x2112a442, 4);
  dice.fill(out, 12 + size);
  return out;
}
// The nearest: what looks like a 1-RTT packet of MXP, with an id that stays, and no handshake.
Bytes nearly(Flow& flow, Dice& dice) {
  Bytes out;
  put(out, 0x40 | dice.below(32), 1);
  out.insert(out.end(), flow.id.begin(), flow.id.end());
  dice.fill(out, 20 + dice.below(1300));
  return out;
}
Bytes meaningless(Flow&, Dice& dice) {
  Bytes out;
  dice.fill(out, dice.below(1473));
  return out;
}
constexpr Bytes (*kProtocols[])(Flow&, Dice&) = {quic, dtls, wireguard, dns, rtp, stun, nearly, meaningless};

Bytes ip_packet(const Flow& flow, bool back, ByteView payload, bool v6, std::uint8_t protocol) {
  Bytes out;
  const std::size_t udp = 8 + payload.size(), size = v6 ? 16 : 4;
  if (v6) {
    put(out, 6u << 28, 4);
    put(out, udp, 2);
    put(out, protocol, 1);
    put(out, 64, 1);
  } else {
    put(out, 0x4500, 2);
    put(out, 20 + udp, 2);
    put(out, 0x12344000, 4);
    put(out, 64, 1);
    put(out, protocol, 1);
    put(out, 0, 2);
  }
  for (const std::size_t end : {back ? 16 : 0, back ? 0 : 16})
    out.insert(out.end(), flow.addresses.begin() + static_cast<std::ptrdiff_t>(end),
               flow.addresses.begin() + static_cast<std::ptrdiff_t>(end + size));
  put(out, flow.ports[back ? 1 : 0], 2);
  put(out, flow.ports[back ? 0 : 1], 2);
  put(out, udp, 2);
  put(out, 0, 2);
  out.insert(out.end(), payload.begin(), payload.end());
  return out;
}

// As far as an IP packet comes right behind it; the mutations, and the wrong link types among them, do the rest.
constexpr std::uint32_t kLinkTypes[] = {0,   1,   9,   12,  50,  51,  100, 101, 104, 105, 108,
                                        113, 117, 127, 166, 192, 204, 228, 229, 239, 258, 276};
Bytes framed(std::uint32_t link_type, bool v6, const Bytes& packet, Dice& dice) {
  Bytes out;
  const std::uint64_t ether_type = v6 ? 0x86dd : 0x0800;
  switch (link_type) {
    case 0: put(out, v6 ? 0x0a000000 : 0x02000000, 4); break;
    case 108: put(out, v6 ? 10 : 2, 4); break;
    case 1:
      dice.fill(out, 12);
      if (dice.one_in(4)) put(out, 0x81000007, 4);
      put(out, ether_type, 2);
      break;
    case 9: put(out, v6 ? 0x0057 : 0x0021, 2); break;
    case 50: put(out, v6 ? 0xff030057 : 0xff030021, 4); break;
    case 104: put(out, 0x0f000000 | ether_type, 4); break;
    case 113:
      put(out, 0x0000000100060000, 8);
      put(out, 0, 6);
      put(out, ether_type, 2);
      break;
    case 276:
      put(out, ether_type << 48, 8);
      put(out, 0, 12);
      break;
    case 12:
    case 101:
    case 228:
    case 229: break;
    default: dice.fill(out, dice.below(40)); break;
  }
  out.insert(out.end(), packet.begin(), packet.end());
  return out;
}

void put_le(Bytes& out, std::uint64_t value, int size) {
  for (int i = 0; i < size; ++i) out.push_back(static_cast<std::uint8_t>(value >> (8 * i)));
}
void put_block(Bytes& out, std::uint32_t type, Bytes body) {
  body.resize((body.size() + 3) & ~std::size_t{3});
  put_le(out, type, 4);
  put_le(out, body.size() + 12, 4);
  out.insert(out.end(), body.begin(), body.end());
  put_le(out, body.size() + 12, 4);
}

struct File {
  Bytes bytes;
  bool pcapng;
  std::uint32_t link_type;

  File(bool ng, std::uint32_t link) : pcapng(ng), link_type(link) {
    if (!pcapng) {
      put_le(bytes, 0xa1b2c3d4, 4);
      put_le(bytes, 0x00040002, 4);
      put_le(bytes, 0, 8);
      put_le(bytes, 262144, 4);
      put_le(bytes, link, 4);
      return;
    }
    Bytes section, interface;
    put_le(section, 0x1a2b3c4d, 4);
    put_le(section, 1, 4);
    put_le(section, ~std::uint64_t{0}, 8);
    put_block(bytes, 0x0a0d0d0a, section);
    put_le(interface, link, 4);
    put_le(interface, 0, 4);
    put_block(bytes, 1, interface);
  }
  void add(std::uint64_t time_us, const Bytes& packet) {
    if (!pcapng) {
      put_le(bytes, time_us / 1'000'000, 4);
      put_le(bytes, time_us % 1'000'000, 4);
      put_le(bytes, packet.size(), 4);
      put_le(bytes, packet.size(), 4);
      bytes.insert(bytes.end(), packet.begin(), packet.end());
      return;
    }
    Bytes body;
    put_le(body, 0, 4);
    put_le(body, time_us >> 32, 4);
    put_le(body, time_us, 4);
    put_le(body, packet.size(), 4);
    put_le(body, packet.size(), 4);
    body.insert(body.end(), packet.begin(), packet.end());
    put_block(bytes, 6, body);
  }
};

void mutate(Bytes& bytes, Dice& dice) {
  if (bytes.empty()) return;
  const std::size_t at = dice.below(bytes.size());
  const auto place = bytes.begin() + static_cast<std::ptrdiff_t>(at);
  const auto some = static_cast<std::ptrdiff_t>(1 + dice.below(std::min<std::size_t>(bytes.size() - at, 40)));
  switch (dice.below(6)) {
    case 0: *place ^= static_cast<std::uint8_t>(1 << dice.below(8)); break;
    case 1: *place = dice.byte(); break;
    case 2: bytes.insert(place, dice.byte()); break;
    case 3: bytes.erase(place, place + some); break;
    case 4: std::fill(place, place + some, dice.one_in(2) ? std::uint8_t{0} : std::uint8_t{0xff}); break;
    default: {
      const Bytes copy(place, place + some);
      const std::size_t to = dice.below(bytes.size());
      bytes.insert(bytes.begin() + static_cast<std::ptrdiff_t>(to), copy.begin(), copy.end());
    }
  }
}

Bytes capture(Dice& dice) {
  File file(dice.one_in(2), kLinkTypes[dice.below(std::size(kLinkTypes))]);
  std::vector<Flow> flows(1 + dice.below(3));
  for (Flow& flow : flows) {
    for (std::uint8_t& byte : flow.addresses) byte = dice.byte();
    for (std::uint16_t& port : flow.ports) port = static_cast<std::uint16_t>(1 + dice.below(65535));
    for (std::uint8_t& byte : flow.id) byte = dice.byte();
    flow.protocol = dice.below(std::size(kProtocols));
  }
  const std::size_t packets = 1 + dice.below(24);
  std::uint64_t time_us = 1'700'000'000'000'000;
  for (std::size_t i = 0; i < packets; ++i) {
    Flow& flow = flows[dice.below(flows.size())];
    Bytes payload = kProtocols[flow.protocol](flow, dice);
    ++flow.count;
    while (dice.one_in(4)) mutate(payload, dice);
    const bool v6 = dice.one_in(3);
    constexpr std::uint8_t kTcp = 6, kUdp = 17;
    Bytes packet =
        framed(file.link_type, v6, ip_packet(flow, dice.one_in(2), payload, v6, dice.one_in(12) ? kTcp : kUdp), dice);
    while (dice.one_in(6)) mutate(packet, dice);
    file.add(time_us += dice.below(100'000), packet);
    if (dice.one_in(10)) file.add(time_us += dice.below(1000), packet);
  }
  while (dice.one_in(3)) mutate(file.bytes, dice);
  return std::move(file.bytes);
}

int memory_file(ByteView bytes) {
  static const int descriptor = memfd_create("capture", MFD_CLOEXEC);
  require(descriptor >= 0 && ftruncate(descriptor, 0) == 0, "the system gives a file");
  require(pwrite(descriptor, bytes.data(), bytes.size(), 0) == static_cast<ssize_t>(bytes.size()),
          "it takes the input");
  require(lseek(descriptor, 0, SEEK_SET) == 0, "it can be rewound");
  return dup(descriptor);
}

template <typename Look>
void each_packet(const Bytes& bytes, Look look) {
  auto reader = open_capture(ByteSource(memory_file(bytes), -1));
  if (!reader) return;
  UdpFinder finder;
  for (std::uint64_t frames = 0;; ++frames) {
    const auto packet = (*reader)->next();
    if (!packet || !*packet) break;
    require(frames <= bytes.size(), "a packet takes at least a byte of the file");
    finder.find(**packet, look);
    require(finder.waiting_datagrams() <= Fragments::kMaxDatagrams, "datagrams that wait are bounded");
  }
  finder.finish(look);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  Dice dice(data, size);
  const Bytes bytes = capture(dice);
  KeyRing no_keys;
  Dissector dissector(no_keys, 0, [](const Connection&) {});
  each_packet(bytes, [&](const CapturedPacket& packet, const FoundUdp& found) {
    if (found) dissector.survey(packet, *found);
  });
  dissector.end_survey();
  each_packet(bytes, [&](const CapturedPacket& packet, const FoundUdp& found) {
    if (found) require(!dissector.dissect(packet, *found, [](const PacketRecord&) {}), "other protocols are not MXP");
  });
  require(dissector.table().connections().empty(), "and have no connections of it");
  return 0;
}
