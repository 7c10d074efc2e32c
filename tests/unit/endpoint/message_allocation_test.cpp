// Two endpoints that hand each other their packets in memory, with applications that send messages of every class, call
// each other, send datagrams and open short streams, all at once. Once rings and tables have grown to the size of what
// is under way, neither side allocates for one of them, nor for the packets that carry them.
#include <fmt/format.h>

#include <boost/test/unit_test.hpp>
#include <memory>

#include "support/allocation_counter.h"
#include "support/host.h"
#include "support/sanitized.h"

using namespace mxp;
using namespace mxp::test;

namespace message_allocation_test {
namespace {

constexpr std::uint64_t kLength = kSanitized ? 1 : 5;  // of each run
constexpr Uuid kTarget = {1, 2, 3};

// Takes everything, answers calls with their own data, and counts. It allocates nothing itself.
struct Counting final : Handler {
  Connection* connection = nullptr;
  std::uint64_t messages = 0, outcomes = 0, answers = 0, calls = 0, datagrams = 0, datagram_outcomes = 0, streams = 0,
                finished = 0;
  std::uint64_t refused_answers = 0;

  void on_connected(Connection& it) override { connection = &it; }
  bool on_message(Connection&, const Message& message) override {
    if (message.type != MessageType::ack) ++messages;
    return true;
  }
  void on_message_outcome(Connection&, MessageTicket, MessageOutcome) override { ++outcomes; }
  void on_call(Connection& it, const IncomingCall& call) override {
    ++calls;
    const bool answered = calls % 5 == 0 ? it.answer_error(call.id, ErrorReason(0x8001), "no").has_value()
                                         : it.answer(call.id, call.data).has_value();
    if (!answered) ++refused_answers;
  }
  void on_answer(Connection&, const CallAnswer&) override { ++answers; }
  void on_datagram(Connection&, ByteView) override { ++datagrams; }
  void on_datagram_outcome(Connection&, std::uint64_t, DatagramOutcome) override { ++datagram_outcomes; }
  void on_stream_opened(Connection& it, StreamId id) override {
    if (id.type() == StreamType::bidirectional) (void)it.finish(id);
  }
  std::size_t on_stream_data(Connection&, StreamId, ByteView data, bool fin) override {
    if (fin) ++streams;
    return data.size();
  }
  void on_stream_finished(Connection&, StreamId) override { ++finished; }
};

class Pair {
 public:
  Pair() {
    EndpointConfig configs[2] = {default_client(), default_server()};
    for (EndpointConfig& config : configs) {
      // New keys allocate their ciphers, once for many thousand packets.
      config.transport.key_update = {.packets = 1'000'000, .interval = 24h};
      config.transport.calls.enabled = true;
      config.transport.datagrams.max_payload = 1170;
    }
    client = std::make_unique<Endpoint>(configs[0], randoms_[0], apps[0]);
    server = std::make_unique<Endpoint>(configs[1], randoms_[1], apps[1]);
    const auto made = client->connect(now, kServerAddress, server->public_key());
    BOOST_TEST_REQUIRE(made.has_value());
    run([&] { return apps[0].connection != nullptr && apps[1].connection != nullptr; });
  }

  template <typename Done>
  void run(Done done) {
    for (int idle = 0; !done();) {
      bool busy = hand_over(*client, *server, kClientAddress);
      busy |= hand_over(*server, *client, kServerAddress);
      if (busy) {
        idle = 0;
        continue;
      }
      const Timestamp next = std::min(client->next_timeout(), server->next_timeout());
      BOOST_TEST_REQUIRE((++idle < 1000 && next != kNever));
      now = std::max(now, next);
      for (Endpoint* each : {client.get(), server.get()})
        if (each->next_timeout() <= now) each->on_timeout(now);
    }
  }

  std::uint64_t sum(std::uint64_t Counting::* counter) const { return apps[0].*counter + apps[1].*counter; }

  Timestamp now{std::chrono::hours(1)};
  Counting apps[2];
  std::unique_ptr<Endpoint> client, server;
  bool loses_some = false;  // one packet of twenty

 private:
  bool hand_over(Endpoint& from, Endpoint& to, const SocketAddress& sender) {
    bool any = false;
    while (const auto sent = from.poll_transmit(now, buffer_)) {
      for (std::size_t at = 0; at < sent->size; at += sent->segment_size) {
        const MutableBytes datagram = MutableBytes(buffer_).subspan(at, std::min(sent->segment_size, sent->size - at));
        if (loses_some && ++packets_ % 20 == 0) continue;
        to.receive(now, {datagram, sender, {}, Ecn::not_ect});
      }
      any = true;
    }
    if (any) now += std::chrono::microseconds(20);
    return any;
  }

