// The verbs of mxp/connection.h where they are used wrongly, late, or from inside a callback.
#include <boost/test/unit_test.hpp>
#include <functional>

#include "support/host.h"

using namespace mxp;
using namespace mxp::test;

namespace {

StreamId client_stream(StreamType type, std::uint64_t index) { return StreamId::make(Role::client, type, index); }
StreamId server_stream(StreamType type, std::uint64_t index) { return StreamId::make(Role::server, type, index); }

template <typename Result>
bool fails_with(const Result& result, StreamError error) {
  return !result.has_value() && result.error() == error;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(misuse)

BOOST_AUTO_TEST_CASE(nothing_but_close_works_before_the_handshake_is_over) {
  DirectPair pair;
  Connection* connection = pair.connect();
  const StreamId id = client_stream(StreamType::bidirectional, 0);
  BOOST_TEST(fails_with(connection->open_stream(StreamType::bidirectional), StreamError::connection_closed));
  BOOST_TEST(fails_with(connection->write(id, text("x")), StreamError::connection_closed));
  BOOST_TEST(fails_with(connection->finish(id), StreamError::connection_closed));
  BOOST_TEST(connection->writable_bytes(id) == 0u);
  BOOST_TEST(fails_with(connection->stream_stats(id), StreamError::connection_closed));
  BOOST_TEST((connection->state() == ConnectionState::handshaking));
  pair.exchange();
  BOOST_TEST((connection->state() == ConnectionState::established));
}

BOOST_AUTO_TEST_CASE(streams_that_do_not_exist) {
  DirectPair pair;
  Connection* connection = pair.establish();
  for (const StreamId id : {client_stream(StreamType::bidirectional, 0), server_stream(StreamType::unidirectional, 7),
                            StreamId(kMaxVarint)}) {
    BOOST_TEST(fails_with(connection->write(id, text("x")), StreamError::unknown_stream));
    BOOST_TEST(fails_with(connection->finish(id), StreamError::unknown_stream));
    BOOST_TEST(fails_with(connection->reset(id, 1), StreamError::unknown_stream));
    BOOST_TEST(fails_with(connection->stop_sending(id, 1), StreamError::unknown_stream));
    BOOST_TEST(fails_with(connection->resume(id), StreamError::unknown_stream));
    BOOST_TEST(fails_with(connection->stream_stats(id), StreamError::unknown_stream));
    BOOST_TEST(connection->writable_bytes(id) == 0u);
  }
}

BOOST_AUTO_TEST_CASE(the_wrong_direction_of_a_one_way_stream) {
  DirectPair pair;
  Connection* client = pair.establish();
  Connection* server = pair.server_connection();
  const StreamId id = *client->open_stream(StreamType::unidirectional);
  (void)client->write(id, text("x"));
  pair.exchange();
  BOOST_TEST(fails_with(server->write(id, text("x")), StreamError::wrong_direction));
  BOOST_TEST(fails_with(server->finish(id), StreamError::wrong_direction));
  BOOST_TEST(fails_with(server->reset(id, 1), StreamError::wrong_direction));
  BOOST_TEST(fails_with(server->stream_stats(id), StreamError::wrong_direction));
  BOOST_TEST(server->writable_bytes(id) == 0u);
  BOOST_TEST(fails_with(client->stop_sending(id, 1), StreamError::wrong_direction));
  BOOST_TEST(fails_with(client->resume(id), StreamError::wrong_direction));
}

BOOST_AUTO_TEST_CASE(an_end_is_an_end) {
  DirectPair pair;
  Connection* client = pair.establish();
  const StreamId finished = *client->open_stream(StreamType::unidirectional);
  const StreamId reset = *client->open_stream(StreamType::unidirectional);
  BOOST_TEST(client->finish(finished).has_value());
  BOOST_TEST(client->finish(finished).has_value());  // idempotent
  BOOST_TEST(fails_with(client->write(finished, text("x")), StreamError::finished));
  BOOST_TEST(client->reset(reset, 5).has_value());
  BOOST_TEST(fails_with(client->write(reset, text("x")), StreamError::reset));
  BOOST_TEST(fails_with(client->finish(reset), StreamError::reset));
  BOOST_TEST(fails_with(client->reset(reset, 6), StreamError::reset));
  pair.exchange();
  BOOST_REQUIRE(pair.server.app.resets.size() == 1u);
  BOOST_TEST(pair.server.app.resets[0].second == 5u);
  BOOST_TEST(pair.server.app.ended.size() == 1u);
  pair.advance(1s);
  BOOST_TEST(fails_with(client->write(finished, text("x")), StreamError::unknown_stream));  // finished and forgotten
}

BOOST_AUTO_TEST_CASE(a_full_send_buffer_takes_what_fits) {
  DirectPair::Config config;
  config.client.transport.flow_control.stream_send_buffer = 1000;
  config.server.transport.flow_control.stream_window = 0;
  DirectPair pair(config);
  Connection* client = pair.establish();
  const StreamId id = *client->open_stream(StreamType::unidirectional);
  BOOST_TEST(client->writable_bytes(id) == 1000u);
  BOOST_TEST(client->write(id, Bytes(700)).value() == 700u);
  BOOST_TEST(client->write(id, Bytes(700)).value() == 300u);
  BOOST_TEST(client->write(id, Bytes(700)).value() == 0u);
  BOOST_TEST(client->write(id, {}).value() == 0u);
}

BOOST_AUTO_TEST_CASE(the_send_buffer_of_one_connection_can_be_changed) {
  DirectPair::Config config;
  config.client.transport.flow_control.connection_send_buffer = 200'000;
  config.server.transport.flow_control.stream_window = 0;
  DirectPair pair(config);
  Connection* client = pair.establish();
  const StreamId id = *client->open_stream(StreamType::unidirectional);
  BOOST_TEST(client->write(id, Bytes(50'000)).value() == 50'000u);
  client->set_send_buffer(40'000);
  BOOST_TEST(client->writable_bytes(id) == 0u);  // what was taken stays
  client->set_send_buffer(100'000);
  BOOST_TEST(client->writable_bytes(id) == 50'000u);
  BOOST_REQUIRE(client->open_stream(StreamType::unidirectional).has_value());
  BOOST_TEST(client->writable_bytes(id) == 0u);  // shared by two
}

BOOST_AUTO_TEST_CASE(more_streams_than_the_peer_allows) {
  DirectPair::Config config;
  config.server.transport.flow_control.max_streams_bidirectional = 2;
  config.server.transport.flow_control.max_streams_unidirectional = 0;
  DirectPair pair(config);
  Connection* client = pair.establish();
  BOOST_TEST(client->open_stream(StreamType::bidirectional).has_value());
  BOOST_TEST(client->open_stream(StreamType::bidirectional).has_value());
  BOOST_TEST(fails_with(client->open_stream(StreamType::bidirectional), StreamError::limit_reached));
  BOOST_TEST(fails_with(client->open_stream(StreamType::unidirectional), StreamError::limit_reached));
}

BOOST_AUTO_TEST_CASE(the_context_is_the_applications) {
  DirectPair pair;
  Connection* client = pair.establish();
  BOOST_TEST(client->context() == nullptr);
  client->set_context(&pair);
  BOOST_TEST(client->context() == &pair);
}

// mxp/handler.h: no call but those that drive the endpoint tells the handler anything.
BOOST_AUTO_TEST_CASE(resume_outside_of_a_drive_is_answered_by_the_next_one) {
  DirectPair pair;
  Connection* client = pair.establish();
  pair.server.app.take = [](Connection&, StreamId, ByteView) { return std::size_t{0}; };
  const StreamId id = *client->open_stream(StreamType::unidirectional);
  (void)client->write(id, text("for later"));
  (void)client->finish(id);
  BOOST_REQUIRE(pair.exchange());
  pair.server.app.take = nullptr;
  const std::uint64_t events = pair.server.app.events;
  BOOST_TEST(pair.server_connection()->resume(id).has_value());
  BOOST_TEST(pair.server_connection()->resume(id).has_value());
  BOOST_TEST(pair.server.app.events == events);
  BOOST_REQUIRE(pair.exchange());
  BOOST_TEST(pair.server.app.events == events + 1);
  BOOST_TEST(pair.server.app.data[id] == copy_of(text("for later")));
  BOOST_TEST(pair.server.app.ended.size() == 1u);
}

// The same after close(), until on_closed is told.
BOOST_AUTO_TEST_CASE(resume_before_on_closed_is_answered_first) {
  DirectPair pair;
  Connection* client = pair.establish();
  pair.server.app.take = [](Connection&, StreamId, ByteView) { return std::size_t{0}; };
  const StreamId id = *client->open_stream(StreamType::unidirectional);
  (void)client->write(id, text("for later"));
  BOOST_REQUIRE(pair.exchange());
  pair.server.app.take = nullptr;
  std::vector<std::string> heard;
  pair.server.app.hook = [&](std::string_view event, Connection&, StreamId) { heard.emplace_back(event); };
  pair.server_connection()->close(1, "");
  BOOST_TEST(pair.server_connection()->resume(id).has_value());
  BOOST_TEST(heard.empty());
  BOOST_REQUIRE(pair.exchange());
  BOOST_TEST(heard == (std::vector<std::string>{"data", "closed"}), boost::test_tools::per_element());
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(reentrancy)

namespace {

// A conversation in which every callback happens on one side or the other.
struct Conversation {
  explicit Conversation(DirectPair& pair_) : pair(pair_) {
    pair.client.app.hook = [this](std::string_view event, Connection& connection, StreamId id) {
      on_event(Role::client, event, connection, id);
    };
    pair.server.app.hook = [this](std::string_view event, Connection& connection, StreamId id) {
      on_event(Role::server, event, connection, id);
    };
  }

  static DirectPair::Config config() {
    DirectPair::Config config;
    config.client.transport.flow_control.stream_send_buffer = 3000;
    config.server.transport.flow_control.max_streams_unidirectional = 2;
    return config;
  }

  void on_event(Role role, std::string_view event, Connection& connection, StreamId id) {
    seen.insert({role, std::string(event)});
    if (role == target_role && event == target_event && !done) {
      done = true;
      action(connection, id);
    }
    if (role == Role::client && event == "connected") begin(connection);
    if (role == Role::client && event == "writable" && id == big) fill(connection);
    if (role == Role::client && event == "available") (void)connection.open_stream(StreamType::unidirectional);
    if (role == Role::server && event == "opened" && id == client_stream(StreamType::bidirectional, 0)) {
      (void)connection.stop_sending(id, 4);
      (void)connection.write(id, text("answer"));
      (void)connection.finish(id);
    }
  }
  void begin(Connection& connection) {
    const auto two_way = connection.open_stream(StreamType::bidirectional);
    if (!two_way) return;
    (void)connection.write(*two_way, text("question"));
    const auto first = connection.open_stream(StreamType::unidirectional);
    const auto second = connection.open_stream(StreamType::unidirectional);
    if (first) big = *first;
    fill(connection);
    if (second) {
      (void)connection.write(*second, text("never mind"));
      to_reset = *second;
    }
    (void)connection.open_stream(StreamType::unidirectional);  // beyond the limit: "available" will come
  }
  void fill(Connection& connection) {
    while (written < 20'000) {
      const auto taken = connection.write(big, Bytes(std::min<std::size_t>(1000, 20'000 - written)));
      if (!taken) return;
      written += *taken;
      if (*taken == 0) return;
    }
    (void)connection.finish(big);
  }
  void run() {
    dialled = pair.establish();
    pair.advance(100ms);
    if (to_reset && pair.client.app.closed.empty()) (void)dialled->reset(*to_reset, 9);
    pair.advance(2s);
    pair.client.endpoint.close_all(0, "");
    pair.server.endpoint.close_all(0, "");
    pair.advance(60s);
  }

  DirectPair& pair;
  Connection* dialled = nullptr;
  StreamId big = StreamId(kMaxVarint);
  std::optional<StreamId> to_reset;
  std::size_t written = 0;
  std::set<std::pair<Role, std::string>> seen;
  Role target_role = Role::client;
  std::string target_event;
  std::function<void(Connection&, StreamId)> action = [](Connection&, StreamId) {};
  bool done = false;
};

const std::pair<Role, const char*> kEvents[] = {
    {Role::client, "connected"}, {Role::client, "data"},      {Role::client, "stop"},   {Role::client, "writable"},
    {Role::client, "finished"},  {Role::client, "available"}, {Role::client, "closed"}, {Role::server, "connected"},
    {Role::server, "opened"},    {Role::server, "data"},      {Role::server, "reset"},  {Role::server, "finished"},
    {Role::server, "closed"},
};

}  // namespace

BOOST_AUTO_TEST_CASE(every_callback_happens_in_the_conversation) {
  DirectPair pair(Conversation::config());
  Conversation talk(pair);
  talk.run();
  for (const auto& [role, event] : kEvents) BOOST_TEST(talk.seen.contains({role, event}), event);
}

BOOST_AUTO_TEST_CASE(every_verb_may_be_called_from_every_callback) {
  struct Action {
    const char* name;
    std::function<void(DirectPair&, Connection&, StreamId)> run;
  };
  const Action actions[] = {
      {"close", [](DirectPair&, Connection& c, StreamId) { c.close(1, "from inside"); }},
      {"close_all",
       [](DirectPair& p, Connection&, StreamId) {
         p.client.endpoint.close_all(2, "");
         p.server.endpoint.close_all(2, "");
       }},
      {"reset", [](DirectPair&, Connection& c, StreamId id) { (void)c.reset(id, 3); }},
      {"stop_sending", [](DirectPair&, Connection& c, StreamId id) { (void)c.stop_sending(id, 3); }},
      {"finish", [](DirectPair&, Connection& c, StreamId id) { (void)c.finish(id); }},
      {"resume", [](DirectPair&, Connection& c, StreamId id) { (void)c.resume(id); }},
      {"open_and_write",
       [](DirectPair&, Connection& c, StreamId) {
         for (const StreamType type : {StreamType::bidirectional, StreamType::unidirectional})
           if (const auto id = c.open_stream(type)) {
             (void)c.write(*id, Bytes(5000));
             (void)c.reset(*id, 1);
           }
       }},
      {"open_many",
       [](DirectPair&, Connection& c, StreamId) {  // the table of streams grows under the flow's feet
         for (int i = 0; i < 200; ++i)
           if (const auto id = c.open_stream(StreamType::bidirectional)) (void)c.write(*id, text("x"));
       }},
      {"everything_to_the_stream",
       [](DirectPair&, Connection& c, StreamId id) {
         (void)c.write(id, text("x"));
         (void)c.resume(id);
         (void)c.stop_sending(id, 1);
         (void)c.reset(id, 1);
         (void)c.finish(id);
         (void)c.resume(id);
         c.close(1, "");
         (void)c.resume(id);
       }},
      {"connect",
       [](DirectPair& p, Connection&, StreamId) {
         for (int i = 0; i < 20; ++i)
           (void)p.client.endpoint.connect(p.now, kServerAddress, p.server.endpoint.public_key());
       }},
      {"look",
       [](DirectPair& p, Connection& c, StreamId id) {
         (void)c.stats();
         (void)c.writable_bytes(id);
         (void)p.client.endpoint.stats();
         (void)p.client.endpoint.next_timeout();
         (void)p.server.endpoint.connection_count();
       }},
  };
  for (const auto& [role, event] : kEvents) {
    for (const Action& action : actions) {
      BOOST_TEST_CONTEXT(action.name << " inside " << event << (role == Role::client ? " (client)" : " (server)")) {
        DirectPair pair(Conversation::config());
        Conversation talk(pair);
        talk.target_role = role;
        talk.target_event = event;
        talk.action = [&](Connection& connection, StreamId id) { action.run(pair, connection, id); };
        talk.run();
        BOOST_TEST(talk.done);
        // However it went, everything ends: each connection is told its end once and then forgotten.
        pair.advance(60s);
        BOOST_TEST(pair.client.endpoint.connection_count() == 0u);
        BOOST_TEST(pair.server.endpoint.connection_count() == 0u);
        BOOST_TEST(pair.client.app.closed.size() >= pair.client.app.connected.size());
        BOOST_TEST(pair.server.app.closed.size() == pair.server.app.connected.size());
      }
    }
  }
}

BOOST_AUTO_TEST_CASE(closing_inside_stream_data_stops_the_rest_of_the_packet) {
  DirectPair pair;
  Connection* client = pair.establish();
  pair.server.app.hook = [](std::string_view event, Connection& connection, StreamId) {
    if (event == "data") connection.close(1, "first is enough");
  };
  for (int i = 0; i < 5; ++i) {
    const StreamId id = *client->open_stream(StreamType::unidirectional);
    (void)client->write(id, text("x"));
  }
  pair.exchange();
  BOOST_TEST(pair.server.app.opened.size() == 1u);
  BOOST_TEST(pair.server.app.bytes == 1u);
  BOOST_TEST(pair.server.app.closed.size() == 1u);
  BOOST_TEST(pair.client.app.closed.size() == 1u);
}

BOOST_AUTO_TEST_CASE(a_new_connection_may_be_made_from_inside_on_closed) {
  DirectPair pair;
  int left = 5;
  pair.client.app.hook = [&](std::string_view event, Connection& connection, StreamId) {
    if (event == "connected") connection.close(1, "");
    if (event == "closed" && left-- > 0)
      (void)pair.client.endpoint.connect(pair.now, kServerAddress, pair.server.endpoint.public_key());
  };
  pair.establish();
  pair.advance(60s);
  BOOST_TEST(pair.client.app.connected.size() == 6u);
  BOOST_TEST(pair.client.app.closed.size() == 6u);
  BOOST_TEST(pair.client.endpoint.connection_count() == 0u);
}

BOOST_AUTO_TEST_SUITE_END()
