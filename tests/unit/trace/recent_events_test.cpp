#include "mxp/recent_events.h"

#include <algorithm>
#include <boost/test/unit_test.hpp>

#include "support/trace_events.h"

using namespace mxp;
using namespace mxp::test;

namespace {

std::ptrdiff_t lines_of(const std::string& text) { return std::ranges::count(text, '\n'); }

}  // namespace

BOOST_AUTO_TEST_SUITE(recent_events)

BOOST_AUTO_TEST_CASE(each_event_is_a_line_and_none_holds_a_secret) {
  RecentEvents recent;
  Timestamp now{1h};
  const auto events = every_event();
  for (const TraceEvent& event : events) recent.on(now += 1ms, kLocalId, event);
  const std::string text = recent.text();
  BOOST_TEST(lines_of(text) == static_cast<std::ptrdiff_t>(events.size()) - 4);  // the decisions
  BOOST_TEST(text.find('?') == std::string::npos, text);
  BOOST_TEST(!holds_secret(text));
  BOOST_TEST(text.find("1122334455667788 sent packet 5, 1200 bytes, a probe\n") != std::string::npos, text);
  BOOST_TEST(text.find("established after 12.000ms\n") != std::string::npos, text);
  BOOST_TEST(text.find("held by congestion\n") != std::string::npos, text);
  BOOST_TEST(text.find("closed by the peer: protocol violation\n") != std::string::npos, text);
  BOOST_TEST(text.ends_with("+0.000000s 1122334455667788 forgotten\n"), text);
}

BOOST_AUTO_TEST_CASE(the_newest_are_kept_of_one_connection_or_of_all) {
  RecentEvents recent(8);
  const ConnectionId other({1});
  for (std::uint64_t i = 0; i < 100; ++i)
    recent.on(Timestamp(i * 1ms), i % 4 == 0 ? other : kLocalId, TracePacketReceived{PacketNumber(i), 10});
  BOOST_TEST(recent.total() == 100u);
  BOOST_TEST(lines_of(recent.text()) == 8);
  BOOST_TEST(lines_of(recent.text(other)) == 2);
  BOOST_TEST(lines_of(recent.text(std::nullopt, 3)) == 3);
  BOOST_TEST(recent.text(other).find("received packet 96,") != std::string::npos);
  BOOST_TEST(recent.text(std::nullopt, 1) == "+0.000000s 1122334455667788 received packet 99, 10 bytes\n");
  BOOST_TEST(RecentEvents().text().empty());
}

BOOST_AUTO_TEST_CASE(only_failures_are_told) {
  RecentEvents recent;
  std::vector<std::uint64_t> failures;
  recent.on_failure = [&](ConnectionId, const TraceClosed& closed) { failures.push_back(closed.code); };
  const auto code = [](TransportErrorCode one) { return static_cast<std::uint64_t>(one); };
  using By = CloseInfo::By;
  recent.on(Timestamp{}, kLocalId, TraceClosed{By::peer, true, 5});
  recent.on(Timestamp{}, kLocalId, TraceClosed{By::local, false, code(TransportErrorCode::no_error)});
  recent.on(Timestamp{}, kLocalId, TraceClosed{By::timeout, true, 0});  // an end in order
  BOOST_TEST(failures.empty());
  recent.on(Timestamp{}, kLocalId, TraceClosed{By::timeout, false, code(TransportErrorCode::idle_timeout)});
  recent.on(Timestamp{}, kLocalId, TraceClosed{By::peer, false, code(TransportErrorCode::protocol_violation)});
  BOOST_TEST(failures.size() == 2u);
}

BOOST_AUTO_TEST_SUITE_END()
