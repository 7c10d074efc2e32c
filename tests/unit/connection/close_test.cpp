// How a connection ends (docs/protocol.md §7): closing, draining, idle, and what the application hears of it.
#include <boost/test/unit_test.hpp>

#include "support/attacker.h"
#include "support/host.h"

using namespace mxp;
using namespace mxp::test;

namespace {

const StreamId kFirstUni = StreamId::make(Role::client, StreamType::unidirectional, 0);

}  // namespace

BOOST_AUTO_TEST_SUITE(closing)

BOOST_AUTO_TEST_CASE(both_sides_hear_once_who_ended_it_and_why) {
  DirectPair pair;
  Connection* connection = pair.establish();
  connection->close(77, "enough");
  BOOST_TEST((connection->state() == ConnectionState::closing));
  BOOST_TEST(pair.client.app.closed.empty());  // never from inside the call
  connection->close(78, "again");              // the first reason stays
  pair.exchange();
  BOOST_REQUIRE(pair.client.app.closed.size() == 1u);
  BOOST_REQUIRE(pair.server.app.closed.size() == 1u);
  const CloseInfo& ours = pair.client.app.closed[0];
  const CloseInfo& theirs = pair.server.app.closed[0];
  BOOST_TEST((ours.by == CloseInfo::By::local && theirs.by == CloseInfo::By::peer));
  BOOST_TEST((ours.application && theirs.application));
  BOOST_TEST((ours.code == 77 && theirs.code == 77));
  BOOST_TEST((ours.reason == "enough" && theirs.reason == "enough"));
  BOOST_TEST((!ours.before_established && !theirs.before_established));
  // The answer lets the side that closed forget the connection. The other one drops for three probe timeouts what comes.
  pair.advance(1ms);
  BOOST_TEST(pair.client.endpoint.connection_count() == 0u);
  BOOST_TEST(pair.server.endpoint.connection_count() == 1u);
  BOOST_TEST(pair.server.endpoint.draining_count() == 1u);
  pair.advance(10s);
  BOOST_TEST(pair.server.endpoint.draining_count() == 0u);
  BOOST_TEST(pair.server.endpoint.connection_count() == 0u);
  BOOST_TEST((pair.client.endpoint.next_timeout() == kNever));
  BOOST_TEST(pair.client.app.closed.size() == 1u);
}

BOOST_AUTO_TEST_CASE(a_long_reason_is_cut) {
  DirectPair pair;
  pair.establish()->close(1, std::string(1000, 'x'));
  pair.exchange();
  BOOST_REQUIRE(pair.server.app.closed.size() == 1u);
  BOOST_TEST(pair.server.app.closed[0].reason == std::string(256, 'x'));
  BOOST_TEST(pair.client.app.closed[0].reason == std::string(256, 'x'));
}

BOOST_AUTO_TEST_CASE(the_largest_code_that_the_wire_can_carry_arrives) {
  DirectPair pair;
  pair.establish()->close(kMaxVarint, "");
  pair.exchange();
  BOOST_REQUIRE(pair.server.app.closed.size() == 1u);
  BOOST_TEST(pair.server.app.closed[0].code == kMaxVarint);
}

BOOST_AUTO_TEST_CASE(a_code_beyond_the_wires_counts_as_the_largest) {
  DirectPair pair;
  Connection* client = pair.establish();
  const StreamId id = *client->open_stream(StreamType::bidirectional);
  BOOST_TEST(client->reset(id, ~std::uint64_t{0}).has_value());
  BOOST_TEST(client->stop_sending(id, kMaxVarint + 1).has_value());
  pair.exchange();
  BOOST_REQUIRE(pair.server.app.resets.size() == 1u);
  BOOST_REQUIRE(pair.server.app.stops.size() == 1u);
  BOOST_TEST(pair.server.app.resets[0].second == kMaxVarint);
  BOOST_TEST(pair.server.app.stops[0].second == kMaxVarint);
  client->close(~std::uint64_t{0}, "");
  pair.exchange();
  BOOST_REQUIRE(pair.server.app.closed.size() == 1u);
  BOOST_TEST(pair.server.app.closed[0].code == kMaxVarint);
  BOOST_TEST(pair.client.app.closed[0].code == kMaxVarint);
}

