// The marks of received datagrams reach the acknowledgements that the peer reads (RFC 9000 §13.4.1), and nothing else
// does: a packet that does not open counts for nothing.
#include <boost/test/unit_test.hpp>

#include "support/attacker.h"

using namespace mxp;
using namespace mxp::test;

BOOST_AUTO_TEST_SUITE(ecn)

BOOST_AUTO_TEST_CASE(each_mark_is_counted_in_the_next_acknowledgement) {
  DirectPair pair;
  Attacker attacker(pair.server, pair.now);
  BOOST_REQUIRE(attacker.connect());
  pair.now += 30ms;
  BOOST_REQUIRE(attacker.run_due());
  const auto last_ack = [&] {
    std::optional<EcnCounts> counts;
    for (const Answer& answer : attacker.answers)
      for (const Frame& frame : answer.frames)
        if (const auto* ack = std::get_if<AckFrame>(&frame)) counts = ack->ecn;
    return counts;
  };
  const auto send_marked = [&](Bytes datagram, Ecn mark) {
    pair.server.endpoint.receive(pair.now, {.bytes = datagram, .remote = attacker.config.address, .ecn = mark});
  };
  BOOST_TEST(!last_ack().has_value());  // no marks, no counts

  const struct {
    Ecn mark;
    unsigned packets;
  } sent[] = {{Ecn::ect0, 3}, {Ecn::ect1, 2}, {Ecn::ce, 1}, {Ecn::not_ect, 4}};
  for (const auto& [mark, packets] : sent)
    for (unsigned i = 0; i < packets; ++i) send_marked(attacker.session->seal(frames(PingFrame{})), mark);
  Bytes broken = attacker.session->seal(frames(PingFrame{}));
  broken.back() ^= 1;
  send_marked(broken, Ecn::ce);

  pair.now += 30ms;
  BOOST_REQUIRE(attacker.run_due());
  const auto counts = last_ack();
  BOOST_REQUIRE(counts.has_value());
  BOOST_TEST(counts->ect0 == 3u);
  BOOST_TEST(counts->ect1 == 2u);
  BOOST_TEST(counts->ce == 1u);
}

BOOST_AUTO_TEST_SUITE_END()
