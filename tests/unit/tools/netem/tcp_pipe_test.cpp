// One direction of a relayed TCP connection, between two pairs of sockets.
#include "mxp-netem/tcp/tcp_pipe.h"

#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <boost/test/unit_test.hpp>
#include <vector>

#include "udp/unique_fd.h"

using namespace mxp;
using namespace mxp::tools;

namespace {

struct StreamPair {
  StreamPair() {
    std::array<int, 2> fds{};
    BOOST_REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds.data()) == 0);
    near = UniqueFd(fds[0]);
    far = UniqueFd(fds[1]);
  }
  UniqueFd near;
  UniqueFd far;
};

}  // namespace

BOOST_AUTO_TEST_SUITE(tcp_pipe)

// The reader never empties what waits for it, so there is always a rest.
BOOST_AUTO_TEST_CASE(behind_a_slow_reader_no_more_is_held_than_waits) {
  StreamPair sender;
  StreamPair receiver;
  TcpPipe pipe(netem::LinkSpec{}, 1, netem::Direction::up, 0);
  std::vector<std::uint8_t> sent(64 * 1024);
  std::vector<std::uint8_t> got(32 * 1024);
  std::uint8_t next_sent = 0;
  std::uint8_t next_got = 0;
  std::size_t most = 0;
  std::size_t carried = 0;
  for (int round = 0; carried < 3 * 2 * TcpPipe::kMostHeld && round < 100'000; ++round) {
    const Timestamp now{std::chrono::milliseconds(round)};
    while (pipe.wants_input()) {
      for (std::size_t i = 0; i < sent.size(); ++i) sent[i] = static_cast<std::uint8_t>(next_sent + i * 7);
      const ssize_t size = ::send(sender.far.get(), sent.data(), sent.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
      if (size > 0) next_sent = static_cast<std::uint8_t>(next_sent + size * 7);
      BOOST_REQUIRE(pipe.read_from(sender.near.get(), now));
    }
    BOOST_REQUIRE(pipe.write_to(receiver.near.get(), now));
    BOOST_REQUIRE(pipe.wants_output());
    most = std::max(most, pipe.buffered());
    const ssize_t size = ::recv(receiver.far.get(), got.data(), got.size(), MSG_DONTWAIT);
    for (ssize_t i = 0; i < size; ++i, next_got = static_cast<std::uint8_t>(next_got + 7))
      BOOST_REQUIRE(got[static_cast<std::size_t>(i)] == next_got);
    if (size > 0) carried += static_cast<std::size_t>(size);
  }
  BOOST_TEST(carried >= 3 * 2 * TcpPipe::kMostHeld);
  constexpr std::size_t kOneRead = 64 * 1024;
  BOOST_TEST(most <= 2 * (TcpPipe::kMostHeld + kOneRead));
}

BOOST_AUTO_TEST_SUITE_END()