BOOST_AUTO_TEST_CASE(the_peers_reason_is_escaped_before_anyone_sees_it) {
  DirectPair pair;
  pair.establish()->close(1, "\x1b]0;owned\x07\n");
  pair.exchange();
  BOOST_REQUIRE(pair.server.app.closed.size() == 1u);
  BOOST_TEST(pair.server.app.closed[0].reason == "\\x1b]0;owned\\x07\\x0a");
}

BOOST_AUTO_TEST_CASE(a_closing_side_answers_at_doubling_distances) {
  DirectPair pair;
  Attacker client(pair.server, pair.now);
  BOOST_REQUIRE(client.connect());
  client.connection().close(5, "done");
  BOOST_TEST(client.collect() == 1u);
  BOOST_TEST(client.count<CloseFrame>() == 1u);
  std::vector<int> answered_at;
  for (int packet = 1; packet <= 100; ++packet)
    if (client.ask(frames(PingFrame{})) != 0) answered_at.push_back(packet);
  const std::vector<int> expected = {1, 3, 7, 15, 31, 63};
  BOOST_TEST(answered_at == expected);
  BOOST_TEST(client.seen_close()->code == 5u);
  BOOST_TEST(client.count<CloseFrame>() == 1 + expected.size());
}

BOOST_AUTO_TEST_CASE(packets_before_the_first_close_use_up_no_answers) {
  DirectPair pair;
  Attacker client(pair.server, pair.now);
  BOOST_REQUIRE(client.connect());
  client.connection().close(5, "done");
  for (int i = 0; i < 100; ++i) client.send(frames(PingFrame{}));  // one batch of the socket's
  BOOST_TEST(client.collect() == 1u);                              // and this CLOSE is lost
  BOOST_TEST(client.ask(frames(PingFrame{})) == 1u);
}

BOOST_AUTO_TEST_CASE(a_peer_cannot_stretch_how_long_a_closed_connection_stays) {  // threat t56
  for (const bool by_peer : {false, true}) {
    DirectPair pair;
    Attacker::Config config;
    config.transport.recovery.max_ack_delay = 16383ms;
    Attacker client(pair.server, pair.now, config);
    BOOST_REQUIRE(client.connect());
    if (by_peer) {
      CloseFrame close;
      client.ask(frames(close));
    } else {
      client.connection().close(5, "done");
      client.collect();
    }
    BOOST_TEST(pair.server.endpoint.connection_count() == 1u);
    pair.advance(11s);
    BOOST_TEST(pair.server.endpoint.connection_count() == 0u);
  }
}

BOOST_AUTO_TEST_CASE(a_closing_side_answers_no_packet_that_does_not_verify) {
  DirectPair pair;
  Attacker client(pair.server, pair.now);
  BOOST_REQUIRE(client.connect());
  client.connection().close(5, "done");
  client.collect();
  for (int i = 0; i < 50; ++i) {
    Bytes forged = client.session->seal(frames(PingFrame{}));
    forged.back() ^= 1;
    client.send_raw(forged);
    BOOST_TEST(client.collect() == 0u);
  }
}

BOOST_AUTO_TEST_CASE(a_draining_side_answers_once_and_is_silent) {
  DirectPair pair;
  Attacker client(pair.server, pair.now);
  BOOST_REQUIRE(client.connect());
  Connection& victim = client.connection();
  CloseFrame close;
  close.application = true;
  close.code = 9;
  close.reason = text("over");
  BOOST_TEST(client.ask(frames(close)) == 1u);
  BOOST_TEST((victim.state() == ConnectionState::draining));
  // It says that the CLOSE arrived, and nothing of what was in it.
  BOOST_REQUIRE(client.seen_close().has_value());
  BOOST_TEST(!client.seen_close()->application);
  BOOST_TEST((client.seen_close()->transport_code() == TransportErrorCode::no_error));
  BOOST_TEST(client.seen_close()->reason == "");
  BOOST_TEST(client.ask(frames(close)) == 0u);
  for (int i = 0; i < 20; ++i) BOOST_TEST(client.ask(frames(PingFrame{})) == 0u);
  BOOST_TEST(dropped(victim, DropReason::unexpected_in_state) == 21u);
  BOOST_REQUIRE(pair.server.app.closed.size() == 1u);
  BOOST_TEST(pair.server.app.closed[0].code == 9u);
  pair.advance(10s);
  BOOST_TEST(pair.server.endpoint.connection_count() == 0u);
}