  std::uint64_t packets_ = 0;
  SeededRandom randoms_[2] = {SeededRandom(1), SeededRandom(2)};
  Bytes buffer_ = Bytes(65536);
};

// Rounds of traffic in both directions, each of which ends before the next one begins. In the first half a round is three
// times as large as in the second, so that what the second half needs is there. Returns the allocations of the second.
constexpr std::uint64_t kInRound = 10;
template <typename Send, typename Done>
std::uint64_t allocations_of(Pair& pair, std::uint64_t rounds, const Send& send, const Done& done) {
  std::uint64_t before = 0;
  for (std::uint64_t round = 0; round != 2 * rounds; ++round) {
    if (round == rounds) before = allocations();
    for (Counting& app : pair.apps) send(app, round < rounds ? 3u * kInRound : kInRound);
    pair.run(done);
  }
  return allocations() - before;
}

// What a connection keeps all its life, records of packets and the list of numbers that were skipped, has its final size
// after some ten thousand packets.
void warm_up(Pair& pair) {
  std::uint64_t sent = 0;
  const auto send = [&](Counting& app, std::uint64_t count) {
    for (std::uint64_t i = 0; i != count / kInRound; ++i, ++sent) {
      const Message message{.id = sent};
      BOOST_REQUIRE(app.connection->send_message(message, {.report_outcome = true}).has_value());
    }
  };
  allocations_of(pair, 2000 * kLength, send, [&] { return pair.sum(&Counting::outcomes) == sent; });
}

// Hundreds of messages and more are measured each time. A table that doubles once more, since more than ever before is
// under way on a link that loses packets, is nothing that each of them costs.
constexpr std::uint64_t kGrowth = 16;

enum class Link { clean, loses_some };

struct Kind {
  std::string name;
  std::size_t size = 64;
  std::uint8_t flags = 0;
  MessageOptions options = {};
  // A seal takes milliseconds.
  std::uint64_t rounds() const { return options.seal == PayloadSealing::none ? 30 * kLength : 10; }
};

std::vector<Kind> kinds_of_short_messages() {
  std::vector<Kind> kinds;
  for (std::size_t i = 0; i != kMessageClasses; ++i)
    for (const std::size_t size : {std::size_t{0}, std::size_t{64}, kMaxShortMessage})
      kinds.push_back({.name = fmt::format("class {}, {} bytes", i, size),
                       .size = size,
                       .options = {.traffic_class = static_cast<MessageClass>(i)}});
  kinds.push_back({.name = "acknowledged", .flags = static_cast<std::uint8_t>(MessageFlag::requires_ack)});
  kinds.push_back({.name = "compressed", .size = 900, .options = {.compress = PayloadCompression::zstd}});
  kinds.push_back({.name = "sealed", .size = 900, .options = {.seal = PayloadSealing::to_peer}});
  kinds.push_back({.name = "compressed and sealed",
                   .size = 900,
                   .options = {.compress = PayloadCompression::zstd, .seal = PayloadSealing::to_peer}});
  return kinds;
}

// Ten messages each way in each round, half of them with a deadline, and one of them cancelled.
std::uint64_t allocations_of_messages(Pair& pair, const Kind& kind, std::uint64_t rounds) {
  const Bytes payload(kind.size, 'x');
  for (Counting& app : pair.apps) app.messages = app.outcomes = 0;
  std::uint64_t sent = 0, cancelled = 0;
  const auto send = [&](Counting& app, std::uint64_t count) {
    MessageTicket ticket;
    for (std::uint64_t i = 0; i != count; ++i) {
      MessageOptions options = kind.options;
      options.report_outcome = true;
      if (i % 2 == 0) options.expires_at = pair.now + 10s;
      const Message message{.flags = kind.flags, .id = sent, .trace_id = i, .payload = payload};
      const auto taken = app.connection->send_message(message, options);
      BOOST_REQUIRE(taken.has_value());
      ticket = *taken;
    }
    sent += count - 1;
    if (app.connection->cancel_message(ticket)) ++cancelled;
  };
  const auto done = [&] { return pair.sum(&Counting::outcomes) == sent && pair.sum(&Counting::messages) == sent; };
  const std::uint64_t made = allocations_of(pair, rounds, send, done);
  BOOST_TEST(cancelled == 4 * rounds);
  return made;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(endpoint_message_allocation)

BOOST_AUTO_TEST_CASE(short_messages_allocate_nothing) {
  for (const Link link : {Link::clean, Link::loses_some}) {
    Pair pair;
    pair.loses_some = link == Link::loses_some;
    warm_up(pair);
    for (const Kind& kind : kinds_of_short_messages())
      BOOST_TEST_CONTEXT(kind.name << (pair.loses_some ? ", some lost" : "")) {
        BOOST_TEST(allocations_of_messages(pair, kind, kind.rounds()) <= kGrowth);
      }
  }
}

// A message in parts has a body of its own on each side, a list of what is there, and a chunk for each 16 KiB until it is
// whole: a few allocations for each message, however many packets carry it.
BOOST_AUTO_TEST_CASE(long_messages_allocate_for_themselves_and_not_for_their_packets) {
  for (const Link link : {Link::clean, Link::loses_some}) {
    Pair pair;
    pair.loses_some = link == Link::loses_some;
    warm_up(pair);
    for (const std::size_t size : {kMaxShortMessage + 1, std::size_t{16'000}, std::size_t{100'000}}) {
      const std::uint64_t rounds = 30;
      const std::uint64_t made = allocations_of_messages(pair, {.name = "", .size = size}, rounds);
      const std::uint64_t messages = 2 * kInRound * rounds;
      const double each = static_cast<double>(made) / static_cast<double>(messages);
      BOOST_TEST(each <= 8 + static_cast<double>(size) / 16384, fmt::format("{} allocations for {} bytes", each, size));
    }
  }
}

BOOST_AUTO_TEST_CASE(calls_and_their_answers_allocate_nothing) {
  for (const Link link : {Link::clean, Link::loses_some}) {
    Pair pair;
    pair.loses_some = link == Link::loses_some;
    warm_up(pair);
    for (const Kind& kind : kinds_of_short_messages()) {
      if (kind.size == kMaxShortMessage) continue;  // beside the target and the timeout
      const Bytes data(kind.size, 'x');
      for (Counting& app : pair.apps) app.answers = 0;
      std::uint64_t called = 0;
      const auto call = [&](Counting& app, std::uint64_t count) {
        for (std::uint64_t i = 0; i != count; ++i, ++called) {
          const CallOptions options{.cookie = i,
                                    .traffic_class = kind.options.traffic_class,
                                    .compress = kind.options.compress,
                                    .seal = kind.options.seal};
          const auto id = app.connection->call(kTarget, data, options);
          BOOST_REQUIRE(id.has_value());
          if (i + 1 == count && app.connection->cancel_call(*id)) --called;
        }
      };
      const auto done = [&] { return pair.sum(&Counting::answers) == called; };
      BOOST_TEST_CONTEXT(kind.name << (pair.loses_some ? ", some lost" : "")) {
        BOOST_TEST(allocations_of(pair, kind.rounds(), call, done) <= kGrowth);
      }
    }
    BOOST_TEST(pair.sum(&Counting::refused_answers) == 0u);
  }
}

BOOST_AUTO_TEST_CASE(datagrams_and_short_streams_allocate_nothing_beside_messages) {
  for (const Link link : {Link::clean, Link::loses_some}) {
    Pair pair;
    pair.loses_some = link == Link::loses_some;
    warm_up(pair);
    const Bytes data(1170, 'x');
    std::uint64_t datagrams = 0, streams = 0, messages = 0;
    for (Counting& app : pair.apps) app.messages = app.outcomes = 0;
    const auto send = [&](Counting& app, std::uint64_t count) {
      Connection& connection = *app.connection;
      connection.cork();
      for (std::uint64_t i = 0; i != count; ++i) {
        const DatagramOptions options{.traffic_class = static_cast<MessageClass>(i % 4), .cookie = i};
        BOOST_REQUIRE(connection.send_datagram(ByteView(data).first(datagrams * 13 % 1171), options).has_value());
        ++datagrams;
        const auto id = connection.open_stream(i % 2 == 0 ? StreamType::unidirectional : StreamType::bidirectional);
        BOOST_REQUIRE(id.has_value());
        BOOST_REQUIRE(connection.write(*id, ByteView(data).first(100 * (i % 8))).has_value());
        BOOST_REQUIRE(connection.set_priority(*id, {.traffic_class = static_cast<MessageClass>(i % 4)}).has_value());
        BOOST_REQUIRE(connection.finish(*id).has_value());
        streams += id->type() == StreamType::unidirectional ? 1 : 2;  // ends: the other side ends its half at once
        const Message event{.id = messages, .payload = ByteView(data).first(64)};
        BOOST_REQUIRE(connection.send_message(event, {.report_outcome = true}).has_value());
        ++messages;
      }
      connection.uncork();
    };
    const auto done = [&] {
      return pair.sum(&Counting::datagram_outcomes) == datagrams && pair.sum(&Counting::streams) == streams &&
             pair.sum(&Counting::finished) == streams && pair.sum(&Counting::outcomes) == messages;
    };
    BOOST_TEST_CONTEXT((pair.loses_some ? "some lost" : "clean")) {
      BOOST_TEST(allocations_of(pair, 100 * kLength, send, done) <= kGrowth);
    }
    BOOST_TEST(pair.sum(&Counting::datagrams) > datagrams / 2);
  }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace message_allocation_test
