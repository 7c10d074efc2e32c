// A buffer that is too short for the datagrams that are due stops the program instead of losing them.
#include <boost/test/unit_test.hpp>
#include <csignal>

#include "support/death.h"
#include "support/host.h"

using namespace mxp;
using namespace mxp::test;

namespace {

// A client with its message 1 due, polled with a buffer of `size` bytes.
std::optional<Transmit> polled_with(std::size_t size) {
  Host client(default_client(), kClientAddress, 1);
  BOOST_REQUIRE(client.endpoint.connect(Timestamp(1s), kServerAddress, default_server().identity.public_key()));
  Bytes buffer(size);
  return client.endpoint.poll_transmit(Timestamp(1s), buffer);
}

}  // namespace

BOOST_AUTO_TEST_SUITE(transmit_buffer)

BOOST_AUTO_TEST_CASE(a_buffer_of_one_datagram_is_enough) {
  BOOST_TEST(polled_with(default_client().transport.max_udp_payload).has_value());
}

BOOST_AUTO_TEST_CASE(a_shorter_buffer_breaks_the_precondition) {
  for (const std::size_t size : {std::size_t{0}, default_client().transport.max_udp_payload - 1}) {
    const Death death = death_of([&] { polled_with(size); });
    BOOST_TEST(death.signal == SIGABRT);
    BOOST_TEST(death.said.find("precondition broken: buffer.size() >= ") != std::string::npos, death.said);
  }
}

BOOST_AUTO_TEST_SUITE_END()
