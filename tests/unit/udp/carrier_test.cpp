// The carriers over loopback: what goes in comes out, with what the kernel knows beside it.
#include <fmt/format.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <boost/test/unit_test.hpp>

#include "udp/socket_address.h"
#include "unit/udp/udp_support.h"

namespace mxp::test {
namespace {

bool has_ipv6() {
  auto made = make_portable_carrier({.bind = *SocketAddress::parse("[::1]:0")});
  return made.has_value();
}

}  // namespace

BOOST_AUTO_TEST_SUITE(carrier)

BOOST_AUTO_TEST_CASE(every_kind_delivers_to_every_kind_what_was_sent_and_how_it_was_cut) {
  struct Case {
    std::size_t bytes;
    std::size_t segment;
  };
  const Case cases[] = {
      {1, 1},         {1200, 1200}, {1201, 1200}, {46 * 1400 + 7, 1400}, {64 * 1000, 1000}, {100 * 1200, 1200},
      {65507, 65507}, {300, 3}};
  for (const Kind from : kKinds) {
    for (const Kind to : kKinds) {
      auto sender = make(from);
      auto receiver = make(to);
      for (const Case& c : cases) {
        BOOST_TEST_CONTEXT(fmt::format("{} to {}, {} bytes by {}", name_of(from), name_of(to), c.bytes, c.segment)) {
          const Datagram sent = pattern(c.bytes);
          OutgoingRun run = run_to(receiver->local_address(), sent, c.segment);
          BOOST_TEST((sender->send({&run, 1}) == SendStatus::all_sent));
          BOOST_TEST(run.bytes.empty());
          const auto expected = split(sent, c.segment);
          const auto arrived = receive_count(*receiver, expected.size());
          BOOST_TEST((bytes_of(arrived) == expected));
          for (const Arrived& one : arrived) BOOST_TEST((one.remote == sender->local_address()));
        }
      }
      BOOST_TEST(sender->stats().datagrams_sent == receiver->stats().datagrams_received);
      BOOST_TEST(sender->stats().bytes_sent == receiver->stats().bytes_received);
    }
  }
}

BOOST_AUTO_TEST_CASE(a_run_is_one_system_call_with_gso_and_one_receive_slot_with_gro) {
  auto sender = make(Kind::linux_offload);
  auto receiver = make(Kind::linux_offload);
  BOOST_REQUIRE(sender->capabilities().gso);
  BOOST_REQUIRE(receiver->capabilities().gro);
  const Datagram sent = pattern(40 * 1400 + 100);
  OutgoingRun run = run_to(receiver->local_address(), sent, 1400);
  sender->send({&run, 1});
  BOOST_TEST(sender->stats().send_calls == 1u);
  BOOST_TEST(sender->stats().datagrams_sent == 41u);
  BOOST_REQUIRE(wait_for(*receiver, POLLIN));
  const ReceiveResult result = receiver->receive();
  BOOST_REQUIRE_EQUAL(result.runs.size(), 1u);
  BOOST_TEST(result.runs[0].bytes.size() == sent.size());
  BOOST_TEST(result.runs[0].segment_size == 1400u);
  BOOST_TEST((result.status == ReceiveStatus::drained));
}

BOOST_AUTO_TEST_CASE(runs_to_several_peers_leave_in_one_call) {
  auto sender = make(Kind::linux_offload);
  std::vector<std::unique_ptr<Carrier>> receivers;
  std::vector<Datagram> sent;
  std::vector<OutgoingRun> runs;
  for (std::uint32_t i = 0; i < 5; ++i) {
    receivers.push_back(make(Kind::linux_offload));
    sent.push_back(pattern(500 + i, i));
  }
  for (std::size_t i = 0; i < 5; ++i) runs.push_back(run_to(receivers[i]->local_address(), sent[i], 200));
  BOOST_TEST((sender->send(runs) == SendStatus::all_sent));
  BOOST_TEST(sender->stats().send_calls == 1u);
  for (std::size_t i = 0; i < 5; ++i) BOOST_TEST((bytes_of(receive_count(*receivers[i], 3)) == split(sent[i], 200)));
}

BOOST_AUTO_TEST_CASE(a_full_set_of_slots_says_that_there_may_be_more) {
  auto sender = make(Kind::linux_plain);
  auto receiver = make(Kind::linux_plain);
  const Datagram sent = pattern((kReceiveBuffers + 3) * 100);
  OutgoingRun run = run_to(receiver->local_address(), sent, 100);
  sender->send({&run, 1});
  const ReceiveResult first = receiver->receive();
  BOOST_TEST(first.runs.size() == kReceiveBuffers);
  BOOST_TEST((first.status == ReceiveStatus::more));
  const ReceiveResult second = receiver->receive();
  BOOST_TEST(second.runs.size() == 3u);
  BOOST_TEST((second.status == ReceiveStatus::drained));
}

BOOST_AUTO_TEST_CASE(an_empty_datagram_arrives_as_one) {
  for (const Kind kind : kKinds) {
    auto sender = make(Kind::portable);
    auto receiver = make(kind);
    const auto to = to_system(receiver->local_address(), AddressFamily::ipv4);
    BOOST_REQUIRE(::sendto(sender->fd(), "", 0, 0, &to->any, to->size) == 0);
    const auto arrived = receive_count(*receiver, 1);
    BOOST_REQUIRE(arrived.size() == 1u);
    BOOST_TEST(arrived[0].bytes.empty());
    BOOST_TEST(receiver->stats().datagrams_received == 1u);
  }
}

BOOST_AUTO_TEST_CASE(the_address_that_was_asked_is_told_and_answers) {
  for (const Kind kind : {Kind::linux_offload, Kind::linux_plain}) {
    auto server = make(kind, kAnyIpv4);
    BOOST_REQUIRE(server->capabilities().packet_info);
    auto client = make(Kind::portable);
    SocketAddress asked = SocketAddress::ipv4(127, 0, 0, 2, server->local_address().port);
    const Datagram question = pattern(3 * 300);
    OutgoingRun out = run_to(asked, question, 300);
    client->send({&out, 1});
    const auto arrived = receive_count(*server, 3);
    BOOST_REQUIRE(arrived.size() == 3u);
    BOOST_TEST((arrived[0].local == asked));
    OutgoingRun back = run_to(arrived[0].remote, question, 300);
    back.to.local = arrived[0].local;
    BOOST_TEST((server->send({&back, 1}) == SendStatus::all_sent));
    const auto answer = receive_count(*client, 3);
    BOOST_REQUIRE(answer.size() == 3u);
    BOOST_TEST((answer[0].remote == asked));
  }
}

BOOST_AUTO_TEST_CASE(a_socket_with_one_address_knows_it_without_being_told) {
  for (const Kind kind : kKinds) {
    auto sender = make(Kind::portable);
    auto receiver = make(kind);
    BOOST_TEST(receiver->capabilities().packet_info);
    const Datagram sent = pattern(10);
    OutgoingRun run = run_to(receiver->local_address(), sent, 10);
    sender->send({&run, 1});
    const auto arrived = receive_count(*receiver, 1);
    BOOST_REQUIRE(arrived.size() == 1u);
    BOOST_TEST((arrived[0].local == receiver->local_address()));
  }
}

BOOST_AUTO_TEST_CASE(ecn_bits_are_read) {
  struct Case {
    int tos;
    Ecn expected;
  };
  const Case cases[] = {{0, Ecn::not_ect}, {1, Ecn::ect1}, {2, Ecn::ect0}, {3, Ecn::ce}, {0xb8 | 3, Ecn::ce}};
  auto receiver = make(Kind::linux_offload);
  BOOST_REQUIRE(receiver->capabilities().ecn);
  for (const Case& c : cases) {
    auto sender = make(Kind::portable);
    BOOST_REQUIRE(::setsockopt(sender->fd(), IPPROTO_IP, IP_TOS, &c.tos, sizeof(c.tos)) == 0);
    const Datagram sent = pattern(10);
    OutgoingRun run = run_to(receiver->local_address(), sent, 10);
    sender->send({&run, 1});
    const auto arrived = receive_count(*receiver, 1);
    BOOST_REQUIRE(arrived.size() == 1u);
    BOOST_TEST((arrived[0].ecn == c.expected), "TOS " << c.tos);
  }
}

BOOST_AUTO_TEST_CASE(datagrams_with_other_ecn_bits_do_not_share_a_run) {
  auto receiver = make(Kind::linux_offload);
  auto sender = make(Kind::portable);
  const Datagram sent = pattern(100);
  for (const int tos : {2, 3, 2}) {
    BOOST_REQUIRE(::setsockopt(sender->fd(), IPPROTO_IP, IP_TOS, &tos, sizeof(tos)) == 0);
    OutgoingRun run = run_to(receiver->local_address(), sent, 100);
    sender->send({&run, 1});
  }
  const auto arrived = receive_count(*receiver, 3);
  BOOST_REQUIRE(arrived.size() == 3u);
  BOOST_TEST((arrived[0].ecn == Ecn::ect0));
  BOOST_TEST((arrived[1].ecn == Ecn::ce));
  BOOST_TEST((arrived[2].ecn == Ecn::ect0));
}

BOOST_AUTO_TEST_CASE(ipv6_carries_the_same_way) {
  if (!has_ipv6()) {
    BOOST_TEST_MESSAGE("no IPv6 on this machine: not tried");
    return;
  }
  auto server = make(Kind::linux_offload, *SocketAddress::parse("[::]:0"));
  auto client = make(Kind::linux_offload, *SocketAddress::parse("[::1]:0"));
  const SocketAddress asked = *SocketAddress::parse(fmt::format("[::1]:{}", server->local_address().port));
  const int tos = 2;
  BOOST_REQUIRE(::setsockopt(client->fd(), IPPROTO_IPV6, IPV6_TCLASS, &tos, sizeof(tos)) == 0);
  const Datagram sent = pattern(10 * 1200 + 1);
  OutgoingRun run = run_to(asked, sent, 1200);
  client->send({&run, 1});
  const auto arrived = receive_count(*server, 11);
  BOOST_REQUIRE((bytes_of(arrived) == split(sent, 1200)));
  BOOST_TEST((arrived[0].remote == client->local_address()));
  BOOST_TEST((arrived[0].local == asked));
  BOOST_TEST((arrived[0].ecn == Ecn::ect0));
  OutgoingRun back = run_to(arrived[0].remote, sent, 1200);
  back.to.local = arrived[0].local;
  server->send({&back, 1});
  BOOST_TEST((bytes_of(receive_count(*client, 11)) == split(sent, 1200)));
}

BOOST_AUTO_TEST_CASE(a_socket_on_all_ipv6_addresses_serves_ipv4_peers_under_their_ipv4_addresses) {
  if (!has_ipv6()) {
    BOOST_TEST_MESSAGE("no IPv6 on this machine: not tried");
    return;
  }
  auto server = make(Kind::linux_offload, *SocketAddress::parse("[::]:0"));
  auto client = make(Kind::portable);
  const int tos = 3;
  BOOST_REQUIRE(::setsockopt(client->fd(), IPPROTO_IP, IP_TOS, &tos, sizeof(tos)) == 0);
  const SocketAddress asked = SocketAddress::ipv4(127, 0, 0, 3, server->local_address().port);
  const Datagram sent = pattern(2 * 700);
  OutgoingRun run = run_to(asked, sent, 700);
  client->send({&run, 1});
  const auto arrived = receive_count(*server, 2);
  BOOST_REQUIRE(arrived.size() == 2u);
  BOOST_TEST((arrived[0].remote == client->local_address()));
  BOOST_TEST((arrived[0].local == asked));
  BOOST_TEST((arrived[0].ecn == Ecn::ce));
  OutgoingRun back = run_to(arrived[0].remote, sent, 700);
  back.to.local = arrived[0].local;
  BOOST_TEST((server->send({&back, 1}) == SendStatus::all_sent));
  const auto answer = receive_count(*client, 2);
  BOOST_REQUIRE((bytes_of(answer) == split(sent, 700)));
  BOOST_TEST((answer[0].remote == asked));
}

BOOST_AUTO_TEST_CASE(an_ipv6_peer_of_an_ipv4_socket_is_dropped_and_counted) {
  for (const Kind kind : kKinds) {
    auto sender = make(kind);
    const Datagram sent = pattern(2 * 100);
    OutgoingRun run = run_to(*SocketAddress::parse("[::1]:9"), sent, 100);
    BOOST_TEST((sender->send({&run, 1}) == SendStatus::all_sent));
    BOOST_TEST(run.bytes.empty());
    BOOST_TEST(sender->stats().dropped_on_error == 2u);
  }
}

BOOST_AUTO_TEST_CASE(nobody_listening_is_reported_with_the_address) {
  std::vector<SocketAddress> hosts = {kLoopback};
  if (has_ipv6()) hosts.push_back(*SocketAddress::parse("[::1]:0"));
  for (const SocketAddress& host : hosts) {
    for (const Kind kind : {Kind::linux_offload, Kind::linux_plain}) {
      auto sender = make(kind, host);
      auto receiver = make(kind, host);
      SocketAddress closed;
      {
        auto gone = make(Kind::portable, host);
        closed = gone->local_address();
      }
      const Datagram sent = pattern(300);
      OutgoingRun lost = run_to(closed, sent, 100);
      sender->send({&lost, 1});
      // A datagram to somebody who is there does not suffer from the report about the other.
      OutgoingRun good = run_to(receiver->local_address(), sent, 100);
      BOOST_TEST((sender->send({&good, 1}) == SendStatus::all_sent));
      BOOST_TEST((bytes_of(receive_count(*receiver, 3)) == split(sent, 100)));
      std::optional<SocketAddress> reported = sender->poll_unreachable();
      while (!reported && wait_for(*sender, POLLIN)) {
        sender->receive();
        reported = sender->poll_unreachable();
      }
      BOOST_REQUIRE(reported.has_value());
      BOOST_TEST((*reported == closed), reported->to_string());
      BOOST_TEST(!sender->poll_unreachable().has_value());
      BOOST_TEST(sender->stats().unreachable_reports >= 1u);
      BOOST_TEST(!wait_for(*sender, POLLIN, 0));  // nothing left to wake for
    }
  }
}

BOOST_AUTO_TEST_CASE(a_datagram_too_big_is_dropped_and_counted_and_the_next_goes_out) {
  for (const Kind kind : kKinds) {
    auto sender = make(kind);
    auto receiver = make(kind);
    const Datagram big = pattern(65508);
    const Datagram small = pattern(100);
    OutgoingRun runs[] = {run_to(receiver->local_address(), big, 65508), run_to(receiver->local_address(), small, 100)};
    BOOST_TEST((sender->send(runs) == SendStatus::all_sent));
    BOOST_TEST(sender->stats().dropped_too_big == 1u);
    BOOST_TEST(sender->stats().datagrams_sent == 1u);
    BOOST_TEST((bytes_of(receive_count(*receiver, 1)) == std::vector<Datagram>{small}));
  }
}

BOOST_AUTO_TEST_CASE(a_datagram_larger_than_the_slot_is_dropped_and_counted) {
  for (const Kind kind : {Kind::portable, Kind::linux_plain}) {
    auto sender = make(Kind::portable);
    auto receiver = make(kind, SocketConfig{.bind = kLoopback}, system_calls(), 1000);
    for (const std::size_t size : {1001u, 1000u}) {
      const Datagram sent = pattern(size);
      OutgoingRun run = run_to(receiver->local_address(), sent, size);
      sender->send({&run, 1});
    }
    const auto arrived = receive_count(*receiver, 1);
    BOOST_REQUIRE(arrived.size() == 1u);
    BOOST_TEST(arrived[0].bytes.size() == 1000u);
    BOOST_TEST(receiver->stats().received_truncated == 1u);
  }
}

BOOST_AUTO_TEST_CASE(what_the_kernel_drops_for_want_of_buffer_is_counted) {
  auto sender = make(Kind::portable);
  auto receiver = make(Kind::linux_plain, SocketConfig{.bind = kLoopback, .buffer_bytes = 16 * 1024});
  constexpr std::size_t kSent = 400;
  const Datagram sent = pattern(1000);
  std::vector<Arrived> arrived;
  for (std::size_t i = 0; i < kSent; ++i) {
    OutgoingRun run = run_to(receiver->local_address(), sent, 1000);
    sender->send({&run, 1});
  }
  while (wait_for(*receiver, POLLIN, 0)) receive_now(*receiver, arrived);
  BOOST_REQUIRE(arrived.size() < kSent);
  OutgoingRun run = run_to(receiver->local_address(), sent, 1000);
  sender->send({&run, 1});  // the count comes with the next datagram that finds room
  BOOST_REQUIRE(wait_for(*receiver, POLLIN));
  receive_now(*receiver, arrived);
  BOOST_TEST(receiver->stats().receive_overflows == kSent + 1 - arrived.size());
}

BOOST_AUTO_TEST_CASE(the_buffers_granted_are_read_back) {
  for (const Kind kind : kKinds) {
    auto small = make(kind, SocketConfig{.bind = kLoopback, .buffer_bytes = 64 * 1024});
    BOOST_TEST(small->capabilities().receive_buffer_bytes == 64u * 1024);
    BOOST_TEST(small->capabilities().send_buffer_bytes == 64u * 1024);
  }
}

BOOST_AUTO_TEST_CASE(a_port_in_use_is_an_error_that_names_it) {
  for (const Kind kind : {Kind::portable, Kind::linux_offload}) {
    auto first = make(kind);
    const SocketConfig same{.bind = first->local_address()};
    auto second = kind == Kind::portable ? make_portable_carrier(same) : make_linux_carrier(same);
    BOOST_REQUIRE(!second.has_value());
    BOOST_TEST(second.error().code == EADDRINUSE);
    BOOST_TEST(second.error().message == "bind " + first->local_address().to_string() + ": Address already in use");
  }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace mxp::test
