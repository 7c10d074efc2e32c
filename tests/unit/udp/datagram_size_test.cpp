// How large a datagram may be: what our own interface says, and nothing that comes over the network. A datagram that is
// too large costs itself and its equals, and its sender is told.
#include <arpa/inet.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <netinet/ip_icmp.h>

#include <array>
#include <boost/test/unit_test.hpp>

#include "unit/udp/network_namespace.h"
#include "unit/udp/udp_support.h"

namespace mxp::test {
namespace {

constexpr int kMtu = 1400;

int option_of(const Carrier& carrier, int level, int name) {
  int value = -1;
  socklen_t size = sizeof(value);
  BOOST_REQUIRE(::getsockopt(carrier.fd(), level, name, &value, &size) == 0);
  return value;
}

// ICMP "fragmentation needed, MTU 600" about a datagram of `size` bytes from `sender`, as anybody can send it who knows
// the addresses (RFC 792, RFC 1191 §4). For packets on the loopback interface of a namespace.
bool forge_fragmentation_needed(const SocketAddress& sender, const SocketAddress& receiver, std::size_t size) {
  std::array<std::uint8_t, 8 + 20 + 8> message{};
  const auto put16 = [&](std::size_t at, std::size_t value) {
    message[at] = static_cast<std::uint8_t>(value >> 8);
    message[at + 1] = static_cast<std::uint8_t>(value);
  };
  message[0] = ICMP_DEST_UNREACH;
  message[1] = ICMP_FRAG_NEEDED;
  put16(6, 600);
  message[8] = 0x45;
  put16(10, size + 28);
  put16(14, 0x4000);  // "don't fragment"
  message[16] = 64;
  message[17] = IPPROTO_UDP;
  std::copy_n(sender.ip.begin(), 4, message.begin() + 20);
  std::copy_n(receiver.ip.begin(), 4, message.begin() + 24);
  put16(28, sender.port);
  put16(30, receiver.port);
  put16(32, size + 8);
  std::uint32_t sum = 0;
  for (std::size_t i = 0; i < message.size(); i += 2)
    sum += static_cast<std::uint32_t>(message[i] << 8 | message[i + 1]);
  sum = (sum & 0xffff) + (sum >> 16);
  put16(2, ~((sum & 0xffff) + (sum >> 16)) & 0xffff);
  const UniqueFd fd(::socket(AF_INET, SOCK_RAW | SOCK_CLOEXEC, IPPROTO_ICMP));
  sockaddr_in to{};
  to.sin_family = AF_INET;
  std::copy_n(sender.ip.begin(), 4, reinterpret_cast<std::uint8_t*>(&to.sin_addr));
  return ::sendto(fd.get(), message.data(), message.size(), 0, reinterpret_cast<sockaddr*>(&to), sizeof(to)) ==
         static_cast<ssize_t>(message.size());
}

bool told(Carrier& sender, const SocketAddress& remote, std::size_t size) {
  const auto refused = sender.poll_too_large();
  return refused && refused->remote == remote && refused->size == size && !sender.poll_too_large();
}

}  // namespace

BOOST_AUTO_TEST_SUITE(datagram_size)

BOOST_AUTO_TEST_CASE(the_kernel_is_told_to_neither_fragment_nor_remember_an_mtu) {
  for (const Kind kind : kKinds) {
    BOOST_TEST(option_of(*make(kind), IPPROTO_IP, IP_MTU_DISCOVER) == IP_PMTUDISC_PROBE);
    const SocketConfig both{.bind = *SocketAddress::parse("[::]:0")};
    if (!make_portable_carrier(both)) continue;
    auto carrier = make(kind, both);
    BOOST_TEST(option_of(*carrier, IPPROTO_IP, IP_MTU_DISCOVER) == IP_PMTUDISC_PROBE);
    BOOST_TEST(option_of(*carrier, IPPROTO_IPV6, IPV6_MTU_DISCOVER) == IPV6_PMTUDISC_PROBE);
    BOOST_TEST(option_of(*carrier, IPPROTO_IPV6, IPV6_DONTFRAG) == 1);
  }
}

BOOST_AUTO_TEST_CASE(loopback_takes_the_largest_datagram_that_udp_has) {
  for (const Kind kind : kKinds) {
    auto sender = make(kind);
    auto receiver = make(Kind::linux_offload);
    const Datagram largest = pattern(65507);
    OutgoingRun run = run_to(receiver->local_address(), largest, largest.size());
    BOOST_TEST((sender->send({&run, 1}) == SendStatus::all_sent));
    BOOST_TEST((bytes_of(receive_count(*receiver, 1)) == std::vector<Datagram>{largest}));
    BOOST_TEST(!sender->poll_too_large().has_value());
    const Datagram larger = pattern(65508);
    run = run_to(receiver->local_address(), larger, larger.size());
    BOOST_TEST((sender->send({&run, 1}) == SendStatus::all_sent));
    BOOST_TEST(told(*sender, receiver->local_address(), 65508));
  }
}

BOOST_AUTO_TEST_CASE(our_interface_decides_to_the_byte_and_shorter_datagrams_behind_go_out, *kNeedsNamespaces) {
  run_or_say_why_not([]() -> std::string {
    MXP_EXPECT(set_up_interface("lo", kMtu));
    for (const char* host : {"127.0.0.1:0", "[::1]:0"}) {
      const SocketAddress bind = *SocketAddress::parse(host);
      if (!make_portable_carrier({.bind = bind})) continue;
      const std::size_t fits = kMtu - (bind.family == AddressFamily::ipv6 ? 48 : 28);
      for (const Kind kind : kKinds) {
        auto sender = make(kind, bind);
        auto receiver = make(Kind::linux_offload, bind);
        const SocketAddress to = receiver->local_address();

        const Datagram small = pattern(5 * fits);
        OutgoingRun run = run_to(to, small, fits);
        MXP_EXPECT(sender->send({&run, 1}) == SendStatus::all_sent);
        MXP_EXPECT(bytes_of(receive_count(*receiver, 5)) == split(small, fits));
        MXP_EXPECT(!sender->poll_too_large());

        // Ten datagrams that are a byte too long and one of 500 bytes, between two runs that fit.
        const Datagram large = pattern(10 * (fits + 1) + 500);
        std::array<OutgoingRun, 3> runs{run_to(to, small, fits), run_to(to, large, fits + 1), run_to(to, small, fits)};
        const std::uint64_t calls = sender->stats().send_calls;
        MXP_EXPECT(sender->send(runs) == SendStatus::all_sent);
        MXP_EXPECT(sender->stats().send_calls - calls <= 15);  // and not some for each of those that were refused
        std::vector<Datagram> expected = split(small, fits);
        expected.push_back(split(large, fits + 1).back());
        for (const Datagram& one : split(small, fits)) expected.push_back(one);
        MXP_EXPECT(bytes_of(receive_count(*receiver, expected.size())) == expected);
        MXP_EXPECT(sender->stats().dropped_too_big == 10);
        MXP_EXPECT(sender->stats().dropped_on_error == 0);
        MXP_EXPECT(told(*sender, to, fits + 1));
        MXP_EXPECT(sender->stats().gso_failures == 0);
        MXP_EXPECT(sender->capabilities().gso == (kind == Kind::linux_offload));
      }
    }
    return "";
  });
}

BOOST_AUTO_TEST_CASE(a_veth_pair_decides_by_its_mtu, *kNeedsVeth) {
  run_or_say_why_not([]() -> std::string {
    if (!make_veth_pair()) return fmt::format("{}this kernel makes no veth pair", kSkipped);
    MXP_EXPECT(set_up_interface("veth0", kMtu, "10.9.0.1"));
    MXP_EXPECT(set_up_interface("veth1", kMtu));
    const SocketAddress to = SocketAddress::ipv4(10, 9, 0, 2, 9000);
    for (const Kind kind : kKinds) {
      auto sender = make(kind, kAnyIpv4);
      const Datagram fits = pattern(kMtu - 28);
      OutgoingRun run = run_to(to, fits, fits.size());
      MXP_EXPECT(sender->send({&run, 1}) == SendStatus::all_sent);
      MXP_EXPECT(sender->stats().datagrams_sent == 1);
      MXP_EXPECT(!sender->poll_too_large());
      const Datagram large = pattern(kMtu - 27);
      run = run_to(to, large, large.size());
      MXP_EXPECT(sender->send({&run, 1}) == SendStatus::all_sent);
      MXP_EXPECT(sender->stats().datagrams_sent == 1);
      MXP_EXPECT(told(*sender, to, kMtu - 27));
    }
    return "";
  });
}

// Threat t44.
BOOST_AUTO_TEST_CASE(a_forged_fragmentation_needed_changes_nothing, *kNeedsNamespaces) {
  run_or_say_why_not([]() -> std::string {
    MXP_EXPECT(set_up_interface("lo", kMtu));
    for (const Kind kind : kKinds) {
      auto sender = make(kind);
      auto receiver = make(Kind::linux_offload);
      const SocketAddress to = receiver->local_address();
      const std::size_t size = kMtu - 28;
      const Datagram sent = pattern(10 * size);
      for (int round = 0; round < 3; ++round) {
        MXP_EXPECT(forge_fragmentation_needed(sender->local_address(), to, size));
        OutgoingRun run = run_to(to, sent, size);
        MXP_EXPECT(sender->send({&run, 1}) == SendStatus::all_sent);
        MXP_EXPECT(bytes_of(receive_count(*receiver, 10)) == split(sent, size));
      }
      MXP_EXPECT(!sender->poll_too_large());
      MXP_EXPECT(sender->stats().dropped_too_big == 0);
      MXP_EXPECT(sender->stats().dropped_on_error == 0);
      MXP_EXPECT(sender->capabilities().gso == (kind == Kind::linux_offload));
      if (kind != Kind::portable) MXP_EXPECT(sender->stats().other_icmp_reports == 3);  // each of them did arrive
    }
    return "";
  });
}

// The same where its report finds no room, because what has arrived and was not read yet fills the socket: then nothing
// but the error is left.
BOOST_AUTO_TEST_CASE(t44_a_forged_fragmentation_needed_that_leaves_no_report_changes_nothing, *kNeedsNamespaces) {
  run_or_say_why_not([]() -> std::string {
    MXP_EXPECT(set_up_interface("lo", kMtu));
    for (const Kind kind : kKinds) {
      auto sender = make(kind);
      auto receiver = make(Kind::linux_offload);
      const SocketAddress to = receiver->local_address();
      int room = 0;
      socklen_t size_of_room = sizeof(room);
      MXP_EXPECT(::getsockopt(sender->fd(), SOL_SOCKET, SO_RCVBUF, &room, &size_of_room) == 0);
      const Datagram filling = pattern(1);  // the kernel counts 512 bytes or more for each
      for (int sent = 0; sent < room; sent += 500) {
        OutgoingRun run = run_to(sender->local_address(), filling, filling.size());
        MXP_EXPECT(receiver->send({&run, 1}) == SendStatus::all_sent);
      }
      MXP_EXPECT(forge_fragmentation_needed(sender->local_address(), to, kMtu - 28));
      const Datagram fits = pattern(kMtu - 28);
      OutgoingRun run = run_to(to, fits, fits.size());
      MXP_EXPECT(sender->send({&run, 1}) == SendStatus::all_sent);
      MXP_EXPECT(bytes_of(receive_count(*receiver, 1)) == std::vector<Datagram>{fits});
      MXP_EXPECT(!sender->poll_too_large());
      MXP_EXPECT(sender->stats().other_icmp_reports == 0);
      MXP_EXPECT(sender->stats().dropped_too_big == 0);
    }
    return "";
  });
}

BOOST_AUTO_TEST_CASE(an_error_of_size_that_passes_is_not_our_interface) {
  for (const Kind kind : {Kind::linux_offload, Kind::linux_plain}) {
    for (const std::size_t times : {1u, 3u, 4u}) {
      FaultySyscalls faulty;
      faulty.fails = [&](FaultySyscalls::Call call, std::size_t before) {
        return call == FaultySyscalls::Call::send && before < times ? EMSGSIZE : 0;
      };
      auto sender = make(kind, kLoopback, faulty);
      auto receiver = make(Kind::linux_offload);
      const Datagram one = pattern(1000);
      OutgoingRun run = run_to(receiver->local_address(), one, one.size());
      BOOST_TEST((sender->send({&run, 1}) == SendStatus::all_sent));
      BOOST_TEST(sender->poll_too_large().has_value() == (times == 4));
      BOOST_TEST(sender->stats().datagrams_sent == (times == 4 ? 0u : 1u));
    }
  }
}

BOOST_AUTO_TEST_CASE(of_many_refusals_the_smallest_size_for_each_address_is_told) {
  for (const Kind kind : kKinds) {
    FaultySyscalls faulty;
    faulty.fails = [](FaultySyscalls::Call call, std::size_t) {
      return call == FaultySyscalls::Call::send ? EMSGSIZE : 0;
    };
    auto sender = make(kind, kLoopback, faulty);
    const Datagram bytes = pattern(3000);
    for (std::uint16_t port = 1; port <= 100; ++port) {
      for (const std::size_t size : {2000u, 1000u, 3000u}) {
        OutgoingRun run = run_to(SocketAddress::ipv4(127, 0, 0, 1, port), ByteView(bytes).first(size), size);
        BOOST_TEST((sender->send({&run, 1}) == SendStatus::all_sent));
      }
    }
    std::size_t count = 0;
    while (const auto refused = sender->poll_too_large()) {
      ++count;
      BOOST_TEST(refused->size == 1000u);
    }
    BOOST_TEST(count == 32u);  // bounded
    BOOST_TEST(sender->stats().dropped_too_big == 300u);
  }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace mxp::test
