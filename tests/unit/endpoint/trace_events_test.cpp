// The events of a connection's life, as an endpoint tells them.
#include <fmt/format.h>

#include <boost/test/unit_test.hpp>
#include <map>
#include <sstream>
#include <vector>

#include "mxp/otlp.h"
#include "support/host.h"
#include "support/pattern.h"
#include "support/temporary_folder.h"

using namespace mxp;
using namespace mxp::test;

namespace {

// Keeps what the tests ask for. Spans in events are valid during the call only.
class Watcher final : public TraceSink {
 public:
  explicit Watcher(bool frames) : frames_(frames) {}
  bool wants_frames() const override { return frames_; }
  void on(Timestamp, ConnectionId id, const TraceEvent& event) override {
    order.push_back(event.index());
    ids.push_back(id);
    if (const auto* one = std::get_if<TraceStarted>(&event)) started.push_back(*one);
    if (const auto* one = std::get_if<TraceAdmission>(&event)) admissions.push_back(*one);
    if (const auto* one = std::get_if<TraceParameters>(&event)) parameters.push_back(*one);
    if (const auto* one = std::get_if<TraceStreamsOpened>(&event)) opened.push_back(*one);
    if (const auto* one = std::get_if<TraceCongestion>(&event)) congestion.push_back(*one);
    if (const auto* one = std::get_if<TraceClosed>(&event)) {
      closed.push_back(*one);
      closed.back().reason = {};
      reason = one->reason;
    }
    if (const auto* one = std::get_if<TracePacketSent>(&event)) note(one->number, one->frames, sent);
    if (const auto* one = std::get_if<TracePacketReceived>(&event)) note(one->number, one->frames, received);
    forgotten += std::holds_alternative<TraceForgotten>(event);
  }

  using Frames = std::map<PacketNumber, std::vector<TraceFrame>>;
  std::vector<std::size_t> order;
  std::vector<ConnectionId> ids;
  std::vector<TraceStarted> started;
  std::vector<TraceAdmission> admissions;
  std::vector<TraceParameters> parameters;
  std::vector<TraceStreamsOpened> opened;
  std::vector<TraceCongestion> congestion;
  std::vector<TraceClosed> closed;
  std::string reason;
  Frames sent, received;
  std::size_t ranges = 0;
  int forgotten = 0;

 private:
  void note(PacketNumber number, const TraceFrames& frames, Frames& all) {
    all[number].assign(frames.list.begin(), frames.list.end());
    ranges += frames.acknowledged.size();
    for (const TraceAckRange& range : frames.acknowledged) BOOST_TEST((range.first <= range.last));
  }
  bool frames_;
};

struct WatchedPair {
  explicit WatchedPair(bool frames, EndpointConfig server_config = default_server())
      : client_trace(frames),
        server_trace(frames),
        client(default_client(), kClientAddress, 1, &client_trace),
        server(std::move(server_config), kServerAddress, 2, &server_trace) {
    connection = *client.endpoint.connect(now, kServerAddress, server.endpoint.public_key());
    run_for(100ms);
  }
  std::size_t pass(Host& from, Host& to) {
    return from.poll(now, [&](const SocketAddress&, ByteView datagram) { to.receive(now, datagram, from.address); });
  }
  void run_for(Duration span) {
    for (const Timestamp end = now + span; now < end; now += 1ms) {
      for (Host* host : {&client, &server})
        if (host->endpoint.next_timeout() <= now) host->endpoint.on_timeout(now);
      while (pass(client, server) + pass(server, client) != 0) {
      }
    }
  }

  Timestamp now{1h};
  Watcher client_trace, server_trace;
  Host client, server;
  Connection* connection = nullptr;
};

}  // namespace

BOOST_AUTO_TEST_SUITE(trace_events)

