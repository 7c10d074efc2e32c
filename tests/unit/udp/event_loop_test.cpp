// Two endpoints over real sockets on loopback: the loop as a program drives it, and as a foreign loop does.
#include "mxp/event_loop.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <openssl/sha.h>
#include <poll.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <boost/test/unit_test.hpp>
#include <cerrno>
#include <thread>

#include "udp/clock.h"
#include "udp/event_loop_access.h"
#include "udp/udp_socket.h"
#include "unit/udp/udp_support.h"

namespace mxp::test {
namespace {

using namespace std::chrono_literals;

using Digest = std::array<std::uint8_t, SHA256_DIGEST_LENGTH>;

Digest digest_of(ByteView bytes) {
  Digest out{};
  SHA256(bytes.data(), bytes.size(), out.data());
  return out;
}

// Collects a stream and answers with the digest of what came. It may run in a thread of its own, where Boost.Test must
// not be called: what fails is kept for later.
struct DigestServer final : Handler {
  Datagram received;
  bool answered = false;
  std::size_t on_stream_data(Connection& connection, StreamId id, ByteView data, bool fin) override {
    received.insert(received.end(), data.begin(), data.end());
    if (fin) {
      const Digest digest = digest_of(received);
      answered = connection.write(id, digest).value_or(0) == digest.size() && connection.finish(id).has_value();
    }
    return data.size();
  }
};

// Sends `data` on one stream, keeps the answer, closes.
struct SendingClient final : Handler {
  Datagram data;
  std::size_t written = 0;
  Datagram answer;
  bool closed = false;
  CloseInfo close_info;
  std::function<void(Connection&)> when_connected = [](Connection&) {};
  std::function<void()> when_closed = [] {};

  void on_connected(Connection& connection) override {
    when_connected(connection);
    const auto id = connection.open_stream(StreamType::bidirectional);
    BOOST_REQUIRE(id.has_value());
    write(connection, *id);
  }
  void on_stream_writable(Connection& connection, StreamId id) override { write(connection, id); }
  void write(Connection& connection, StreamId id) {
    if (written == data.size()) return;
    const auto taken = connection.write(id, ByteView(data).subspan(written));
    BOOST_REQUIRE(taken.has_value());
    written += *taken;
    if (written == data.size()) BOOST_REQUIRE(connection.finish(id).has_value());
  }
  std::size_t on_stream_data(Connection& connection, StreamId, ByteView bytes, bool fin) override {
    answer.insert(answer.end(), bytes.begin(), bytes.end());
    if (fin) connection.close(0, "done");
    return bytes.size();
  }
  void on_closed(Connection&, const CloseInfo& info) override {
    closed = true;
    close_info = info;
    when_closed();
  }
};

struct Pair {
  PrivateKey server_key = PrivateKey::generate(system_random());
  DigestServer server_handler;
  SendingClient client_handler;
  std::unique_ptr<EventLoop> server;
  std::unique_ptr<EventLoop> client;

  explicit Pair(std::size_t bytes, std::unique_ptr<Carrier> server_carrier = make(Kind::linux_offload),
                std::unique_ptr<Carrier> client_carrier = make(Kind::linux_offload)) {
    client_handler.data = pattern(bytes);
    auto made =
        EventLoopAccess::create(std::move(server_carrier), {.identity = server_key, .accept = true}, server_handler);
    BOOST_REQUIRE(made.has_value());
    server = std::move(*made);
    made = EventLoopAccess::create(std::move(client_carrier), {.identity = PrivateKey::generate(system_random())},
                                   client_handler);
    BOOST_REQUIRE(made.has_value());
    client = std::move(*made);
  }

  void connect() { connect(server->local_address()); }
  void connect(const SocketAddress& to) {
    BOOST_REQUIRE(client->endpoint().connect(client->now(), to, server_key.public_key()).has_value());
  }

  // Both under one poll(2), as a foreign loop has them, until the client's connection has ended.
  void run_in_one_thread(Duration limit = 20s) {
    client->flush();
    const Timestamp give_up = monotonic_now() + limit;
    while (!client_handler.closed && monotonic_now() < give_up) {
      std::array<pollfd, 2> entries{{{server->fd(), POLLIN, 0}, {client->fd(), POLLIN, 0}}};
      BOOST_REQUIRE(::poll(entries.data(), entries.size(), 5000) >= 0);  // the descriptors alone wake us for deadlines
      BOOST_REQUIRE(server->process(server->now()).has_value());
      BOOST_REQUIRE(client->process(client->now()).has_value());
    }
    BOOST_REQUIRE(client_handler.closed);
  }

