// Threat t43: every system call of the carriers fails in every way at every place. Nothing is lost that the kernel did
// not refuse for good, nothing is sent twice, and no error makes the carrier spin.
#include <fmt/format.h>
#include <netinet/in.h>
#include <netinet/udp.h>

#include <boost/test/unit_test.hpp>
#include <cerrno>
#include <cstring>
#include <numeric>

#include "unit/udp/udp_support.h"

namespace mxp::test {
namespace {

using Call = FaultySyscalls::Call;

constexpr std::size_t kSegment = 1000;

// A batch of six runs, 22 datagrams in all; the last of the first run is short.
struct Batch {
  std::vector<Datagram> payloads;
  std::vector<Datagram> datagrams;
  std::vector<OutgoingRun> runs;

  explicit Batch(const SocketAddress& to) {
    std::uint32_t seed = 0;
    for (const std::size_t bytes :
         {4 * kSegment + 10, kSegment, 8 * kSegment, std::size_t{20}, 5 * kSegment, 2 * kSegment}) {
      payloads.push_back(pattern(bytes, ++seed));
    }
    for (const Datagram& payload : payloads) {
      for (Datagram& one : split(payload, kSegment)) datagrams.push_back(std::move(one));
      runs.push_back(run_to(to, payload, kSegment));
    }
  }