BOOST_AUTO_TEST_CASE(a_connection_is_told_from_its_beginning_to_its_end) {
  WatchedPair pair(false);
  const StreamId stream = *pair.connection->open_stream(StreamType::unidirectional);
  BOOST_TEST(pair.connection->write(stream, Bytes(1000)).value_or(0) == 1000u);
  pair.run_for(50ms);
  pair.connection->close(7, "so long");
  pair.run_for(15s);
  for (Watcher* side : {&pair.client_trace, &pair.server_trace}) {
    BOOST_TEST_REQUIRE(side->started.size() == 1u);
    BOOST_TEST_REQUIRE(side->parameters.size() == 2u);
    BOOST_TEST((side->parameters[0].side == TraceParameters::Side::ours));
    BOOST_TEST((side->parameters[1].side == TraceParameters::Side::peer));
    BOOST_TEST_REQUIRE(side->closed.size() == 1u);
    BOOST_TEST(side->closed[0].application);
    BOOST_TEST(side->closed[0].code == 7u);
    BOOST_TEST(side->reason == "so long");
    BOOST_TEST(side->forgotten == 1);
    BOOST_TEST(side->order.back() == TraceEvent(TraceForgotten{}).index());
    for (const ConnectionId id : side->ids) BOOST_TEST((id == side->ids.back()));
    BOOST_TEST_REQUIRE(side->opened.size() == 1u);
    BOOST_TEST(side->sent.begin()->second.empty());  // nobody wanted frames
  }
  const Watcher &client = pair.client_trace, &server = pair.server_trace;
  BOOST_TEST((client.started[0].role == Role::client));
  BOOST_TEST((client.started[0].remote == kServerAddress));
  BOOST_TEST((client.started[0].peer == pair.server.endpoint.public_key()));
  BOOST_TEST((server.started[0].peer == pair.client.endpoint.public_key()));
  BOOST_TEST_REQUIRE(server.admissions.size() == 1u);
  BOOST_TEST(server.admissions[0].accepted);
  BOOST_TEST((server.admissions[0].client == pair.client.endpoint.public_key()));
  BOOST_TEST((client.opened[0].stream == stream));
  BOOST_TEST(server.opened[0].by_peer);
  BOOST_TEST(server.opened[0].count == 1u);
  BOOST_TEST(client.parameters[0].initial_max_data == server.parameters[1].initial_max_data);
  BOOST_TEST_REQUIRE(!client.congestion.empty());
}

BOOST_AUTO_TEST_CASE(frames_that_one_side_sent_are_those_that_the_other_received) {
  WatchedPair pair(true);
  const StreamId stream = *pair.connection->open_stream(StreamType::unidirectional);
  BOOST_TEST(pair.connection->write(stream, Bytes(5000)).value_or(0) == 5000u);
  BOOST_TEST(pair.connection->finish(stream).has_value());
  pair.run_for(50ms);
  BOOST_TEST_REQUIRE(pair.client_trace.sent.size() > 3u);
  std::uint64_t bytes = 0;
  bool fin = false;
  for (const auto& [number, frames] : pair.server_trace.received) {
    const auto& sent = pair.client_trace.sent.at(number);
    std::size_t at = 0;
    for (const TraceFrame& frame : frames) {
      if (frame.kind == TraceFrameKind::padding) continue;  // of a packet of ours it is not told
      BOOST_TEST_REQUIRE(at < sent.size());
      BOOST_TEST((sent[at].kind == frame.kind), to_string(frame.kind));
      BOOST_TEST(sent[at].value == frame.value);
      if (frame.kind == TraceFrameKind::stream) {
        BOOST_TEST(sent[at].length == frame.length);
        BOOST_TEST(frame.subject == stream.value());
        bytes += frame.length;
        fin |= frame.fin && sent[at].fin;
      }
      ++at;
    }
    BOOST_TEST(at == sent.size());
  }
  BOOST_TEST(bytes == 5000u);
  BOOST_TEST(fin);
  BOOST_TEST(pair.client_trace.ranges > 0u);
}