BOOST_AUTO_TEST_CASE(both_close_at_once_and_nobody_answers_an_answer) {
  DirectPair pair;
  Connection* client = pair.establish();
  Connection* server = pair.server_connection();
  const std::uint64_t before[2] = {pair.datagrams[0], pair.datagrams[1]};
  client->close(1, "client");
  server->close(2, "server");
  // Both are on the way before either arrives.
  std::vector<Bytes> up, down;
  pair.client.poll(pair.now, [&](const SocketAddress&, ByteView datagram) { up.push_back(copy_of(datagram)); });
  pair.server.poll(pair.now, [&](const SocketAddress&, ByteView datagram) { down.push_back(copy_of(datagram)); });
  BOOST_REQUIRE((up.size() == 1u && down.size() == 1u));
  pair.server.receive(pair.now, up[0], kClientAddress);
  pair.client.receive(pair.now, down[0], kServerAddress);
  pair.exchange();
  BOOST_TEST(pair.datagrams[0] == before[0]);
  BOOST_TEST(pair.datagrams[1] == before[1]);
  BOOST_REQUIRE(pair.client.app.closed.size() == 1u);
  BOOST_REQUIRE(pair.server.app.closed.size() == 1u);
  BOOST_TEST((pair.client.app.closed[0].by == CloseInfo::By::local && pair.client.app.closed[0].code == 1));
  BOOST_TEST((pair.server.app.closed[0].by == CloseInfo::By::local && pair.server.app.closed[0].code == 2));
  pair.advance(10s);
  BOOST_TEST(pair.client.endpoint.connection_count() + pair.server.endpoint.connection_count() == 0u);
}

BOOST_AUTO_TEST_CASE(a_lost_close_is_said_again_when_the_peer_goes_on_talking) {
  DirectPair pair;
  Connection* client = pair.establish();
  pair.lose = [](Role sender, ByteView) { return sender == Role::client; };
  client->close(3, "lost");
  pair.exchange();
  BOOST_TEST(pair.server.app.closed.empty());
  pair.lose = nullptr;
  const StreamId id = *pair.server_connection()->open_stream(StreamType::unidirectional);
  (void)pair.server_connection()->write(id, text("are you there?"));
  pair.exchange();
  BOOST_REQUIRE(pair.server.app.closed.size() == 1u);
  BOOST_TEST(pair.server.app.closed[0].code == 3u);
}

// Of a side that closes while nothing arrives.
struct LoneClose {
  DirectPair pair;
  std::vector<Timestamp> sent;

  LoneClose() {
    Connection* client = pair.establish();
    pair.advance(1s);  // nothing is under way
    pair.lose = [this](Role sender, ByteView) {
      if (sender == Role::client) sent.push_back(pair.now);
      return true;
    };
    client->close(3, "lost");
    pair.exchange();
  }
};

BOOST_AUTO_TEST_CASE(a_close_that_nobody_answers_is_repeated_at_doubling_distances) {
  LoneClose lone;
  lone.pair.advance(9s);
  const std::vector<Timestamp>& at = lone.sent;
  BOOST_REQUIRE(at.size() == 4u);
  const Duration probe_timeout = at[1] - at[0];
  BOOST_TEST((probe_timeout > 0ms && probe_timeout < 1s));
  BOOST_TEST((at[2] - at[1] == 2 * probe_timeout && at[3] - at[2] == 4 * probe_timeout));
  BOOST_TEST(lone.pair.client.endpoint.connection_count() == 0u);
  BOOST_TEST(lone.pair.client.app.closed.size() == 1u);
  // The last one has a probe timeout to be answered.
  LoneClose other;
  other.pair.advance(8 * probe_timeout - 1ms);
  BOOST_TEST(other.pair.client.endpoint.connection_count() == 1u);
  BOOST_TEST(other.pair.client.endpoint.draining_count() == 0u);
  other.pair.advance(1ms);
  BOOST_TEST(other.pair.client.endpoint.connection_count() == 0u);
}

