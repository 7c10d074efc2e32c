// The mark that a run is given is the mark that its datagrams arrive with, and a kernel that refuses marks costs no
// datagram.
#include <fmt/format.h>
#include <netinet/in.h>
#include <netinet/udp.h>

#include <boost/test/unit_test.hpp>
#include <cerrno>
#include <optional>

#include "unit/udp/udp_support.h"

namespace mxp::test {
namespace {

constexpr std::size_t kMarkedSegment = 1200;
constexpr Ecn kMarks[] = {Ecn::ect0, Ecn::ce, Ecn::not_ect, Ecn::ect1, Ecn::ect0};

OutgoingRun marked_run(const SocketAddress& to, ByteView bytes, Ecn ecn) {
  OutgoingRun run = run_to(to, bytes, kMarkedSegment);
  run.to.ecn = ecn;
  return run;
}

// Sends a run of eleven datagrams and returns the mark that all of them arrived with.
std::optional<Ecn> mark_after_the_way(Carrier& sender, Carrier& receiver, const SocketAddress& to, Ecn ecn) {
  const Datagram sent = pattern(10 * kMarkedSegment + 1);
  OutgoingRun run = marked_run(to, sent, ecn);
  if (sender.send({&run, 1}) != SendStatus::all_sent) return std::nullopt;
  const auto arrived = receive_count(receiver, 11);
  if (bytes_of(arrived) != split(sent, kMarkedSegment)) return std::nullopt;
  for (const Arrived& one : arrived) {
    if (one.ecn != arrived[0].ecn) return std::nullopt;
  }
  return arrived[0].ecn;
}

bool carries_mark(const msghdr& message) { return has_control(message, IPPROTO_IP, IP_TOS); }
bool carries_segments(const msghdr& message) { return has_control(message, SOL_UDP, UDP_SEGMENT); }

}  // namespace

BOOST_AUTO_TEST_SUITE(ecn_marks)

BOOST_AUTO_TEST_CASE(what_is_sent_with_a_mark_arrives_with_it) {
  struct Way {
    const char* name;
    const char* sender;
    const char* receiver;
    const char* to;
  };
  const Way ways[] = {{"IPv4", "127.0.0.1:0", "127.0.0.1:0", "127.0.0.1"},
                      {"IPv6", "[::1]:0", "[::1]:0", "[::1]"},
                      {"IPv4 from a socket of both", "[::]:0", "127.0.0.1:0", "127.0.0.1"},
                      {"a mapped address", "[::]:0", "127.0.0.1:0", "[::ffff:127.0.0.1]"},
                      {"IPv4 to a socket of both", "127.0.0.1:0", "[::]:0", "127.0.0.1"}};
  for (const Way& way : ways) {
    for (const Kind from : kKinds) {
      for (const Kind to : {Kind::linux_offload, Kind::linux_plain}) {
        const SocketConfig sender_config{.bind = *SocketAddress::parse(way.sender)};
        if (sender_config.bind.family == AddressFamily::ipv6 && !make_portable_carrier(sender_config)) {
          BOOST_TEST_MESSAGE("no IPv6 on this machine: not tried");
          continue;
        }
        auto sender = make(from, sender_config);
        auto receiver = make(to, *SocketAddress::parse(way.receiver));
        const SocketAddress target =
            *SocketAddress::parse(fmt::format("{}:{}", way.to, receiver->local_address().port));
        for (const Ecn mark : kMarks) {
          BOOST_TEST_CONTEXT(
              fmt::format("{}, {} to {}, mark {}", way.name, name_of(from), name_of(to), static_cast<int>(mark))) {
            const auto arrived = mark_after_the_way(*sender, *receiver, target, mark);
            BOOST_REQUIRE(arrived.has_value());
            BOOST_TEST((*arrived == mark), "arrived with " << static_cast<int>(*arrived));
          }
        }
        BOOST_TEST(sender->stats().ecn_failures == 0u);
      }
    }
  }
}

BOOST_AUTO_TEST_CASE(a_marked_run_is_still_one_system_call) {
  auto sender = make(Kind::linux_offload);
  auto receiver = make(Kind::linux_offload);
  BOOST_TEST((mark_after_the_way(*sender, *receiver, receiver->local_address(), Ecn::ect0) == Ecn::ect0));
  BOOST_TEST(sender->stats().send_calls == 1u);
}

BOOST_AUTO_TEST_CASE(a_kernel_that_refuses_marks_gets_the_datagrams_without_them) {
  for (const Kind kind : {Kind::linux_offload, Kind::linux_plain}) {
    for (const int code : {EINVAL, EPERM}) {
      BOOST_TEST_CONTEXT(fmt::format("{}, {}", name_of(kind), code)) {
        FaultySyscalls faulty;
        std::size_t refusals = 0;
        faulty.refuses = [&](const msghdr& message) {
          if (!carries_mark(message)) return 0;
          ++refusals;
          return code;
        };
        auto sender = make(kind, kLoopback, faulty);
        auto receiver = make(Kind::linux_offload);
        for (int round = 0; round < 3; ++round) {
          const auto arrived = mark_after_the_way(*sender, *receiver, receiver->local_address(), Ecn::ect0);
          BOOST_TEST((arrived == Ecn::not_ect));
        }
        BOOST_TEST(refusals <= 6u);  // three times as a run and, if segments may have been the reason, alone
        BOOST_TEST(sender->stats().ecn_failures == 1u);
        BOOST_TEST(sender->stats().gso_failures == 0u);
        BOOST_TEST(sender->capabilities().gso == (kind == Kind::linux_offload));
        BOOST_TEST(sender->stats().datagrams_sent == 33u);
      }
    }
  }
}

BOOST_AUTO_TEST_CASE(a_kernel_that_refuses_marks_and_segments_gets_neither) {
  FaultySyscalls faulty;
  faulty.refuses = [](const msghdr& message) {
    return carries_mark(message) || carries_segments(message) ? EINVAL : 0;
  };
  auto sender = make(Kind::linux_offload, kLoopback, faulty);
  auto receiver = make(Kind::linux_offload);
  for (int round = 0; round < 4; ++round) {
    BOOST_TEST((mark_after_the_way(*sender, *receiver, receiver->local_address(), Ecn::ect0) == Ecn::not_ect));
  }
  BOOST_TEST(sender->stats().ecn_failures == 1u);
  BOOST_TEST(sender->stats().gso_failures == 1u);
}

BOOST_AUTO_TEST_CASE(a_datagram_refused_for_another_reason_takes_no_marks_with_it) {
  for (const Kind kind : {Kind::linux_offload, Kind::linux_plain}) {
    FaultySyscalls faulty;
    auto sender = make(kind, kLoopback, faulty);
    auto receiver = make(Kind::linux_offload);
    faulty.refuses = [](const msghdr&) { return EPERM; };  // a firewall, for a while
    const Datagram lost = pattern(300);
    OutgoingRun run = marked_run(receiver->local_address(), lost, Ecn::ect0);
    BOOST_TEST((sender->send({&run, 1}) == SendStatus::all_sent));
    BOOST_TEST(sender->stats().dropped_on_error == 1u);
    faulty.refuses = [](const msghdr&) { return 0; };
    BOOST_TEST((mark_after_the_way(*sender, *receiver, receiver->local_address(), Ecn::ect0) == Ecn::ect0));
    BOOST_TEST(sender->stats().ecn_failures == 0u);
  }
}

// A firewall that refuses one datagram in a while: what comes next happens to be the same datagram without its mark.
BOOST_AUTO_TEST_CASE(refusals_that_only_seem_to_be_for_the_mark_do_not_end_marks) {
  for (const Kind kind : {Kind::linux_offload, Kind::linux_plain}) {
    FaultySyscalls faulty;
    std::size_t refusals_to_come = 0;
    faulty.refuses = [&](const msghdr&) {
      if (refusals_to_come == 0) return 0;
      --refusals_to_come;
      return EPERM;
    };
    auto sender = make(kind, kLoopback, faulty);
    auto receiver = make(Kind::linux_offload);
    for (int round = 0; round < 10; ++round) {
      refusals_to_come = 1;
      const Datagram one = pattern(300);
      OutgoingRun run = marked_run(receiver->local_address(), one, Ecn::ect0);
      BOOST_TEST((sender->send({&run, 1}) == SendStatus::all_sent));
      const auto arrived = receive_count(*receiver, 1);
      BOOST_REQUIRE(arrived.size() == 1u);
      BOOST_TEST((arrived[0].ecn == Ecn::not_ect));  // it did pass without its mark
      BOOST_TEST((mark_after_the_way(*sender, *receiver, receiver->local_address(), Ecn::ect0) == Ecn::ect0));
    }
    BOOST_TEST(sender->stats().ecn_failures == 0u);
    BOOST_TEST(sender->stats().dropped_on_error == 0u);
  }
}

BOOST_AUTO_TEST_CASE(a_socket_that_takes_no_mark_is_asked_once) {
  FaultySyscalls faulty;
  std::size_t asked = 0;
  faulty.lacks = [&](int level, int name) {
    const bool mark = level == IPPROTO_IP && name == IP_TOS;
    asked += mark ? 1 : 0;
    return mark;
  };
  auto sender = make(Kind::portable, kLoopback, faulty);
  auto receiver = make(Kind::linux_offload);
  for (const Ecn mark : kMarks) {
    BOOST_TEST((mark_after_the_way(*sender, *receiver, receiver->local_address(), mark) == Ecn::not_ect));
  }
  BOOST_TEST(asked == 1u);
  BOOST_TEST(sender->stats().ecn_failures == 1u);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace mxp::test
