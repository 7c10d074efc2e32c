#include "mxp/trace_fan_out.h"

#include <boost/test/unit_test.hpp>

#include "support/trace_events.h"

using namespace mxp;
using namespace mxp::test;

namespace {

struct CountingSink final : TraceSink {
  CountingSink(bool decisions, bool frames) : decisions_(decisions), frames_(frames) {}
  void on(Timestamp, ConnectionId, const TraceEvent& event) override {
    ++events;
    decided += is_decision(event);
  }
  bool wants_decisions() const override { return decisions_; }
  bool wants_frames() const override { return frames_; }

  std::size_t events = 0;
  std::size_t decided = 0;

 private:
  bool decisions_, frames_;
};

}  // namespace

BOOST_AUTO_TEST_SUITE(trace_fan_out)

BOOST_AUTO_TEST_CASE(each_sink_is_told_what_it_wants) {
  CountingSink plain(false, false), curious(true, false);
  TraceFanOut all;
  BOOST_TEST(all.empty());
  all.add(plain);
  all.add(curious);
  BOOST_TEST(!all.empty());
  const auto events = every_event();
  for (const TraceEvent& event : events) all.on(Timestamp{}, kLocalId, event);
  BOOST_TEST(curious.events == events.size());
  BOOST_TEST(curious.decided == 4u);
  BOOST_TEST(plain.decided == 0u);
  BOOST_TEST(plain.events == events.size() - 4);
}

BOOST_AUTO_TEST_CASE(what_one_wants_all_of_them_want) {
  CountingSink plain(false, false), curious(true, false), close(false, true);
  TraceFanOut none, decisions, frames;
  none.add(plain);
  decisions.add(plain);
  decisions.add(curious);
  frames.add(plain);
  frames.add(close);
  BOOST_TEST(!none.wants_decisions());
  BOOST_TEST(!none.wants_frames());
  BOOST_TEST(decisions.wants_decisions());
  BOOST_TEST(!decisions.wants_frames());
  BOOST_TEST(frames.wants_frames());
  BOOST_TEST(!frames.wants_decisions());
}

BOOST_AUTO_TEST_SUITE_END()