BOOST_AUTO_TEST_CASE(an_idle_peer_hears_a_repeated_close) {
  LoneClose lone;
  lone.pair.advance(1ms);
  BOOST_TEST(lone.pair.server.app.closed.empty());
  lone.pair.lose = nullptr;
  lone.pair.advance(1s);
  BOOST_REQUIRE(lone.pair.server.app.closed.size() == 1u);
  BOOST_TEST(lone.pair.server.app.closed[0].code == 3u);
  BOOST_TEST(lone.pair.client.endpoint.connection_count() == 0u);
}

BOOST_AUTO_TEST_CASE(a_repeated_close_answers_the_next_packet_anew) {
  DirectPair pair;
  Attacker client(pair.server, pair.now);
  BOOST_REQUIRE(client.connect());
  client.connection().close(5, "done");
  client.collect();
  for (int packet = 1; packet <= 4; ++packet) client.ask(frames(PingFrame{}));  // of which the first and third had one
  pair.now = pair.server.endpoint.next_timeout();
  pair.server.endpoint.on_timeout(pair.now);
  BOOST_TEST(client.collect() == 1u);
  BOOST_TEST(client.count<CloseFrame>() == 4u);
  BOOST_TEST(client.ask(frames(PingFrame{})) == 1u);
}

BOOST_AUTO_TEST_CASE(a_close_that_has_not_gone_out_yet_answers_the_peers) {
  DirectPair pair;
  Attacker client(pair.server, pair.now);
  BOOST_REQUIRE(client.connect());
  client.connection().close(5, "ours");
  client.send(frames(CloseFrame{}));
  BOOST_TEST(client.collect() == 1u);
  BOOST_REQUIRE(client.seen_close().has_value());
  BOOST_TEST(client.seen_close()->code == 5u);
  BOOST_REQUIRE(pair.server.app.closed.size() == 1u);
  BOOST_TEST((pair.server.app.closed[0].by == CloseInfo::By::local));
  BOOST_TEST(pair.server.endpoint.draining_count() == 1u);
}

void ends_though_the_socket_takes_nothing(DirectPair& pair) {
  pair.now += 11s;
  pair.server.endpoint.on_timeout(pair.now);
  BOOST_TEST(pair.server.app.closed.size() == 1u);
  BOOST_TEST(pair.server.endpoint.connection_count() == 0u);
}

BOOST_AUTO_TEST_CASE(the_end_is_told_where_the_answer_to_a_close_could_not_be_sent) {
  DirectPair pair;
  Attacker client(pair.server, pair.now);
  BOOST_REQUIRE(client.connect());
  client.send(frames(CloseFrame{}));
  ends_though_the_socket_takes_nothing(pair);
}

BOOST_AUTO_TEST_CASE(the_end_is_told_where_neither_close_could_be_sent) {
  DirectPair pair;
  Attacker client(pair.server, pair.now);
  BOOST_REQUIRE(client.connect());
  client.connection().close(5, "ours");
  client.send(frames(CloseFrame{}));
  BOOST_TEST((client.connection().state() == ConnectionState::draining));
  ends_though_the_socket_takes_nothing(pair);
}

// Nor does its own CLOSE, which begins a period of its own, however late it comes.
BOOST_AUTO_TEST_CASE(a_crossing_close_does_not_stretch_the_wait_for_the_socket) {
  DirectPair pair;
  Attacker client(pair.server, pair.now);
  BOOST_REQUIRE(client.connect());
  pair.advance(20s);
  client.send(Bytes{0xff});  // no frame
  const Timestamp given_up = pair.now + 10s;
  pair.now = given_up - 1ms;
  client.send(frames(CloseFrame{}));
  BOOST_TEST((pair.server.endpoint.next_timeout() == given_up));
  pair.server.endpoint.on_timeout(given_up);
  BOOST_TEST(pair.server.app.closed.size() == 1u);
  BOOST_TEST(pair.server.endpoint.connection_count() == 0u);
}