BOOST_AUTO_TEST_CASE(a_client_that_is_refused_makes_no_connection_and_is_told) {
  EndpointConfig strict = default_server();
  strict.authorize = [](const PublicKey&) { return false; };
  WatchedPair pair(false, std::move(strict));
  const Watcher& server = pair.server_trace;
  BOOST_TEST_REQUIRE(server.admissions.size() == 1u);
  BOOST_TEST(!server.admissions[0].accepted);
  BOOST_TEST((server.admissions[0].refusal == TransportErrorCode::not_authorized));
  BOOST_TEST((server.admissions[0].client == pair.client.endpoint.public_key()));
  BOOST_TEST((server.admissions[0].remote == kClientAddress));
  BOOST_TEST(server.started.empty());
  for (const ConnectionId id : server.ids) BOOST_TEST((id == ConnectionId()));
  BOOST_TEST_REQUIRE(pair.client_trace.closed.size() == 1u);
  BOOST_TEST(pair.client_trace.closed[0].before_established);
}

// A server that a client sends an initial to, and that hears no more of it.
struct UnconfirmedClient {
  explicit UnconfirmedClient(TraceSink& trace) : server(default_server(), kServerAddress, 2, &trace) {
    (void)client.endpoint.connect(now, kServerAddress, server.endpoint.public_key());
    client.poll(now, [&](const SocketAddress&, ByteView datagram) { server.receive(now, datagram, kClientAddress); });
  }
  void run_for(Duration span) {
    for (const Timestamp end = now + span; now < end;) {
      now += 100ms;
      if (server.endpoint.next_timeout() <= now) server.endpoint.on_timeout(now);
      server.poll(now, [](const SocketAddress&, ByteView) {});
    }
  }

  Timestamp now{1h};
  Host server;
  Host client{default_client(), kClientAddress, 1};
};

BOOST_AUTO_TEST_CASE(a_client_that_never_confirms_ends_with_a_word) {
  Watcher trace(false);
  UnconfirmedClient scene(trace);
  scene.run_for(20s);
  BOOST_TEST(trace.started.size() == 1u);
  BOOST_TEST_REQUIRE(trace.closed.size() == 1u);
  BOOST_TEST(trace.closed[0].before_established);
  BOOST_TEST(trace.forgotten == 1);
  BOOST_TEST(scene.server.app.closed.empty());  // its application never heard of it
}

// What the spans say of the client then: that its handshake failed and why, and that they are unfinished only where the
// server ended before the time to confirm was over.
BOOST_AUTO_TEST_CASE(spans_of_a_client_that_never_confirms_are_unfinished_only_if_the_server_ended_first) {
  for (const Duration span : {20s, 1s}) {
    const TemporaryFolder folder;
    SeededRandom random(1);
    {
      auto file = OtlpFile::open((folder.path / "spans").string(), random, {});
      BOOST_TEST_REQUIRE(file.has_value());
      UnconfirmedClient scene(**file);
      scene.run_for(span);
    }
    std::istringstream lines(folder.read("spans"));
    std::map<std::string, std::string> spans;  // by name
    for (std::string line; std::getline(lines, line);)
      for (const char* name : {"mxp.connection", "mxp.handshake"})
        if (line.find(fmt::format("\"name\":\"{}\"", name)) != std::string::npos)
          BOOST_TEST(spans.emplace(name, line).second);
    BOOST_TEST_REQUIRE(spans.size() == 2u);
    const bool ended_first = span == 1s;
    const auto says = [&](const std::string& name, const std::string& text) {
      return spans[name].find(text) != std::string::npos;
    };
    BOOST_TEST(says("mxp.connection", "mxp.unfinished") == ended_first);
    BOOST_TEST(says("mxp.connection", "\"mxp.close.by\",\"value\":{\"stringValue\":\"timeout\"}") == !ended_first);
    for (const char* name : {"mxp.connection", "mxp.handshake"})
      BOOST_TEST(says(name, "\"status\":{\"code\":2,\"message\":\"handshake timeout\"}") == !ended_first);
  }
}

BOOST_AUTO_TEST_SUITE_END()