  // Calls send() as the loop does: again when it may go on. Returns how often.
  std::size_t send_all(Carrier& carrier, std::size_t give_up_after) {
    std::size_t calls = 1;
    while (carrier.send(runs) != SendStatus::all_sent && calls < give_up_after) ++calls;
    return calls;
  }
};

}  // namespace

BOOST_AUTO_TEST_SUITE(carrier_faults)

BOOST_AUTO_TEST_CASE(a_send_that_fails_for_now_loses_nothing_wherever_it_happens) {
  for (const Kind kind : kKinds) {
    for (const int code : {EAGAIN, ENOBUFS, ENOMEM, EINTR, ECONNREFUSED}) {
      for (std::size_t nth = 0; nth < 24; ++nth) {
        BOOST_TEST_CONTEXT(fmt::format("{}, {}, call {}", name_of(kind), std::strerror(code), nth)) {
          FaultySyscalls faulty;
          faulty.fails = [&](Call call, std::size_t before) { return call == Call::send && before == nth ? code : 0; };
          auto sender = make(kind, kLoopback, faulty);
          auto receiver = make(Kind::linux_offload);
          Batch batch(receiver->local_address());
          BOOST_TEST(batch.send_all(*sender, 3) <= 2u);
          BOOST_TEST((bytes_of(receive_count(*receiver, batch.datagrams.size())) == batch.datagrams));
          BOOST_TEST(sender->stats().datagrams_sent == batch.datagrams.size());
          BOOST_TEST(sender->stats().dropped_on_error + sender->stats().dropped_too_big == 0u);
        }
      }
    }
  }
}

BOOST_AUTO_TEST_CASE(what_the_kernel_refuses_for_good_is_dropped_once_and_the_rest_goes_out) {
  for (const Kind kind : kKinds) {
    for (const int code : {EPERM, EACCES, ENETUNREACH, EHOSTUNREACH, EMSGSIZE, ENETDOWN}) {
      for (std::size_t nth = 0; nth < 22; ++nth) {
        BOOST_TEST_CONTEXT(fmt::format("{}, {}, call {}", name_of(kind), std::strerror(code), nth)) {
          FaultySyscalls faulty;
          faulty.fails = [&](Call call, std::size_t before) { return call == Call::send && before == nth ? code : 0; };
          auto sender = make(kind, kLoopback, faulty);
          auto receiver = make(Kind::linux_offload);
          Batch batch(receiver->local_address());
          BOOST_TEST(batch.send_all(*sender, 3) == 1u);
          const CarrierStats& stats = sender->stats();
          const std::uint64_t dropped = code == EMSGSIZE ? stats.dropped_too_big : stats.dropped_on_error;
          BOOST_TEST(stats.datagrams_sent + dropped == batch.datagrams.size());
          const auto arrived = bytes_of(receive_count(*receiver, stats.datagrams_sent));
          BOOST_TEST(arrived.size() == stats.datagrams_sent);
          // In order, and each at most once.
          auto next = batch.datagrams.begin();
          for (const Datagram& one : arrived) {
            next = std::find(next, batch.datagrams.end(), one);
            BOOST_REQUIRE(next != batch.datagrams.end());
            ++next;
          }
        }
      }
    }
  }
}

BOOST_AUTO_TEST_CASE(segments_that_the_kernel_refuses_go_out_one_by_one_and_gso_is_given_up) {
  for (const int code : {EIO, EINVAL}) {
    FaultySyscalls faulty;
    bool refuse_segments = true;
    std::size_t first = 0;
    faulty.fails = [&](Call call, std::size_t before) {
      if (call != Call::send || !refuse_segments || before != first) return 0;
      refuse_segments = false;
      return code;
    };
    auto sender = make(Kind::linux_offload, kLoopback, faulty);
    auto receiver = make(Kind::linux_offload);
    BOOST_REQUIRE(sender->capabilities().gso);
    Batch batch(receiver->local_address());
    BOOST_TEST((sender->send(batch.runs) == SendStatus::all_sent));
    BOOST_TEST((bytes_of(receive_count(*receiver, batch.datagrams.size())) == batch.datagrams));
    BOOST_TEST(sender->stats().gso_failures == 1u);
    BOOST_TEST(!sender->capabilities().gso);
    BOOST_TEST(sender->stats().datagrams_sent == batch.datagrams.size());
    // And it stays so: the next batch is not tried with segments.
    Batch second(receiver->local_address());
    sender->send(second.runs);
    BOOST_TEST((bytes_of(receive_count(*receiver, second.datagrams.size())) == second.datagrams));
    BOOST_TEST(sender->stats().gso_failures == 1u);
  }
}

BOOST_AUTO_TEST_CASE(segments_larger_than_the_interface_takes_are_dropped_without_giving_up_gso) {
  FaultySyscalls faulty;
  // What a kernel says to segments beyond the MTU, and then to the first of them alone.
  faulty.fails = [](Call call, std::size_t before) {
    if (call != Call::send) return 0;
    return before == 0 ? EINVAL : before <= 4 ? EMSGSIZE : 0;
  };
  auto sender = make(Kind::linux_offload, kLoopback, faulty);
  auto receiver = make(Kind::linux_offload);
  const Datagram sent = pattern(10 * kSegment);
  OutgoingRun big = run_to(receiver->local_address(), sent, kSegment);
  BOOST_TEST((sender->send({&big, 1}) == SendStatus::all_sent));
  BOOST_TEST(sender->stats().dropped_too_big == 10u);
  BOOST_TEST(sender->stats().gso_failures == 0u);
  BOOST_TEST(sender->capabilities().gso);
  OutgoingRun next = run_to(receiver->local_address(), sent, kSegment);
  sender->send({&next, 1});
  BOOST_TEST(receive_count(*receiver, 10).size() == 10u);
  BOOST_TEST(faulty.sends == 6u);
}

BOOST_AUTO_TEST_CASE(a_source_address_that_is_not_ours_drops_the_run_without_giving_up_gso) {
  auto sender = make(Kind::linux_offload, kAnyIpv4);
  auto receiver = make(Kind::linux_offload);
  const Datagram sent = pattern(5 * kSegment);
  OutgoingRun run = run_to(receiver->local_address(), sent, kSegment);
  run.to.local = SocketAddress::ipv4(192, 0, 2, 1, 0);
  BOOST_TEST((sender->send({&run, 1}) == SendStatus::all_sent));
  BOOST_TEST(run.bytes.empty());
  BOOST_TEST(sender->stats().dropped_on_error == 5u);
  BOOST_TEST(sender->stats().gso_failures == 0u);
  BOOST_TEST(sender->capabilities().gso);
}

BOOST_AUTO_TEST_CASE(an_error_that_never_ends_does_not_make_sending_spin) {
  for (const Kind kind : kKinds) {
    for (const int code :
         {EAGAIN, ENOBUFS, ENOMEM, EINTR, ECONNREFUSED, EPERM, ENETUNREACH, EMSGSIZE, EIO, EINVAL, EBADF}) {
      BOOST_TEST_CONTEXT(fmt::format("{}, {}", name_of(kind), std::strerror(code))) {
        FaultySyscalls faulty;
        faulty.fails = [&](Call call, std::size_t) { return call == Call::send ? code : 0; };
        auto sender = make(kind, kLoopback, faulty);
        Batch batch(kLoopback);
        const SendStatus status = sender->send(batch.runs);
        BOOST_TEST(faulty.sends <= 8 * batch.datagrams.size());
        std::size_t left = 0;
        for (const OutgoingRun& run : batch.runs)
          left += split(Datagram(run.bytes.begin(), run.bytes.end()), kSegment).size();
        const CarrierStats& stats = sender->stats();
        BOOST_TEST(left + stats.dropped_on_error + stats.dropped_too_big == batch.datagrams.size());
        const bool waits = code == EAGAIN || code == ENOBUFS || code == ENOMEM;
        if (waits) BOOST_TEST(left == batch.datagrams.size());
        if (code == EAGAIN) BOOST_TEST((status == SendStatus::wait_writable));
        if (code == ENOBUFS || code == ENOMEM) BOOST_TEST((status == SendStatus::wait_a_while));
      }
    }
  }
}

BOOST_AUTO_TEST_CASE(a_receive_that_fails_loses_nothing_wherever_it_happens) {
  for (const Kind kind : kKinds) {
    for (const int code : {EINTR, ECONNREFUSED, ENOMEM, ENOBUFS, EHOSTUNREACH, EIO}) {
      for (std::size_t nth = 0; nth < 4; ++nth) {
        BOOST_TEST_CONTEXT(fmt::format("{}, {}, call {}", name_of(kind), std::strerror(code), nth)) {
          FaultySyscalls faulty;
          faulty.fails = [&](Call call, std::size_t before) {
            return call == Call::receive && before == nth ? code : 0;
          };
          auto sender = make(Kind::linux_offload);
          auto receiver = make(kind, kLoopback, faulty);
          Batch batch(receiver->local_address());
          sender->send(batch.runs);
          BOOST_TEST((bytes_of(receive_count(*receiver, batch.datagrams.size())) == batch.datagrams));
        }
      }
    }
  }
}

BOOST_AUTO_TEST_CASE(an_error_that_never_ends_does_not_make_receiving_spin) {
  for (const Kind kind : kKinds) {
    for (const int code : {EINTR, ECONNREFUSED, ENOMEM, EIO, EBADF}) {
      BOOST_TEST_CONTEXT(fmt::format("{}, {}", name_of(kind), std::strerror(code))) {
        FaultySyscalls faulty;
        faulty.fails = [&](Call call, std::size_t) { return call == Call::receive ? code : 0; };
        auto carrier = make(kind, kLoopback, faulty);
        const ReceiveResult result = carrier->receive();
        BOOST_TEST(result.runs.empty());
        BOOST_TEST((result.status == ReceiveStatus::wait_a_while));
        BOOST_TEST(faulty.receives <= 8u);
      }
    }
  }
}

BOOST_AUTO_TEST_CASE(an_error_queue_that_cannot_be_read_is_left_alone_for_a_while) {
  FaultySyscalls faulty;
  faulty.fails = [](Call call, std::size_t) { return call == Call::error_queue ? EIO : 0; };
  auto carrier = make(Kind::linux_offload, kLoopback, faulty);
  BOOST_TEST((carrier->receive().status == ReceiveStatus::wait_a_while));
  BOOST_TEST(faulty.error_reads == 1u);
}

BOOST_AUTO_TEST_CASE(interrupted_reading_of_the_error_queue_ends) {
  FaultySyscalls faulty;
  faulty.fails = [](Call call, std::size_t) { return call == Call::error_queue ? EINTR : 0; };
  auto carrier = make(Kind::linux_offload, kLoopback, faulty);
  BOOST_TEST((carrier->receive().status == ReceiveStatus::drained));
  BOOST_TEST(faulty.error_reads <= 64u);
}

BOOST_AUTO_TEST_CASE(a_kernel_without_the_options_still_carries) {
  struct Case {
    const char* name;
    int level;
    int option;
    bool CarrierCapabilities::* missing;
  };
  const Case cases[] = {{"UDP_SEGMENT", SOL_UDP, UDP_SEGMENT, &CarrierCapabilities::gso},
                        {"UDP_GRO", SOL_UDP, UDP_GRO, &CarrierCapabilities::gro},
                        {"IP_PKTINFO", IPPROTO_IP, IP_PKTINFO, &CarrierCapabilities::packet_info},
                        {"IP_RECVTOS", IPPROTO_IP, IP_RECVTOS, &CarrierCapabilities::ecn}};
  for (const Case& c : cases) {
    BOOST_TEST_CONTEXT(c.name) {
      FaultySyscalls faulty;
      faulty.lacks = [&](int level, int name) { return level == c.level && name == c.option; };
      auto sender = make(Kind::linux_offload, kAnyIpv4, faulty);
      auto receiver = make(Kind::linux_offload, kAnyIpv4, faulty);
      BOOST_TEST(!(sender->capabilities().*c.missing));
      SocketAddress to = kLoopback;
      to.port = receiver->local_address().port;
      Batch batch(to);
      BOOST_TEST((sender->send(batch.runs) == SendStatus::all_sent));
      const auto arrived = receive_count(*receiver, batch.datagrams.size());
      BOOST_TEST((bytes_of(arrived) == batch.datagrams));
      BOOST_REQUIRE(!arrived.empty());
      const bool told = arrived[0].local != SocketAddress{};
      BOOST_TEST(told == receiver->capabilities().packet_info);
    }
  }
}

BOOST_AUTO_TEST_CASE(a_full_socket_keeps_the_rest_until_it_is_writable) {
  // A small send buffer over loopback fills only while the receiver does not free it: the datagrams count against the
  // sender until they are read or dropped, and the large receive buffer keeps them.
  auto sender = make(Kind::linux_plain, SocketConfig{.bind = kLoopback, .buffer_bytes = 32 * 1024});
  auto receiver = make(Kind::linux_plain);
  const Datagram sent = pattern(200 * kSegment);
  OutgoingRun run = run_to(receiver->local_address(), sent, kSegment);
  std::vector<Arrived> arrived;
  SendStatus status = sender->send({&run, 1});
  while (status != SendStatus::all_sent) {
    BOOST_REQUIRE((status == SendStatus::wait_writable));
    receive_now(*receiver, arrived);
    BOOST_REQUIRE(wait_for(*sender, POLLOUT));
    status = sender->send({&run, 1});
  }
  while (arrived.size() < 200 && wait_for(*receiver, POLLIN)) receive_now(*receiver, arrived);
  BOOST_TEST((bytes_of(arrived) == split(sent, kSegment)));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace mxp::test
