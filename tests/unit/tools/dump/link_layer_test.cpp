// Each way in which a UDP datagram may be wrapped, with packets that are built here header by header.
#include <boost/test/unit_test.hpp>

#include "mxp-dump/link/udp_finder.h"

namespace mxp::dump {
namespace {

using Octets = std::vector<std::uint8_t>;

Octets operator+(Octets a, const Octets& b) {
  a.insert(a.end(), b.begin(), b.end());
  return a;
}

Octets be(std::uint64_t value, std::size_t size) {
  Octets out;
  while (size-- > 0) out.push_back(static_cast<std::uint8_t>(value >> (8 * size)));
  return out;
}
Octets zeros(std::size_t count) { return Octets(count); }

const Octets kInnerPayload{0x40, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12};

Octets udp_of(std::uint16_t source, std::uint16_t destination, const Octets& payload) {
  return be(source, 2) + be(destination, 2) + be(8 + payload.size(), 2) + be(0, 2) + payload;
}
Octets ipv4_of(std::uint8_t protocol, const Octets& body, std::uint32_t source = 0x0a000001, std::uint16_t flags = 0,
               std::uint16_t id = 1) {
  return be(0x4500, 2) + be(20 + body.size(), 2) + be(id, 2) + be(flags, 2) + Octets{64, protocol, 0, 0} +
         be(source, 4) + be(0x0a000002, 4) + body;
}
Octets ipv6_of(std::uint8_t next, const Octets& body) {
  return be(0x60000000, 4) + be(body.size(), 2) + Octets{next, 64} + zeros(15) + Octets{1} + zeros(15) + Octets{2} +
         body;
}
Octets inner() { return ipv4_of(17, udp_of(4000, 9000, kInnerPayload)); }
Octets inner6() { return ipv6_of(17, udp_of(4000, 9000, kInnerPayload)); }
Octets ether(std::uint16_t type, const Octets& body) { return zeros(12) + be(type, 2) + body; }
Octets outer(std::uint16_t port, const Octets& body) { return ipv4_of(17, udp_of(5555, port, body), 0xc0a80001); }
const Octets kSnapIp{0xaa, 0xaa, 3, 0, 0, 0, 8, 0};

struct Case {
  std::string name;
  std::uint32_t link_type;
  Octets packet;
};

std::vector<Case> cases() {
  const Octets frame = ether(0x0800, inner());
  const Octets tap = Octets{16, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0};
  const Octets wifi = Octets{0x08, 0x01, 0, 0} + zeros(18) + zeros(2);
  const Octets qos = Octets{0x88, 0x03, 0, 0} + zeros(18) + zeros(2) + zeros(6) + zeros(2);
  const Octets nflog = Octets{2, 0, 0, 1};
  const auto with_length = [](const Octets& body) { return zeros(12) + be(body.size(), 2) + body; };
  const auto nflog_payload = Octets{static_cast<std::uint8_t>(4 + inner().size()), 0, 9, 0} + inner();
  const auto nflog_payload_big = Octets{0, static_cast<std::uint8_t>(4 + inner().size()), 0, 9} + inner();
  const Octets erspan3 = zeros(12);
  return {
      {"Ethernet", 1, frame},
      {"Ethernet, IPv6", 1, ether(0x86dd, inner6())},
      {"VLAN", 1, ether(0x8100, be(5, 2) + be(0x0800, 2) + inner())},
      {"QinQ", 1, ether(0x88a8, be(5, 2) + be(0x8100, 2) + be(6, 2) + be(0x0800, 2) + inner())},
      {"802.3 with SNAP", 1, with_length(kSnapIp + inner())},
      {"802.3 with LLC's IP", 1, with_length(Octets{6, 6, 3} + inner())},
      {"VLAN with SNAP", 1, ether(0x8100, be(5, 2) + be(kSnapIp.size() + inner().size(), 2) + kSnapIp + inner())},
      {"MPLS", 1, ether(0x8847, be(0x00010000, 4) + be(0x000201ff, 4) + inner())},
      {"MPLS, IPv6", 1, ether(0x8848, be(0x000201ff, 4) + inner6())},
      {"MPLS pseudowire with a control word", 1, ether(0x8847, be(0x000201ff, 4) + zeros(4) + frame)},
      {"PPPoE", 1, ether(0x8864, Octets{0x11, 0, 0, 9} + be(2 + inner().size(), 2) + be(0x21, 2) + inner())},
      {"PPPoE, IPv6", 1, ether(0x8864, Octets{0x11, 0, 0, 9} + be(2 + inner6().size(), 2) + be(0x57, 2) + inner6())},
      {"raw", 101, inner()},
      {"raw, IPv6", 12, inner6()},
      {"null", 0, Octets{2, 0, 0, 0} + inner()},
      {"loop", 108, Octets{0, 0, 0, 2} + inner()},
      {"PPP", 9, be(0x0021, 2) + inner()},
      {"PPP with address and control", 9, be(0xff03, 2) + be(0x0057, 2) + inner6()},
      {"PPP with a short protocol", 50, be(0xff03, 2) + Octets{0x21} + inner()},
      {"PPP with MPLS", 9, be(0x0281, 2) + be(0x000201ff, 4) + inner()},
      {"PPP with direction", 204, Octets{1} + be(0xff03, 2) + be(0x0021, 2) + inner()},
      {"PPP of pppd", 166, be(0x0103, 2) + be(0x0021, 2) + inner()},
      {"PPPoE as link type", 51, Octets{0x11, 0, 0, 9} + be(2 + inner().size(), 2) + be(0x21, 2) + inner()},
      {"Cisco HDLC", 104, be(0x0f00, 2) + be(0x0800, 2) + inner()},
      {"ATM", 100, kSnapIp + inner()},
      {"SLL", 113, be(0, 2) + be(1, 2) + zeros(10) + be(0x0800, 2) + inner()},
      {"SLL with VLAN", 113, be(0, 2) + be(1, 2) + zeros(10) + be(0x8100, 2) + be(5, 2) + be(0x0800, 2) + inner()},
      {"SLL protocol 3, IP", 113, be(0, 2) + be(519, 2) + zeros(10) + be(3, 2) + inner()},
      {"SLL protocol 3, Ethernet", 113, be(0, 2) + be(1, 2) + zeros(10) + be(3, 2) + frame},
      {"SLL protocol 4", 113, be(0, 2) + be(1, 2) + zeros(10) + be(4, 2) + kSnapIp + inner()},
      {"SLL protocol 7", 113, be(0, 2) + be(512, 2) + zeros(10) + be(7, 2) + be(0x21, 2) + inner()},
      {"SLL of a GRE interface", 113, be(0, 2) + be(778, 2) + zeros(10) + be(0x0800, 2) + inner()},
      {"SLL of a wireless interface", 113, be(0, 2) + be(801, 2) + zeros(12) + wifi + kSnapIp + inner()},
      {"SLL2", 276, be(0x0800, 2) + zeros(6) + be(1, 2) + zeros(10) + inner()},
      {"SLL2 protocol 3", 276, be(3, 2) + zeros(6) + be(1, 2) + zeros(10) + inner6()},
      {"PKTAP", 258, tap + frame},
      {"PKTAP of a big-endian machine", 258, Octets{0, 0, 0, 12, 0, 0, 0, 1, 0, 0, 0, 101} + inner()},
      {"NFLOG", 239, nflog + Octets{8, 0, 1, 0, 1, 2, 3, 4} + Octets{5, 0, 10, 0, 'x', 0, 0, 0} + nflog_payload},
      {"NFLOG of a big-endian machine", 239, nflog + Octets{0, 8, 0, 1, 1, 2, 3, 4} + nflog_payload_big},
      {"pf log", 117, Octets{61} + zeros(63) + inner()},
      {"802.11", 105, wifi + kSnapIp + inner()},
      {"802.11 QoS between systems", 105, qos + kSnapIp + inner()},
      {"radiotap", 127, Octets{0, 0, 8, 0, 0, 0, 0, 0} + wifi + kSnapIp + inner()},
      {"radiotap with padding behind the header", 127,
       Octets{0, 0, 9, 0, 2, 0, 0, 0, 0x20} + Octets{0x88, 0x01, 0, 0} + zeros(22) + zeros(2) + kSnapIp + inner()},
      {"radiotap with a timer before the flags", 127,
       Octets{0, 0, 25, 0, 3, 0, 0, 0} + zeros(16) + Octets{0} + wifi + kSnapIp + inner()},
      {"PPI", 192, Octets{0, 0, 8, 0, 105, 0, 0, 0} + wifi + kSnapIp + inner()},
      {"IPv4 in IPv4", 101, ipv4_of(4, inner(), 0xc0a80001)},
      {"IPv6 in IPv4", 101, ipv4_of(41, inner6(), 0xc0a80001)},
      {"IPv4 in IPv6", 101, ipv6_of(4, inner())},
      {"authentication header", 101, ipv4_of(51, Octets{17, 4} + zeros(22) + udp_of(4000, 9000, kInnerPayload))},
      {"EtherIP", 101, ipv4_of(97, be(0x3000, 2) + frame)},
      {"MPLS in IP", 101, ipv4_of(137, be(0x000201ff, 4) + inner())},
      {"GRE", 101, ipv4_of(47, be(0, 2) + be(0x0800, 2) + inner(), 0xc0a80001)},
      {"GRE with all options", 101, ipv4_of(47, be(0xb000, 2) + be(0x86dd, 2) + zeros(12) + inner6())},
      {"GRE with bridged Ethernet", 101, ipv4_of(47, be(0x2000, 2) + be(0x6558, 2) + zeros(4) + frame)},
      {"PPTP", 101, ipv4_of(47, be(0x3081, 2) + be(0x880b, 2) + zeros(12) + be(0xff03, 2) + be(0x21, 2) + inner())},
      {"ERSPAN I", 101, ipv4_of(47, be(0, 2) + be(0x88be, 2) + frame)},
      {"ERSPAN II", 101, ipv4_of(47, be(0x1000, 2) + be(0x88be, 2) + zeros(4) + be(0x10010000, 4) + zeros(4) + frame)},
      {"ERSPAN III", 101, ipv4_of(47, be(0x1000, 2) + be(0x22eb, 2) + zeros(4) + zeros(12) + frame)},
      {"ERSPAN III with a subheader", 101,
       ipv4_of(47, be(0x1000, 2) + be(0x22eb, 2) + zeros(4) + zeros(11) + Octets{1} + zeros(8) + frame)},
      {"VXLAN", 101, outer(4789, Octets{8, 0, 0, 0, 0, 0, 7, 0} + frame)},
      {"VXLAN on Linux's old port", 101, outer(8472, Octets{8, 0, 0, 0, 0, 0, 7, 0} + frame)},
      {"VXLAN-GPE", 101, outer(4790, Octets{12, 0, 0, 2, 0, 0, 7, 0} + inner6())},
      {"Geneve", 101, outer(6081, Octets{2, 0, 0x65, 0x58, 0, 0, 7, 0} + zeros(8) + frame)},
      {"Geneve with IP", 101, outer(6081, Octets{0, 0, 0x08, 0x00, 0, 0, 7, 0} + inner())},
      {"GTP-U", 101, outer(2152, Octets{0x30, 255} + be(inner().size(), 2) + zeros(4) + inner())},
      {"GTP-U with extensions", 101,
       outer(2152, Octets{0x34, 255} + be(inner().size(), 2) + zeros(4) + Octets{0, 0, 0, 0x85} +
                       Octets{1, 0, 9, 0x85, 2, 0, 0, 0, 0, 0, 0, 0} + inner())},
      {"GRE in UDP", 101, outer(4754, be(0, 2) + be(0x0800, 2) + inner())},
      {"MPLS in UDP", 101, outer(6635, be(0x000201ff, 4) + inner())},
      {"VXLAN in GRE in PPPoE", 1,
       ether(0x8864, Octets{0x11, 0, 0, 9} + be(2 + 20 + 4 + 36 + frame.size(), 2) + be(0x21, 2) +
                         ipv4_of(47, be(0, 2) + be(0x0800, 2) + outer(4789, Octets{8, 0, 0, 0, 0, 0, 7, 0} + frame)))},
  };
}

std::string word(const FoundUdp& found) {
  if (found) return "found";
  switch (found.error().why) {
    case NotUdp::other_protocol: return "other";
    case NotUdp::held_fragment: return "held";
    case NotUdp::malformed: return "malformed";
    case NotUdp::unknown_link_type: return "link type";
    case NotUdp::tunnel: return "tunnel " + std::string(found.error().tunnel);
  }
  return "?";
}

BOOST_AUTO_TEST_SUITE(link_layer)

BOOST_AUTO_TEST_CASE(the_datagram_is_found_in_every_wrapping_with_the_inner_addresses) {
  for (const Case& one : cases()) {
    BOOST_TEST_CONTEXT(one.name) {
      const auto found = find_udp(one.link_type, one.packet);
      BOOST_TEST(word(found) == "found");
      if (!found) continue;
      BOOST_TEST(Octets(found->payload.begin(), found->payload.end()) == kInnerPayload,
                 boost::test_tools::per_element());
      BOOST_TEST(found->length == kInnerPayload.size());
      BOOST_TEST(found->source.port == 4000);
      BOOST_TEST(found->destination.port == 9000);
      const std::string source = found->source.to_string();
      BOOST_TEST((source == "10.0.0.1:4000" || source == "[::1]:4000"), source);
    }
  }
}

// A packet that ends anywhere is never found whole, and never more than is there.
BOOST_AUTO_TEST_CASE(a_packet_cut_anywhere_is_cut_off_or_malformed_and_nothing_else) {
  for (const Case& one : cases()) {
    BOOST_TEST_CONTEXT(one.name) {
      for (std::size_t size = 0; size < one.packet.size(); ++size) {
        const Octets part(one.packet.begin(), one.packet.begin() + static_cast<std::ptrdiff_t>(size));
        const auto found = find_udp(one.link_type, part);
        if (found) BOOST_TEST((found->truncated() || found->destination.port != 9000));
      }
    }
  }
}

BOOST_AUTO_TEST_CASE(what_is_not_looked_into_is_named) {
  const Octets esp = ipv4_of(50, zeros(40));
  BOOST_TEST(word(find_udp(101, esp)) == "tunnel IPsec ESP");
  BOOST_TEST(word(find_udp(101, outer(4789, Octets{8, 0, 0, 0, 0, 0, 7, 0} + ether(0x0800, esp)))) ==
             "tunnel IPsec ESP");
  BOOST_TEST(word(find_udp(1, ether(0x88e5, zeros(40)))) == "tunnel MACsec");
  BOOST_TEST(word(find_udp(101, ipv4_of(47, be(0x4000, 2) + be(0x0800, 2) + inner()))) == "tunnel GRE");
  BOOST_TEST(word(find_udp(105, Octets{0x08, 0x41} + zeros(60))) == "tunnel encrypted 802.11");
  BOOST_TEST(word(find_udp(105, Octets{0x88, 0x01} + zeros(22) + Octets{0x80} + zeros(60))) == "tunnel 802.11 A-MSDU");
  BOOST_TEST(word(find_udp(147, inner())) == "link type");
}

BOOST_AUTO_TEST_CASE(tunnels_are_not_followed_without_end) {
  Octets packet = inner();
  for (int i = 0; i < 40; ++i) packet = ipv4_of(4, packet);
  BOOST_TEST(word(find_udp(101, packet)) == "tunnel tunnels nested too deep");
  Octets tags;
  for (int i = 0; i < 1000; ++i) tags = tags + be(1, 2) + be(0x8100, 2);
  BOOST_TEST(word(find_udp(1, ether(0x8100, tags))) == "tunnel tunnels nested too deep");
}

BOOST_AUTO_TEST_CASE(a_datagram_that_is_not_what_its_port_says_stays_a_datagram) {
  for (const std::uint16_t port : {4789, 6081, 2152, 4754, 6635, 4790, 8472}) {
    const auto found = find_udp(101, outer(port, kInnerPayload));
    BOOST_TEST(word(found) == "found");
    BOOST_TEST(found->destination.port == port);
  }
  BOOST_TEST(word(find_udp(101, outer(2152, Octets{0x30, 1} + zeros(10)))) == "other");  // an echo request
}

BOOST_AUTO_TEST_CASE(what_is_in_a_tunnel_and_is_no_udp_is_another_protocol) {
  BOOST_TEST(word(find_udp(101, ipv4_of(4, ipv4_of(6, zeros(20))))) == "other");
  BOOST_TEST(word(find_udp(105, Octets{0xd4, 0} + zeros(8))) == "other");  // an 802.11 acknowledgement
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace mxp::dump
