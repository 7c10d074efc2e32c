// An application may call every verb from inside every event, on the stream that the event is about.
#include <boost/test/unit_test.hpp>
#include <functional>
#include <string>
#include <vector>

#include "unit/scheduler/streams_fixture.h"

namespace mxp::test {
namespace {

struct ReentrancyFixture : StreamPair {
  Side& us = server;
};

struct Verb {
  std::string name;
  std::function<void(Streams&, StreamId)> call;
};
const Verb kVerbs[] = {
    {"write", [](Streams& s, StreamId id) { std::ignore = s.write(id, bytes_of("answer")); }},
    {"finish", [](Streams& s, StreamId id) { std::ignore = s.finish(id); }},
    {"reset", [](Streams& s, StreamId id) { std::ignore = s.reset(id, 1); }},
    {"stop_sending", [](Streams& s, StreamId id) { std::ignore = s.stop_sending(id, 2); }},
    {"resume", [](Streams& s, StreamId id) { std::ignore = s.resume(id); }},
    {"open", [](Streams& s, StreamId) { std::ignore = s.open(StreamType::bidirectional); }},
    {"writable_bytes", [](Streams& s, StreamId id) { std::ignore = s.writable_bytes(id); }},
    {"reset and stop",
     [](Streams& s, StreamId id) { std::ignore = s.reset(id, 1), std::ignore = s.stop_sending(id, 2); }},
    {"write and finish",
     [](Streams& s, StreamId id) { std::ignore = s.write(id, bytes_of("answer")), std::ignore = s.finish(id); }},
    {"drop_all", [](Streams& s, StreamId) { s.drop_all(); }},
};

BOOST_FIXTURE_TEST_SUITE(streams_reentrancy, ReentrancyFixture)

// Both sides, both do the same thing in every event, with data, gaps, resets and ends under way: whatever it is,
// nothing breaks, no rule of the protocol is violated, and after dropping no event follows.
BOOST_AUTO_TEST_CASE(any_verb_inside_any_event) {
  for (const Verb& verb : kVerbs) {
    for (int event = 0; event < 7; ++event) {
      BOOST_TEST_CONTEXT(verb.name << " inside event " << event) {
        StreamPair pair;
        int calls = 0;
        for (Side* side : {&pair.client, &pair.server}) {
          Streams& streams = side->streams;
          const auto call = [&](StreamId id) { ++calls, verb.call(streams, id); };
          auto& events = side->events;
          if (event == 0)
            events.data_hook = [call](StreamId id, ByteView data, bool) { return call(id), data.size() / 2; };
          if (event == 1) events.opened_hook = call;
          if (event == 2) events.reset_hook = [call](StreamId id, AppErrorCode) { call(id); };
          if (event == 3) events.stop_hook = [call](StreamId id, AppErrorCode) { call(id); };
          if (event == 4) events.writable_hook = call;
          if (event == 5) events.finished_hook = call;
          if (event == 6) events.available_hook = [call](StreamType) { call(client_bidi(0)); };
        }
        // Four streams: data and an end; data and a reset; data that are stopped; more than the buffer takes.
        LoneStreams& client_streams = pair.client.streams;
        for (int i = 0; i < 4; ++i) {
          const auto id = client_streams.open(StreamType::bidirectional);
          BOOST_TEST_REQUIRE(id.has_value());
          std::ignore = client_streams.write(*id, pattern_bytes(0, i == 3 ? 3000 : 400));
        }
        std::ignore = client_streams.open(StreamType::bidirectional);
        std::ignore = client_streams.finish(client_bidi(0));
        const Packet first = write_packet(client_streams, 700), second = write_packet(client_streams, 700);
        BOOST_TEST(receive_packet(pair.server.streams, second).has_value());  // beyond a gap
        BOOST_TEST(receive_packet(pair.server.streams, first).has_value());
        acknowledge(client_streams, first);
        acknowledge(client_streams, second);
        std::ignore = client_streams.reset(client_bidi(1), 11);
        pair.exchange();
        std::ignore = pair.server.streams.stop_sending(client_bidi(2), 12);
        std::ignore = pair.server.streams.finish(client_bidi(0));
        std::ignore = pair.server.streams.stop_sending(client_bidi(3), 13);
        for (int i = 0; i < 4; ++i)
          std::ignore = pair.server.streams.finish(client_bidi(static_cast<std::uint64_t>(i)));
        pair.exchange();
        BOOST_TEST(pair.client.streams.on_frame(MaxStreamsFrame{StreamType::bidirectional, 100}).has_value());
        pair.exchange();
        BOOST_TEST(calls > 0);
        if (verb.name == "drop_all")
          BOOST_TEST((client_streams.usage().objects == 0 || pair.server.streams.usage().objects == 0));
      }
    }
  }
}

BOOST_AUTO_TEST_CASE(stopping_inside_data_discards_what_follows) {
  us.events.data_hook = [&](StreamId id, ByteView data, bool) {
    BOOST_TEST(us.streams.stop_sending(id, 1).has_value());
    return data.size();
  };
  BOOST_TEST(us.data(client_uni(0), 3, "def", true).has_value());
  BOOST_TEST(us.data(client_uni(0), 0, "abc").has_value());
  BOOST_TEST(us.events.received[2] == "abc");
  BOOST_TEST(us.events.fins[2] == 0);
  BOOST_TEST(us.streams.usage().objects == 0u);  // its size was known: nothing to wait for
  BOOST_TEST(!us.streams.has_pending());
}

BOOST_AUTO_TEST_CASE(stopping_inside_data_gives_the_credit_back) {
  us.events.data_hook = [&](StreamId id, ByteView, bool) {
    std::ignore = us.streams.stop_sending(id, 1);
    return std::size_t{0};
  };
  for (int i = 0; i < 50; ++i) {  // more than ten times the connection's window
    const auto id = client.streams.open(StreamType::unidirectional);
    BOOST_TEST_REQUIRE(id.has_value());
    BOOST_TEST_REQUIRE(client.streams.write(*id, pattern_bytes(0, 900)).value() == 900u);
    exchange();
    BOOST_TEST_REQUIRE(client.events.log.back() == fmt::format("stop {} 1", id->value()));
    BOOST_TEST_REQUIRE(!client.streams.blocked_by_connection_credit());
  }
  BOOST_TEST(us.streams.usage().objects == 0u);
}

BOOST_AUTO_TEST_CASE(buffered_bytes_stay_readable_while_they_are_being_told) {
  std::string seen;
  us.events.data_hook = [&](StreamId id, ByteView data, bool) {
    std::ignore = us.streams.stop_sending(id, 1);
    us.streams.drop_all();
    seen.assign(data.begin(), data.end());  // a sanitizer would object
    return data.size();
  };
  us.events.data_hook = [&, inner = us.events.data_hook](StreamId id, ByteView data, bool fin) {
    return data.size() == 1 ? std::size_t{1} : inner(id, data, fin);
  };
  BOOST_TEST(us.data(client_uni(0), 1, "bcdef").has_value());
  BOOST_TEST(us.data(client_uni(0), 0, "a").has_value());
  BOOST_TEST(seen == "bcdef");
  BOOST_TEST(us.streams.usage().memory == 0u);
}

BOOST_AUTO_TEST_CASE(resume_inside_data_goes_on_after_progress_only) {
  int calls = 0;
  us.events.data_hook = [&](StreamId id, ByteView, bool) {
    ++calls;
    BOOST_TEST(us.streams.resume(id).has_value());
    return std::size_t{1};
  };
  BOOST_TEST(us.data(client_uni(0), 0, "abc", true).has_value());
  BOOST_TEST(us.events.received[2] == "abc");
  BOOST_TEST(calls == 3);
  us.events.data_hook = [&](StreamId id, ByteView, bool) {
    ++calls;
    std::ignore = us.streams.resume(id);
    return std::size_t{0};
  };
  BOOST_TEST(us.data(client_uni(1), 0, "abc").has_value());
  BOOST_TEST(calls == 4);
}

BOOST_AUTO_TEST_CASE(resume_of_another_stream_inside_data) {
  us.events.data_hook = [](StreamId, ByteView, bool) { return 0; };
  BOOST_TEST(us.data(client_uni(0), 0, "abc", true).has_value());
  us.events.data_hook = [&](StreamId id, ByteView data, bool) {
    if (id == client_uni(1)) std::ignore = us.streams.resume(client_uni(0));
    return data.size();
  };
  BOOST_TEST(us.data(client_uni(1), 0, "def", true).has_value());
  BOOST_TEST(us.events.received[2] == "abc");
  BOOST_TEST(us.events.received[6] == "def");
  BOOST_TEST(us.streams.usage().objects == 0u);
}

BOOST_AUTO_TEST_CASE(no_event_follows_a_drop_inside_an_event) {
  us.events.opened_hook = [&](StreamId) { us.streams.drop_all(); };
  BOOST_TEST(us.data(client_uni(0), 0, "abc", true).has_value());
  BOOST_TEST(us.events.received.empty());
  BOOST_TEST(us.streams.usage().objects == 0u);
}

BOOST_AUTO_TEST_CASE(writing_inside_writable_goes_on_until_all_is_through) {
  const StreamId id = *client.streams.open(StreamType::unidirectional);
  std::size_t written = 0;
  const auto write_more = [&](StreamId) {
    while (written < 50'000) {
      const std::size_t taken =
          *client.streams.write(id, pattern_bytes(written, std::min<std::size_t>(700, 50'000 - written)));
      if (taken == 0) return;
      written += taken;
    }
    std::ignore = client.streams.finish(id);
  };
  client.events.writable_hook = write_more;
  write_more(id);
  exchange();
  const auto expected = pattern_bytes(0, 50'000);
  BOOST_TEST((server.events.received[id.value()] == std::string(expected.begin(), expected.end())));
  BOOST_TEST(server.events.fins[id.value()] == 1);
  BOOST_TEST(client.streams.usage().objects == 0u);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace mxp::test