// It waits ten seconds for the socket, from the first drive on that knows the time.
BOOST_AUTO_TEST_CASE(the_end_is_told_where_our_first_close_is_never_taken) {
  DirectPair pair;
  Attacker client(pair.server, pair.now);
  BOOST_REQUIRE(client.connect());
  pair.advance(20s);         // the answer to its handshake is forgotten
  client.send(Bytes{0xff});  // no frame
  BOOST_TEST((client.connection().state() == ConnectionState::closing));
  BOOST_TEST(pair.server.app.closed.empty());
  Endpoint& server = pair.server.endpoint;
  const Timestamp given_up = pair.now + 10s;
  BOOST_TEST((server.next_timeout() == given_up));
  pair.now += 9s;
  client.send(frames(PingFrame{}));  // the peer cannot stretch it
  BOOST_TEST((server.next_timeout() == given_up));
  server.on_timeout(given_up - 1ms);
  BOOST_TEST(pair.server.app.closed.empty());
  server.on_timeout(given_up);
  BOOST_REQUIRE(pair.server.app.closed.size() == 1u);
  BOOST_TEST((pair.server.app.closed[0].by == CloseInfo::By::local));
  BOOST_TEST(server.connection_count() == 0u);
  BOOST_TEST((server.next_timeout() == kNever));
}

BOOST_AUTO_TEST_CASE(the_end_is_told_where_the_close_of_an_application_is_never_taken) {
  DirectPair pair;
  Connection* connection = pair.establish();
  connection->close(77, "enough");
  Endpoint& client = pair.client.endpoint;
  const Timestamp begin = pair.now;
  for (int drives = 0; client.next_timeout() != kNever; ++drives) {
    BOOST_REQUIRE(drives < 5);
    BOOST_REQUIRE((client.next_timeout() > pair.now));
    pair.now = client.next_timeout();
    client.on_timeout(pair.now);
  }
  BOOST_TEST((pair.now - begin <= 40s));  // an idle timeout, and ten seconds
  BOOST_REQUIRE(pair.client.app.closed.size() == 1u);
  BOOST_TEST(pair.client.app.closed[0].code == 77u);
  BOOST_TEST(client.connection_count() == 0u);
}

// The ten seconds are for the first CLOSE alone: once it has gone, the closing period is what it always is.
BOOST_AUTO_TEST_CASE(a_close_that_the_socket_takes_late_is_repeated_like_any_other) {
  DirectPair pair;
  Attacker client(pair.server, pair.now);
  BOOST_REQUIRE(client.connect());
  pair.advance(20s);  // the answer to its handshake is forgotten
  client.send(Bytes{0xff});
  const Timestamp given_up = pair.server.endpoint.next_timeout();
  pair.now = given_up - 1ms;
  BOOST_TEST(client.collect() == 1u);
  BOOST_TEST(pair.server.app.closed.size() == 1u);
  pair.now = pair.server.endpoint.next_timeout();
  BOOST_TEST((pair.now > given_up));
  pair.server.endpoint.on_timeout(pair.now);
  BOOST_TEST(client.collect() == 1u);
  BOOST_TEST(pair.server.endpoint.connection_count() == 1u);
}

// Threat t39: what waits for the socket waits for no time but for that bound.
BOOST_AUTO_TEST_CASE(a_close_that_waits_for_the_socket_has_no_deadline_that_is_past) {
  DirectPair pair;
  pair.connect();
  pair.client.poll(pair.now, [&](const SocketAddress&, ByteView datagram) {
    Bytes message_1 = copy_of(datagram);
    pair.server.receive(pair.now, message_1, kClientAddress);
  });
  Endpoint& server = pair.server.endpoint;
  BOOST_REQUIRE(server.connection_count() == 1u);  // half open
  server.close_all(1, "");
  for (int i = 0; i < 100 && server.next_timeout() != kNever; ++i) {
    pair.now = server.next_timeout();
    server.on_timeout(pair.now);
    BOOST_REQUIRE((server.next_timeout() > pair.now));
  }
  BOOST_TEST((server.next_timeout() == kNever));
  BOOST_TEST(server.connection_count() == 0u);
}

BOOST_AUTO_TEST_CASE(an_attempt_without_an_answer_leaves_nothing_to_say) {
  DirectPair pair;
  pair.lose = [](Role, ByteView) { return true; };
  pair.connect();
  while (pair.client.app.closed.empty()) pair.advance(1s);
  BOOST_TEST(pair.client.endpoint.draining_count() == pair.client.endpoint.connection_count());
}