  void check_delivered() const {
    BOOST_TEST(client_handler.written == client_handler.data.size());
    BOOST_TEST(server_handler.answered);
    const Digest expected = digest_of(client_handler.data);
    BOOST_TEST((client_handler.answer == Datagram(expected.begin(), expected.end())));
    BOOST_TEST(client_handler.close_info.application);
    BOOST_TEST(client_handler.close_info.reason == "done");
  }
};

}  // namespace

BOOST_AUTO_TEST_SUITE(event_loop)

BOOST_AUTO_TEST_CASE(eight_mebibytes_cross_two_threads_intact) {
  Pair pair(8u << 20);
  pair.client_handler.when_closed = [&] { pair.client->stop(); };
  pair.connect();
  bool server_ran = false;
  std::thread server([&] { server_ran = pair.server->run().has_value(); });
  BOOST_TEST(pair.client->run().has_value());
  pair.server->stop();
  server.join();
  BOOST_TEST(server_ran);
  pair.check_delivered();
}

BOOST_AUTO_TEST_CASE(a_foreign_loop_needs_only_the_descriptor_and_process) {
  Pair pair(2u << 20);
  pair.connect();
  pair.run_in_one_thread();
  pair.check_delivered();
}

BOOST_AUTO_TEST_CASE(a_turn_sends_no_more_than_a_timer_can_wait_for) {
  constexpr std::uint64_t kMostInATurn = 128 * 1024, kRun = 65507;
  Pair pair(8u << 20);
  EndpointConfig config{.identity = PrivateKey::generate(system_random())};
  config.transport.recovery.congestion_control = CongestionControl::none;  // so that nothing else bounds a turn
  config.transport.recovery.pacing = false;
  auto made = EventLoop::create({.bind = SocketAddress::ipv4(127, 0, 0, 1, 0)}, std::move(config), pair.client_handler);
  BOOST_REQUIRE(made.has_value());
  pair.client = std::move(*made);
  pair.connect();
  pair.client->flush();
  std::uint64_t most = 0;
  for (const Timestamp give_up = monotonic_now() + 20s; !pair.client_handler.closed && monotonic_now() < give_up;) {
    BOOST_REQUIRE(pair.server->process(pair.server->now()).has_value());
    const std::uint64_t before = pair.client->carrier_stats().bytes_sent;
    BOOST_REQUIRE(pair.client->process(pair.client->now()).has_value());
    most = std::max(most, pair.client->carrier_stats().bytes_sent - before);
  }
  pair.check_delivered();
  BOOST_TEST(most >= kMostInATurn);  // a turn that is short for another reason would show nothing
  BOOST_TEST(most < kMostInATurn + kRun);
}

BOOST_AUTO_TEST_CASE(every_carrier_talks_to_every_carrier) {
  for (const Kind server : kKinds) {
    for (const Kind client : kKinds) {
      BOOST_TEST_CONTEXT(fmt::format("{} serves {}", name_of(server), name_of(client))) {
        Pair pair(200'000, make(server), make(client));
        pair.connect();
        pair.run_in_one_thread();
        pair.check_delivered();
      }
    }
  }
}

BOOST_AUTO_TEST_CASE(a_server_on_all_addresses_answers_from_the_one_that_was_asked) {
  Pair pair(50'000, make(Kind::linux_offload, kAnyIpv4));
  pair.connect(SocketAddress::ipv4(127, 0, 0, 5, pair.server->local_address().port));
  pair.run_in_one_thread();
  pair.check_delivered();
}

// Threat t43 with the engine on top: whatever fails, the connection goes on and every byte arrives.
BOOST_AUTO_TEST_CASE(failing_system_calls_cost_time_but_no_byte) {
  for (const int code : {EAGAIN, ENOBUFS, ENOMEM, EINTR, EPERM, EIO, EINVAL, EMSGSIZE, ECONNREFUSED, ENETUNREACH}) {
    BOOST_TEST_CONTEXT(std::strerror(code)) {
      FaultySyscalls server_calls;
      FaultySyscalls client_calls;
      server_calls.fails = [&](FaultySyscalls::Call, std::size_t before) { return before % 7 == 3 ? code : 0; };
      client_calls.fails = [&](FaultySyscalls::Call, std::size_t before) { return before % 5 == 2 ? code : 0; };
      Pair pair(100'000, make(Kind::linux_offload, kLoopback, server_calls),
                make(Kind::linux_offload, kLoopback, client_calls));
      pair.connect();
      pair.run_in_one_thread();
      pair.check_delivered();
    }
  }
}

BOOST_AUTO_TEST_CASE(a_datagram_too_large_for_the_interface_is_told_to_the_connection_and_sent_again) {
  FaultySyscalls calls;
  bool refuse = false;
  std::size_t refused = 0;
  calls.refuses = [&](const msghdr& message) {
    // Runs of full packets; a single datagram of the connection must get through for the loss to be found.
    if (!refuse || message.msg_iov[0].iov_len < 1100) return 0;
    ++refused;
    return EMSGSIZE;
  };
  Pair pair(100'000, make(Kind::linux_offload), make(Kind::linux_offload, kLoopback, calls));
  pair.connect();
  const Connection* connection = nullptr;
  pair.client_handler.when_connected = [&](Connection& made) {
    connection = &made;
    refuse = true;
  };
  pair.client->flush();
  while (refused == 0 || pair.client->carrier_stats().dropped_too_big == 0) {
    std::array<pollfd, 2> entries{{{pair.server->fd(), POLLIN, 0}, {pair.client->fd(), POLLIN, 0}}};
    BOOST_REQUIRE(::poll(entries.data(), entries.size(), 5000) > 0);
    BOOST_REQUIRE(pair.server->process(pair.server->now()).has_value());
    BOOST_REQUIRE(pair.client->process(pair.client->now()).has_value());
  }
  BOOST_REQUIRE(connection != nullptr);
  BOOST_TEST(connection->stats().datagrams_too_large == 1u);  // one address, however many datagrams
  refuse = false;
  pair.run_in_one_thread();
  pair.check_delivered();
}

BOOST_AUTO_TEST_CASE(a_socket_that_never_takes_anything_does_not_make_the_loop_spin) {
  for (const int code : {EAGAIN, ENOBUFS, EPERM, ECONNREFUSED, EINTR, EMSGSIZE}) {
    BOOST_TEST_CONTEXT(std::strerror(code)) {
      FaultySyscalls calls;
      calls.fails = [&](FaultySyscalls::Call call, std::size_t) {
        return call == FaultySyscalls::Call::send ? code : 0;
      };
      Pair pair(1000, make(Kind::linux_offload), make(Kind::linux_offload, kLoopback, calls));
      pair.connect();
      int turns = 0;
      pair.client->flush();
      const Timestamp end = monotonic_now() + 60ms;
      for (Timestamp now = monotonic_now(); now < end; now = monotonic_now()) {
        pollfd entry{.fd = pair.client->fd(), .events = POLLIN, .revents = 0};
        ::poll(&entry, 1, static_cast<int>(std::chrono::ceil<std::chrono::milliseconds>(end - now).count()));
        BOOST_REQUIRE(pair.client->process(pair.client->now()).has_value());
        ++turns;
      }
      BOOST_TEST(turns < 300);  // one for each millisecond, with room; a spin makes a hundred thousand
      BOOST_TEST(!pair.client_handler.closed);
    }
  }
}

BOOST_AUTO_TEST_CASE(the_end_is_told_where_the_socket_never_takes_our_close) {
  FaultySyscalls calls;
  bool full = false;
  calls.fails = [&](FaultySyscalls::Call call, std::size_t) {
    return full && call == FaultySyscalls::Call::send ? ENOBUFS : 0;
  };
  Pair pair(1 << 20, make(Kind::linux_offload), make(Kind::linux_offload, kLoopback, calls));
  pair.connect();
  Connection* connection = nullptr;
  pair.client_handler.when_connected = [&](Connection& made) {
    connection = &made;
    full = true;  // so the socket refuses the first data, and is not asked to take a CLOSE
  };
  pair.client->flush();
  while (connection == nullptr) {
    std::array<pollfd, 2> entries{{{pair.server->fd(), POLLIN, 0}, {pair.client->fd(), POLLIN, 0}}};
    BOOST_REQUIRE(::poll(entries.data(), entries.size(), 5000) > 0);
    BOOST_REQUIRE(pair.server->process(pair.server->now()).has_value());
    BOOST_REQUIRE(pair.client->process(pair.client->now()).has_value());
  }
  connection->close(1, "enough");
  const Timestamp begin = pair.client->now();
  for (int i = 0; i != 200 && !pair.client_handler.closed; ++i)
    BOOST_REQUIRE(pair.client->process(begin + i * 500ms).has_value());
  BOOST_TEST(pair.client_handler.closed);
  BOOST_TEST(pair.client->endpoint().connection_count() == 0u);
}

BOOST_AUTO_TEST_CASE(a_socket_that_cannot_be_read_does_not_make_the_loop_spin) {
  FaultySyscalls calls;
  calls.fails = [](FaultySyscalls::Call call, std::size_t) {
    return call == FaultySyscalls::Call::receive ? ENOMEM : 0;
  };
  Pair pair(1000, make(Kind::linux_offload, kLoopback, calls));
  pair.connect();
  pair.client->flush();  // something to read is there
  int turns = 0;
  const Timestamp end = monotonic_now() + 60ms;
  for (Timestamp now = monotonic_now(); now < end; now = monotonic_now()) {
    pollfd entry{.fd = pair.server->fd(), .events = POLLIN, .revents = 0};
    ::poll(&entry, 1, static_cast<int>(std::chrono::ceil<std::chrono::milliseconds>(end - now).count()));
    BOOST_REQUIRE(pair.server->process(pair.server->now()).has_value());
    ++turns;
  }
  BOOST_TEST(turns < 300);
  calls.fails = [](FaultySyscalls::Call, std::size_t) { return 0; };  // memory is there again
  pair.run_in_one_thread();
  pair.check_delivered();
}

BOOST_AUTO_TEST_CASE(nobody_listening_ends_the_attempt_at_once) {
  Pair pair(1000);
  SocketAddress closed;
  {
    auto gone = make(Kind::portable);
    closed = gone->local_address();
  }
  pair.connect(closed);
  const Timestamp start = monotonic_now();
  pair.run_in_one_thread();
  BOOST_TEST((monotonic_now() - start < 1s));  // the handshake's own timeout is ten
  BOOST_TEST((pair.client_handler.close_info.by == CloseInfo::By::network));
  BOOST_TEST((pair.client_handler.close_info.transport_code() == TransportErrorCode::unreachable));
  BOOST_TEST(pair.client->carrier_stats().unreachable_reports >= 1u);
}

BOOST_AUTO_TEST_CASE(a_stop_before_run_is_not_lost) {
  Pair pair(0);
  pair.server->stop();
  BOOST_TEST(pair.server->run().has_value());
}

using RunLoop = std::expected<void, IoError> (*)(EventLoop&);
std::expected<void, IoError> sleeping(EventLoop& loop) { return loop.run(); }

BOOST_AUTO_TEST_CASE(a_stop_from_another_thread_ends_run) {
  for (const RunLoop run : {sleeping, EventLoopAccess::spin}) {
    Pair pair(0);
    std::thread other([&] { pair.server->stop(); });
    BOOST_TEST(run(*pair.server).has_value());
    other.join();
  }
}

BOOST_AUTO_TEST_CASE(a_loop_stops_when_the_peer_has_heard_of_the_end) {
  for (const RunLoop run : {sleeping, EventLoopAccess::spin}) {
    Pair pair(1000);
    pair.client_handler.when_closed = [&] { pair.client->stop_when_closed(60s); };
    std::thread server([&] { (void)pair.server->run(); });
    const Timestamp start = monotonic_now();
    // Twice: what one run() waited for does not end the next one.
    for (int i = 0; i < 2; ++i) {
      pair.client_handler.closed = false;
      pair.client_handler.written = 0;
      pair.client_handler.answer.clear();
      pair.connect();
      BOOST_TEST(run(*pair.client).has_value());
      BOOST_TEST(pair.client_handler.closed);
      BOOST_TEST(pair.client->endpoint().connection_count() == pair.client->endpoint().draining_count());
    }
    BOOST_TEST((monotonic_now() - start < 60s));
    pair.server->stop();
    server.join();
  }
}

BOOST_AUTO_TEST_CASE(what_a_full_socket_has_not_taken_is_still_to_be_said) {
  FaultySyscalls calls;
  int refusals = 0;
  calls.fails = [&](FaultySyscalls::Call call, std::size_t) {
    if (call != FaultySyscalls::Call::send || refusals == 0) return 0;
    --refusals;
    return ENOBUFS;
  };
  Pair pair(1000, make(Kind::linux_offload, kLoopback, calls));
  pair.connect();
  pair.run_in_one_thread();  // the client's CLOSE waits at the server's socket
  const std::uint64_t before = pair.server->carrier_stats().datagrams_sent;
  refusals = 3;
  pair.server->stop_when_closed(60s);
  BOOST_TEST(pair.server->run().has_value());
  BOOST_TEST(refusals == 0);
  BOOST_TEST(pair.server->carrier_stats().datagrams_sent > before);
}

BOOST_AUTO_TEST_CASE(a_loop_with_nothing_left_to_say_stops_at_once) {
  Pair pair(0);
  pair.client->stop_when_closed(60s);
  BOOST_TEST(pair.client->run().has_value());
}

BOOST_AUTO_TEST_CASE(a_loop_does_not_wait_longer_than_it_was_told_and_takes_no_new_clients_meanwhile) {
  Pair pair(1000);
  pair.connect();
  pair.client->flush();
  while (pair.server->endpoint().connection_count() == 0)
    BOOST_REQUIRE(pair.server->process(pair.server->now()).has_value());
  // A client that does not run answers nothing.
  pair.server->stop_when_closed(50ms);
  const Timestamp start = monotonic_now();
  BOOST_TEST(pair.server->run().has_value());
  BOOST_TEST((monotonic_now() - start >= 50ms));
  pair.connect();
  pair.client->flush();
  BOOST_REQUIRE(pair.server->process(pair.server->now()).has_value());
  BOOST_TEST(pair.server->endpoint().connection_count() == 1u);
}

void timers_and_watched_descriptors_run_in(RunLoop run) {
  Pair pair(0);
  EventLoop& loop = *pair.server;
  std::array<int, 2> ends{};
  BOOST_REQUIRE(::pipe2(ends.data(), O_CLOEXEC | O_NONBLOCK) == 0);
  const UniqueFd read_end(ends[0]);
  const UniqueFd write_end(ends[1]);
  std::string order;
  const Timestamp start = loop.now();
  const auto cancelled = loop.at(start + 5ms, [&] { order += 'x'; });
  loop.at(start + 1ms, [&] { loop.cancel(cancelled); });
  loop.at(start + 10ms, [&] {
    order += 't';
    BOOST_TEST((loop.now() >= start + 10ms));
    BOOST_TEST(::write(write_end.get(), "p", 1) == 1);
  });
  loop.watch(read_end.get(), FdEvent::readable, [&] {
    char c = 0;
    BOOST_TEST(::read(read_end.get(), &c, 1) == 1);
    order += c;
    loop.unwatch(read_end.get());
    loop.stop();
  });
  BOOST_TEST(run(loop).has_value());
  BOOST_TEST(order == "tp");
}

BOOST_AUTO_TEST_CASE(timers_and_watched_descriptors_run_in_the_loop) {
  timers_and_watched_descriptors_run_in(sleeping);
}
BOOST_AUTO_TEST_CASE(timers_and_watched_descriptors_run_in_a_loop_that_spins) {
  timers_and_watched_descriptors_run_in(EventLoopAccess::spin);
}

// In run() the deadline goes along with the wait; afterwards the descriptor tells of it again.
BOOST_AUTO_TEST_CASE(a_foreign_loop_may_take_over_after_run) {
  Pair pair(0);
  EventLoop& loop = *pair.server;
  const int slack_before = ::prctl(PR_GET_TIMERSLACK);
  int slack_in_run = 0;
  bool later = false;
  loop.at(loop.now() + 30ms, [&] { later = true; });
  loop.at(loop.now() + 1ms, [&] {
    slack_in_run = ::prctl(PR_GET_TIMERSLACK);
    loop.stop();
  });
  BOOST_TEST(loop.run().has_value());
  BOOST_TEST(slack_in_run == 1);
  BOOST_TEST(::prctl(PR_GET_TIMERSLACK) == slack_before);
  while (!later) {
    pollfd entry{.fd = loop.fd(), .events = POLLIN, .revents = 0};
    BOOST_REQUIRE(::poll(&entry, 1, 5000) == 1);
    BOOST_REQUIRE(loop.process(loop.now()).has_value());
  }
}

BOOST_AUTO_TEST_CASE(what_is_added_from_outside_wakes_a_foreign_loop) {
  Pair pair(0);
  EventLoop& loop = *pair.server;
  const auto is_readable = [&](int timeout_ms) {
    pollfd entry{.fd = loop.fd(), .events = POLLIN, .revents = 0};
    return ::poll(&entry, 1, timeout_ms) == 1;
  };
  BOOST_TEST(!is_readable(0));
  bool fired = false;
  loop.at(loop.now() + 5ms, [&] { fired = true; });
  BOOST_TEST((loop.next_timeout() <= loop.now() + 5ms));
  BOOST_TEST(is_readable(5000));
  while (!fired) BOOST_REQUIRE(loop.process(loop.now()).has_value());
  BOOST_TEST(!is_readable(0));
  // A regular file never waits, so neither may the loop.
  std::string path = "/tmp/mxp-loop-XXXXXX";
  const UniqueFd file(::mkstemp(path.data()));
  ::unlink(path.c_str());
  int calls = 0;
  loop.watch(file.get(), FdEvent::readable, [&] { ++calls; });
  BOOST_TEST(is_readable(1000));
  BOOST_REQUIRE(loop.process(loop.now()).has_value());
  BOOST_TEST(is_readable(1000));
  BOOST_REQUIRE(loop.process(loop.now()).has_value());
  BOOST_TEST(calls == 2);
  loop.unwatch(file.get());
  BOOST_REQUIRE(loop.process(loop.now()).has_value());
  BOOST_TEST(!is_readable(0));
}

BOOST_AUTO_TEST_CASE(a_port_in_use_is_an_error_of_create) {
  Pair pair(0);
  auto second =
      EventLoop::create({.bind = pair.server->local_address()}, {.identity = pair.server_key}, pair.server_handler);
  BOOST_REQUIRE(!second.has_value());
  BOOST_TEST(second.error().code == EADDRINUSE);
}

// The announcement is in connection/handshake_payload.cpp; a peer may use all of it, and a stranger's message 1 more.
BOOST_AUTO_TEST_CASE(a_datagram_as_large_as_the_endpoint_allows_finds_room) {
  struct Case {
    std::size_t max_receive_udp_payload, largest;
  };
  for (const Case& each :
       {Case{9000, 9000}, Case{kMinInitialSize, kMaxInitialSize}, Case{kMaxUdpPayload, kMaxUdpPayload},
        Case{TransportConfig{}.max_receive_udp_payload, kMaxUdpPayload}}) {
    DigestServer handler;
    EndpointConfig config{.identity = PrivateKey::generate(system_random()), .accept = true};
    config.transport.max_receive_udp_payload = each.max_receive_udp_payload;
    // Without offload: coalesced receives need the largest buffers anyway.
    const auto made = EventLoop::create({.bind = kLoopback, .offload = false}, config, handler);
    BOOST_REQUIRE(made.has_value());
    EventLoop& loop = **made;
    const auto sender = make(Kind::portable);
    const auto send = [&](std::size_t size) {
      const Datagram bytes = pattern(size);
      OutgoingRun run = run_to(loop.local_address(), bytes, size);
      sender->send({&run, 1});
    };
    const auto arrived = [&] {
      pollfd entry{.fd = loop.fd(), .events = POLLIN, .revents = 0};
      BOOST_REQUIRE(::poll(&entry, 1, 2000) == 1);
      BOOST_REQUIRE(loop.process(loop.now()).has_value());
    };
    send(each.largest);
    arrived();
    BOOST_TEST(loop.carrier_stats().datagrams_received == 1u, each.largest);
    BOOST_TEST(loop.carrier_stats().received_truncated == 0u, each.largest);
    if (each.largest == kMaxUdpPayload) continue;  // none is larger
    send(each.largest + 1);
    arrived();
    BOOST_TEST(loop.carrier_stats().datagrams_received == 1u, each.largest);
    BOOST_TEST(loop.carrier_stats().received_truncated == 1u, each.largest);
  }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace mxp::test