BOOST_AUTO_TEST_CASE(close_all_ends_every_connection) {
  DirectPair pair;
  for (int i = 0; i < 5; ++i) pair.establish();
  pair.server.endpoint.close_all(11, "going down");
  pair.advance(10s);
  BOOST_TEST(pair.client.app.closed.size() == 5u);
  BOOST_TEST(pair.server.app.closed.size() == 5u);
  for (const CloseInfo& info : pair.client.app.closed) BOOST_TEST((info.code == 11u && info.reason == "going down"));
  BOOST_TEST(pair.server.endpoint.connection_count() + pair.client.endpoint.connection_count() == 0u);
}

BOOST_AUTO_TEST_CASE(a_connection_may_be_closed_before_anything_was_sent) {
  DirectPair pair;
  pair.connect()->close(1, "never mind");
  pair.advance(10s);
  BOOST_TEST(pair.datagrams[0] == 0u);
  BOOST_REQUIRE(pair.client.app.closed.size() == 1u);
  BOOST_TEST(pair.client.app.closed[0].before_established);
  BOOST_TEST(pair.client.endpoint.connection_count() == 0u);
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(on_closed_contract)

BOOST_AUTO_TEST_CASE(what_was_not_taken_can_be_had_from_inside_for_the_last_time) {
  // Whoever ends it: the peer, we, or silence.
  for (int how = 0; how < 3; ++how) {
    DirectPair pair;
    Connection* client = pair.establish();
    pair.server.app.take = [](Connection&, StreamId, ByteView) { return std::size_t{0}; };
    const StreamId id = *client->open_stream(StreamType::unidirectional);
    (void)client->write(id, text("for later"));
    (void)client->finish(id);
    pair.exchange();
    BOOST_TEST(pair.server.app.data[id].empty());
    std::vector<std::string> heard;
    pair.server.app.hook = [&](std::string_view event, Connection& connection, StreamId) {
      heard.emplace_back(event);
      if (event != "closed") return;
      pair.server.app.take = nullptr;
      BOOST_TEST(connection.resume(id).has_value());
      // Nothing else works any more.
      BOOST_TEST((connection.write(StreamId(1), text("x")).error() == StreamError::connection_closed));
      BOOST_TEST((connection.open_stream(StreamType::bidirectional).error() == StreamError::connection_closed));
      BOOST_TEST((connection.finish(id).error() == StreamError::connection_closed));
      BOOST_TEST((connection.reset(id, 1).error() == StreamError::connection_closed));
      BOOST_TEST((connection.stop_sending(id, 1).error() == StreamError::connection_closed));
      BOOST_TEST(connection.writable_bytes(id) == 0u);
      connection.close(1, "again");
    };
    if (how == 0) client->close(1, "");
    if (how == 1) pair.server_connection()->close(1, "");
    if (how == 2) pair.lose = [](Role, ByteView) { return true; };
    pair.advance(120s);
    BOOST_TEST(std::ranges::equal(pair.server.app.data[id], text("for later")));
    BOOST_TEST(pair.server.app.ended.size() == 1u);
    const std::vector<std::string> expected = {"closed", "data"};
    BOOST_TEST(heard == expected);
    BOOST_TEST(pair.server.endpoint.connection_count() == 0u);
  }
}

BOOST_AUTO_TEST_CASE(nothing_is_told_between_close_and_it) {
  // Each side closes from inside an event that more was to follow: the rest of the bytes, and other streams of the same
  // acknowledgement.
  DirectPair pair;
  Connection* client = pair.establish();
  std::vector<StreamId> ids;
  pair.client.app.hook = [&](std::string_view event, Connection& connection, StreamId) {
    if (event == "finished") connection.close(1, "");
  };
  for (int i = 0; i < 3; ++i) {
    ids.push_back(*client->open_stream(StreamType::unidirectional));
    (void)client->write(ids.back(), text("x"));
    (void)client->finish(ids.back());
  }
  pair.advance(1s);
  BOOST_TEST(pair.client.app.finished.size() == 1u);
  BOOST_TEST(pair.client.app.closed.size() == 1u);
  pair.advance(20s);

  Attacker attacker(pair.server, pair.now);
  BOOST_REQUIRE(attacker.connect());
  pair.server.app.data.clear();
  std::vector<std::string> heard;
  pair.server.app.hook = [&](std::string_view event, Connection& connection, StreamId id) {
    heard.emplace_back(event);
    if (event == "data" && heard.size() < 3) connection.close(1, "");
    if (event == "closed") BOOST_TEST(connection.resume(id).has_value());
  };
  attacker.send(stream_frame(kFirstUni, 1, text("bc")));
  attacker.send(stream_frame(kFirstUni, 0, text("a")));
  const std::vector<std::string> before = {"opened", "data"};
  BOOST_TEST(heard == before);
  pair.server.app.hook = [&](std::string_view event, Connection& connection, StreamId) {
    heard.emplace_back(event);
    if (event == "closed") BOOST_TEST(connection.resume(kFirstUni).has_value());
  };
  attacker.collect();
  const std::vector<std::string> all = {"opened", "data", "closed", "data"};
  BOOST_TEST(heard == all);
  BOOST_TEST(std::ranges::equal(pair.server.app.data[kFirstUni], text("abc")));
}

BOOST_AUTO_TEST_CASE(nothing_is_told_after_it) {
  DirectPair pair;
  Attacker client(pair.server, pair.now);
  BOOST_REQUIRE(client.connect());
  client.connection().close(1, "");
  client.collect();
  BOOST_TEST(pair.server.app.closed.size() == 1u);
  const std::uint64_t events = pair.server.app.events;
  client.ask(stream_frame(kFirstUni, 0, text("too late")));
  pair.advance(60s);
  BOOST_TEST(pair.server.app.events == events);
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(idle)

BOOST_AUTO_TEST_CASE(the_smaller_timeout_ends_both_sides_without_a_word) {
  DirectPair::Config config;
  config.client.transport.idle_timeout = 5s;
  DirectPair pair(config);
  pair.establish();
  pair.advance(1s);  // the last acknowledgement
  const std::uint64_t before = pair.datagrams[0] + pair.datagrams[1];
  pair.advance(3500ms);
  BOOST_TEST(pair.client.app.closed.size() + pair.server.app.closed.size() == 0u);
  pair.advance(600ms);
  BOOST_REQUIRE(pair.client.app.closed.size() == 1u);
  BOOST_REQUIRE(pair.server.app.closed.size() == 1u);
  for (const Host* host : {&pair.client, &pair.server}) {
    BOOST_TEST((host->app.closed[0].by == CloseInfo::By::timeout));
    BOOST_TEST((host->app.closed[0].transport_code() == TransportErrorCode::idle_timeout));
    BOOST_TEST(host->endpoint.connection_count() == 0u);
  }
  BOOST_TEST(pair.datagrams[0] + pair.datagrams[1] == before);
}

BOOST_AUTO_TEST_CASE(a_keepalive_holds_it_at_one_ping_for_each_interval) {
  DirectPair::Config config;
  config.client.transport.idle_timeout = 5s;
  config.client.transport.keepalive = 2s;
  DirectPair pair(config);
  pair.establish();
  pair.advance(1s);
  const std::uint64_t before = pair.datagrams[0];
  pair.advance(100s);
  BOOST_TEST(pair.client.app.closed.empty());
  BOOST_TEST(pair.server.app.closed.empty());
  BOOST_TEST(pair.datagrams[0] - before >= 48u);
  BOOST_TEST(pair.datagrams[0] - before <= 52u);
}

BOOST_AUTO_TEST_CASE(a_keepalive_does_not_hold_a_peer_that_is_gone) {
  DirectPair::Config config;
  config.client.transport.idle_timeout = 5s;
  config.client.transport.keepalive = 1s;
  DirectPair pair(config);
  pair.establish();
  pair.advance(1s);
  pair.lose = [](Role, ByteView) { return true; };
  pair.advance(8s);
  BOOST_TEST(pair.client.app.closed.size() == 1u);
  BOOST_TEST(pair.server.app.closed.size() == 1u);
}

BOOST_AUTO_TEST_SUITE_END()
