#include "diagnosis/faults.h"

#include <fmt/format.h>

#include <algorithm>
#include <memory>

namespace mxp::test {
namespace {

using namespace std::chrono_literals;

// A number of this seed, between the two.
std::uint64_t pick(std::uint64_t seed, std::uint64_t salt, std::uint64_t least, std::uint64_t most) {
  return least + mix(seed * 1000 + salt) % (most - least + 1);
}

std::string path(std::uint64_t seed, std::string_view more = {}) {
  return fmt::format("delay {}ms rate {}mbit limit 1000 {}", pick(seed, 1, 10, 40), pick(seed, 2, 15, 40), more);
}

// A link pair with a bulk transfer from the client, and a capture at each end.
class Scene {
 public:
  explicit Scene(SimConfig config) : sim(std::move(config)), capture(sim) {}

  // Sends `bytes` from the client on one stream once it is connected.
  Scene& bulk(std::uint64_t bytes) {
    sim.client.connected_hook = [this, bytes](Connection& connection) {
      sim.client.open_and_send(connection, StreamType::unidirectional, bytes);
    };
    return *this;
  }
  Scene& connect() {
    sim.connect();
    return *this;
  }
  bool until_received(std::uint64_t bytes, Duration limit = 120s) {
    return sim.run_until([&] { return sim.server.bytes_received >= bytes; }, sim.elapsed() + limit);
  }
  bool until_delivered(Duration limit = 120s) {
    return sim.run_until([&] { return !sim.client.outgoing.empty() && sim.client.all_sent_acknowledged(); },
                         sim.elapsed() + limit);
  }
  FaultRun end(AppErrorCode code = 0) {
    if (sim.connection != nullptr && sim.connection->state() == ConnectionState::established)
      sim.connection->close(code, code == 0 ? "" : "no such thing");
    sim.run_for(500ms);
    return take();
  }
  FaultRun take() { return {capture.at_client, capture.at_server, capture.key_log}; }

  SimPair sim;
  SimCapture capture;
};

EndpointConfig with(EndpointConfig config, CongestionControl control) {
  config.transport.recovery.congestion_control = control;
  return config;
}

FaultRun bulk_over(std::uint64_t seed, const std::string& up, const std::string& down, std::uint64_t bytes,
                   CongestionControl control = CongestionControl::bbr) {
  Scene scene({.up = up, .down = down, .seed = seed, .client = with(default_client(), control)});
  scene.bulk(bytes).connect().until_delivered();
  return scene.end();
}

FaultRun calls(std::uint64_t seed) {
  Scene scene({.up = path(seed), .down = "=", .seed = seed});
  SimPair& sim = scene.sim;
  std::uint64_t answered = 0;
  sim.server.message_hook = [&](const Message& message) {
    if (message.type == MessageType::call) {
      const std::vector<std::uint8_t> payload(100, 7);
      static_cast<void>(
          sim.server.connected.empty()
              ? std::expected<MessageTicket, SendMessageError>{}
              : (*sim.server.connected.begin())
                    ->send_message({.type = MessageType::response, .id = message.id, .payload = payload}));
    }
    return true;
  };
  sim.client.messages_have_pattern = sim.server.messages_have_pattern = false;
  sim.client.message_hook = [&](const Message&) { return ++answered, true; };
  scene.connect();
  for (int i = 0; i < 60; ++i) {
    sim.run_for(50ms);
    if (sim.client.connected.empty()) continue;
    const std::vector<std::uint8_t> payload(120, 1);
    static_cast<void>(sim.connection->send_message(
        {.type = MessageType::call, .id = 1000u + static_cast<unsigned>(i), .payload = payload}));
  }
  return scene.end();
}

// ---- handshakes

FaultRun unanswered(std::uint64_t seed) {
  Scene scene({.up = path(seed), .down = "=", .seed = seed});
  scene.sim.filter = [](Role sender, ByteView) { return sender == Role::client; };
  scene.connect();
  scene.sim.run_for(std::chrono::milliseconds(pick(seed, 3, 4000, 9000)));
  return scene.take();
}

FaultRun refused(std::uint64_t seed) {
  EndpointConfig server = default_server();
  server.authorize = [](const PublicKey&) { return false; };
  Scene scene({.up = path(seed), .down = "=", .seed = seed, .server = server});
  scene.connect();
  scene.sim.run_for(2s);
  return scene.take();
}

FaultRun wrong_key(std::uint64_t seed) {
  Scene scene({.up = path(seed), .down = "=", .seed = seed});
  scene.bulk(20'000).connect().until_delivered();
  scene.sim.connection->close(0, "");
  scene.sim.run_for(1s);
  const auto wrong = EndpointConfig{.identity = default_client().identity}.identity.public_key();
  static_cast<void>(scene.sim.client_endpoint->connect(scene.sim.now(), scene.sim.server_address, wrong));
  scene.sim.run_for(8s);
  return scene.take();
}

FaultRun replayed(std::uint64_t seed) {
  Scene scene({.up = path(seed), .down = "=", .seed = seed});
  std::vector<std::uint8_t> initial;
  scene.sim.tap = [&](Role sender, ByteView datagram) {
    if (sender == Role::client && initial.empty()) initial.assign(datagram.begin(), datagram.end());
  };
  scene.bulk(200'000).connect().until_received(100'000);
  for (std::uint64_t i = 0; i < pick(seed, 4, 2, 6); ++i) {
    const auto from = SocketAddress::ipv4(10, 9, 0, static_cast<std::uint8_t>(1 + i), 5000);
    scene.capture.add(Role::server, initial, from, scene.sim.server_address);
    scene.sim.inject(Role::server, initial, from);
    scene.sim.run_for(20ms);
  }
  scene.until_delivered();
  return scene.end();
}

FaultRun blocked_by_size(std::uint64_t seed) {
  EndpointConfig client = default_client();
  client.transport.keepalive = 200ms;
  Scene scene({.up = path(seed), .down = "=", .seed = seed, .client = client});
  scene.bulk(20'000).connect().until_delivered();
  scene.sim.run_for(1s);
  scene.sim.set_mtu(Role::client, 1000);
  scene.sim.set_mtu(Role::server, 1000);
  static_cast<void>(scene.sim.client_endpoint->connect(scene.sim.now(), scene.sim.server_address,
                                                       default_server().identity.public_key()));
  scene.sim.run_for(8s);
  return scene.take();
}

// ---- losses

FaultRun policed(std::uint64_t seed) {
  // A bucket of this many bytes that fills at this rate; what finds no room is dropped.
  const double rate = static_cast<double>(pick(seed, 5, 2, 4)) * 125'000, depth = 15'000;
  Scene scene({.up = fmt::format("delay {}ms", pick(seed, 1, 10, 40)), .down = "=", .seed = seed});
  double tokens = depth;
  Timestamp last{};
  scene.sim.filter = [&](Role sender, ByteView datagram) {
    if (sender == Role::server) return false;
    tokens = std::min(depth, tokens + rate * std::chrono::duration<double>(scene.sim.now() - last).count());
    last = scene.sim.now();
    if (tokens < static_cast<double>(datagram.size())) return true;
    tokens -= static_cast<double>(datagram.size());
    return false;
  };
  scene.bulk(10'000'000).connect().until_delivered();
  return scene.end();
}

FaultRun black_hole(std::uint64_t seed) {
  Scene scene({.up = path(seed, "mtu 1500"), .down = "=", .seed = seed});
  scene.bulk(6'000'000).connect().until_received(2'000'000 + pick(seed, 6, 0, 1'000'000));
  scene.sim.set_mtu(Role::client, static_cast<std::uint32_t>(pick(seed, 7, 1230, 1350)));
  scene.until_delivered();
  return scene.end();
}

FaultRun outage(std::uint64_t seed) {
  Scene scene({.up = path(seed), .down = "=", .seed = seed});
  scene.bulk(4'000'000).connect().until_received(1'000'000 + pick(seed, 8, 0, 1'000'000));
  bool down = true;
  scene.sim.filter = [&](Role, ByteView) { return down; };
  scene.sim.run_for(std::chrono::milliseconds(pick(seed, 9, 3000, 6000)));
  down = false;
  scene.until_delivered();
  return scene.end();
}

// What is under way is held for a while, and comes then.
FaultRun delay_spikes(std::uint64_t seed) {
  Scene scene({.up = path(seed), .down = "=", .seed = seed});
  SimPair& sim = scene.sim;
  bool hold = false;
  std::vector<std::vector<std::uint8_t>> held;
  sim.filter = [&](Role sender, ByteView datagram) {
    if (!hold || sender != Role::client) return false;
    constexpr std::size_t kLargest = 1472;  // of the links here
    if (datagram.size() > kLargest) return true;
    held.emplace_back(datagram.begin(), datagram.end());
    return true;
  };
  scene.bulk(4'000'000).connect();
  for (std::uint64_t i = 1; i <= 10; ++i) {
    scene.until_received(i * 350'000);
    hold = true;
    sim.run_for(std::chrono::milliseconds(pick(seed, 10 + i, 500, 900)));
    hold = false;
    for (auto& datagram : held) {
      scene.capture.add(Role::server, datagram, sim.client_address, sim.server_address);
      sim.inject(Role::server, std::move(datagram));
    }
    held.clear();
  }
  scene.until_delivered();
  return scene.end();
}

// ---- paths

FaultRun rebinding(std::uint64_t seed) {
  Scene scene({.up = path(seed), .down = "=", .seed = seed});
  scene.bulk(4'000'000).connect();
  for (std::uint64_t i = 1; i <= pick(seed, 11, 1, 3); ++i) {
    scene.until_received(i * 900'000);
    scene.sim.client_address = SocketAddress::ipv4(10, 0, 0, 1, static_cast<std::uint16_t>(41000 + i));
  }
  scene.until_delivered();
  return scene.end();
}

FaultRun client_moves(std::uint64_t seed) {
  Scene scene({.up = path(seed), .down = "=", .seed = seed});
  const auto other = SocketAddress::ipv4(10, 0, 7, 2, 40000);
  scene.sim.client_interfaces.insert(other);
  scene.bulk(4'000'000).connect().until_received(1'000'000 + pick(seed, 12, 0, 1'000'000));
  static_cast<void>(scene.sim.connection->migrate(other));
  scene.until_delivered();
  return scene.end();
}

// ---- flow control

EndpointConfig small_windows(std::uint64_t stream, std::uint64_t connection) {
  EndpointConfig server = default_server();
  server.transport.flow_control.stream_window = server.transport.flow_control.max_stream_window = stream;
  server.transport.flow_control.connection_window = server.transport.flow_control.max_connection_window = connection;
  return server;
}

FaultRun windows(std::uint64_t seed, std::uint64_t stream, std::uint64_t connection) {
  Scene scene({.up = path(seed), .down = "=", .seed = seed, .server = small_windows(stream, connection)});
  scene.bulk(1'000'000).connect().until_delivered();
  return scene.end();
}

FaultRun message_credit(std::uint64_t seed) {
  EndpointConfig server = default_server();
  server.transport.messages.receive_window = server.transport.messages.max_receive_window = 8192;
  Scene scene({.up = path(seed), .down = "=", .seed = seed, .server = server});
  scene.sim.client.connected_hook = [&](Connection& connection) {
    scene.sim.client.send_messages(connection, {.type = MessageType::event, .count = 400, .size = 800},
                                   scene.sim.now());
  };
  scene.connect();
  scene.sim.run_until([&] { return scene.sim.server.messages_received.size() >= 400; }, 60s);
  return scene.end();
}

FaultRun slow_reader(std::uint64_t seed) {
  Scene scene({.up = path(seed), .down = "=", .seed = seed, .server = small_windows(100'000, 200'000)});
  SimPair& sim = scene.sim;
  std::size_t may_take = 0;
  std::optional<StreamId> stream;
  sim.server.take_hook = [&](StreamId id, ByteView data) {
    stream = id;
    const std::size_t taken = std::min(may_take, data.size());
    may_take -= taken;
    return taken;
  };
  scene.bulk(1'000'000).connect();
  for (int i = 0; i < 400 && sim.server.bytes_received < 1'000'000; ++i) {
    sim.run_for(std::chrono::milliseconds(pick(seed, 13, 250, 400)));
    may_take = 60'000;
    if (stream && !sim.server.connected.empty()) static_cast<void>((*sim.server.connected.begin())->resume(*stream));
  }
  scene.until_delivered(5s);
  return scene.end();
}

// ---- senders

FaultRun slow_writer(std::uint64_t seed) {
  Scene scene({.up = path(seed), .down = "=", .seed = seed});
  SimPair& sim = scene.sim;
  std::optional<StreamId> id;
  std::uint64_t offset = 0;
  sim.client.connected_hook = [&](Connection& connection) { id = *connection.open_stream(StreamType::unidirectional); };
  scene.connect();
  for (int i = 0; i < 40; ++i) {
    sim.run_for(std::chrono::milliseconds(pick(seed, 14, 150, 250)));
    if (!id) continue;
    std::vector<std::uint8_t> bytes(pick(seed, 15, 9'000, 15'000));
    fill_pattern(*id, Role::client, offset, bytes);
    offset += sim.connection->write(*id, bytes).value_or(0);
  }
  return scene.end();
}

FaultRun marked(std::uint64_t seed) {
  Scene scene({.up = fmt::format("delay {}ms rate {}mbit limit 2000", pick(seed, 1, 10, 30), pick(seed, 2, 8, 16)),
               .down = "=",
               .adjust = [](netem::LinkSpec& spec) { spec.ce_threshold = 1ms; },
               .seed = seed,
               .client = with(default_client(), CongestionControl::cubic)});
  scene.bulk(6'000'000).connect().until_delivered();
  return scene.end();
}

FaultRun paced(std::uint64_t seed) {
  EndpointConfig client = default_client(), server = default_server();
  client.transport.datagrams.rate = ByteRate::bits_per_second(pick(seed, 16, 2, 4) * 1'000'000);
  client.transport.datagrams.burst_bytes = 2400;
  client.transport.max_udp_payload = 1200;
  server.transport.datagrams.max_payload = 1200;
  Scene scene({.up = path(seed), .down = "=", .seed = seed, .client = client, .server = server});
  SimPair& sim = scene.sim;
  scene.connect();
  for (int i = 0; i < 100; ++i) {
    sim.run_for(50ms);
    if (sim.client.connected.empty()) continue;
    const std::vector<std::uint8_t> bytes(1150, 3);
    while (sim.connection->send_datagram(bytes)) {
    }
  }
  return scene.end();
}

FaultRun inverted(std::uint64_t seed) {
  EndpointConfig server = default_server();
  server.transport.scheduler.class_weights = {1, 1, 1000, 1};
  server.transport.scheduler.critical_burst = 0;
  Scene scene({.up = path(seed), .down = "=", .seed = seed, .server = server});
  SimPair& sim = scene.sim;
  sim.client.messages_have_pattern = sim.server.messages_have_pattern = false;
  sim.server.reply_bytes = 12'000'000;
  sim.server.message_hook = [&](const Message& message) {
    const std::vector<std::uint8_t> payload(1000, 7);
    static_cast<void>((*sim.server.connected.begin())
                          ->send_message({.type = MessageType::response, .id = message.id, .payload = payload}));
    return true;
  };
  sim.client.connected_hook = [&](Connection& connection) {
    sim.client.open_and_send(connection, StreamType::bidirectional, 10);
  };
  scene.connect();
  sim.run_for(1s);
  for (unsigned i = 0; i < 30; ++i) {
    sim.run_for(100ms);
    const std::vector<std::uint8_t> payload(120, 1);
    static_cast<void>(sim.connection->send_message({.type = MessageType::call, .id = 1000 + i, .payload = payload}));
  }
  sim.run_for(1s);
  return scene.end();
}

// ---- ends

FaultRun falls_silent(std::uint64_t seed) {
  Scene scene({.up = path(seed), .down = "=", .seed = seed});
  scene.bulk(4'000'000).connect().until_received(1'000'000 + pick(seed, 17, 0, 1'000'000));
  scene.sim.filter = [](Role sender, ByteView) { return sender == Role::server; };
  scene.sim.run_for(20s);
  return scene.take();
}

FaultRun transport_close(std::uint64_t seed) {
  Scene scene({.up = path(seed), .down = "=", .seed = seed});
  scene.sim.server.drained_hook = [](Connection&) { return false; };
  scene.bulk(300'000).connect().until_delivered();
  static_cast<void>(scene.sim.connection->drain(scene.sim.now() + 300ms));
  scene.sim.run_for(2s);
  return scene.take();
}

FaultRun application_close(std::uint64_t seed) {
  Scene scene({.up = path(seed), .down = "=", .seed = seed});
  scene.bulk(300'000).connect().until_received(100'000);
  return scene.end(static_cast<AppErrorCode>(pick(seed, 18, 1, 500)));
}

// ---- captures

FaultRun jumped(std::uint64_t seed) {
  FaultRun run = bulk_over(seed, path(seed), "=", 2'000'000);
  const std::int64_t jump = static_cast<std::int64_t>(pick(seed, 19, 5, 4000)) * -1'000'000'000;
  for (Capture* capture : {&run.at_client, &run.at_server}) {
    for (std::size_t i = capture->size() / 2; i < capture->size(); ++i) (*capture)[i].time_ns += jump;
  }
  return run;
}

FaultRun jumped_ahead(std::uint64_t seed) {
  FaultRun run = bulk_over(seed, path(seed), "=", 2'000'000);
  const std::int64_t jump = static_cast<std::int64_t>(pick(seed, 19, 5, 4000)) * 1'000'000'000;
  for (Capture* capture : {&run.at_client, &run.at_server}) {
    for (std::size_t i = capture->size() / 2; i < capture->size(); ++i) (*capture)[i].time_ns += jump;
  }
  return run;
}

FaultRun with_holes(std::uint64_t seed) {
  FaultRun run = bulk_over(seed, path(seed), "=", 2'000'000);
  for (Capture* capture : {&run.at_client, &run.at_server}) {
    std::size_t index = 0;
    std::erase_if(*capture, [&](const CapturedDatagram&) { return ++index > 20 && mix(seed ^ index) % 100 < 6; });
  }
  return run;
}

FaultRun one_sided(std::uint64_t seed) {
  FaultRun run = bulk_over(seed, path(seed), "=", 1'000'000);
  for (Capture* capture : {&run.at_client, &run.at_server})
    std::erase_if(*capture, [](const CapturedDatagram& datagram) { return datagram.from.port == 9000; });
  return run;
}

std::string delay_of(std::uint64_t seed) { return fmt::format("delay {}ms", pick(seed, 1, 10, 40)); }

}  // namespace

const std::vector<Fault>& clean_runs() {
  static const std::vector<Fault> runs{
      {"",
       "a transfer of 4 MB",
       {.without_keys = true},
       [](auto seed) { return bulk_over(seed, path(seed), "=", 4'000'000); }},
      {"", "calls", {.without_keys = true}, calls},
      {"",
       "a short transfer",
       {.without_keys = true},
       [](auto seed) { return bulk_over(seed, path(seed), "=", 50'000); }},
  };
  return runs;
}

const std::vector<Fault>& single_faults() {
  static const std::vector<Fault> faults{
      {"handshake-unanswered", "nothing listens", {.at_server = false, .without_keys = true}, unanswered},
      {"handshake-wrong-key", "the client has another key", {.without_keys = true}, wrong_key},
      {"handshake-blocked-by-size", "an MTU of 1000", {.at_server = false, .without_keys = true}, blocked_by_size},
      {"handshake-refused", "the client may not", {.without_keys = true}, refused},
      {"handshake-replayed", "copies of message 1", {.at_client = false, .without_keys = true}, replayed},
      {"loss-random",
       "0.5 to 4 % of loss to the server",
       {},
       [](auto seed) {
         return bulk_over(seed, path(seed, fmt::format("loss {}%", 0.5 * static_cast<double>(pick(seed, 20, 1, 8)))),
                          path(seed), 4'000'000);
       }},
      {"loss-bursts",
       "bursts of loss to the server",
       {},
       [](auto seed) { return bulk_over(seed, path(seed, "loss gemodel 0.5% 20%"), path(seed), 4'000'000); }},
      {"policing", "a policer", {.at_server = false}, policed},
      {"queueing-delay",
       "CUBIC and a deep queue",
       {.at_server = false},
       [](auto seed) {
         return bulk_over(seed, fmt::format("{} rate {}mbit limit 2000", delay_of(seed), pick(seed, 2, 3, 8)),
                          path(seed), 4'000'000, CongestionControl::cubic);
       }},
      {"rate-limited",
       "0.5 to 1.5 Mbit/s",
       {.at_server = false},
       [](auto seed) {
         return bulk_over(seed, fmt::format("{} rate {}kbit limit 200", delay_of(seed), pick(seed, 2, 5, 15) * 100),
                          path(seed), 1'000'000);
       }},
      {"reverse-path-thin",
       "a way back of 10 to 20 kbit/s",
       {.at_server = false},
       [](auto seed) {
         return bulk_over(seed, path(seed),
                          fmt::format("{} rate {}kbit limit 12", delay_of(seed), pick(seed, 21, 10, 20)), 2'000'000);
       }},
      {"ack-loss",
       "10 to 20 % of loss on the way back",
       {.at_server = false},
       [](auto seed) {
         return bulk_over(seed, path(seed), path(seed, fmt::format("loss {}%", pick(seed, 22, 10, 20))), 6'000'000);
       }},
      {"pmtu-black-hole", "the MTU shrinks", {}, black_hole},
      {"reordering",
       "2 to 6 % overtake the others",
       {},
       [](auto seed) {
         return bulk_over(seed, fmt::format("delay 20ms reorder {}% rate 20mbit limit 1000", pick(seed, 23, 2, 6)),
                          path(seed), 4'000'000);
       }},
      {"duplicates",
       "3 to 8 % of copies",
       {.at_client = false, .without_keys = true},
       [](auto seed) {
         return bulk_over(seed, path(seed, fmt::format("duplicate {}%", pick(seed, 24, 3, 8))), path(seed), 2'000'000);
       }},
      {"damaged",
       "2 to 5 % corrupted",
       {.at_client = false},
       [](auto seed) {
         return bulk_over(seed, path(seed, fmt::format("corrupt {}%", pick(seed, 25, 2, 5))), path(seed), 2'000'000);
       }},
      {"spurious-retransmission", "delays that jump", {}, delay_spikes},
      {"outage", "3 to 6 s without a path", {}, outage},
      {"nat-rebinding", "another port", {.without_keys = true}, rebinding},
      {"client-moved", "another interface", {}, client_moves},
      {"stream-credit-stall",
       "a small stream window",
       {.at_server = false},
       [](auto seed) { return windows(seed, 16'384, 1'000'000); }},
      {"connection-credit-stall",
       "a small connection window",
       {.at_server = false},
       [](auto seed) { return windows(seed, 1'000'000, 16'384); }},
      {"message-credit-stall", "little credit for messages", {.at_server = false}, message_credit},
      {"slow-reader", "a reader of 60 KB in 300 ms", {}, slow_reader},
      {"application-limited", "a writer of 12 KB in 200 ms", {}, slow_writer},
      {"congestion-limited", "a queue that marks", {}, marked},
      {"pacing-limited", "datagrams at a set rate", {.at_server = false}, paced},
      {"priority-inversion", "classes weighted upside down", {}, inverted},
      {"idle-timeout", "the server is gone", {.at_server = false, .without_keys = true}, falls_silent},
      {"closed-by-transport", "a drain that ends by time", {}, transport_close},
      {"closed-by-application", "a code of the application", {}, application_close},
      {"clock-jump", "the clock is set back", {.without_keys = true}, jumped},
      {"clock-jump", "the clock is set ahead", {}, jumped_ahead},
      {"capture-incomplete", "6 % not captured", {}, with_holes},
      {"one-sided-capture", "the client's packets alone", {.without_keys = true}, one_sided},
  };
  return faults;
}

const std::vector<PairOfFaults>& pairs_of_faults() {
  static const std::vector<PairOfFaults> pairs{
      {"loss-random", "nat-rebinding",
       [](auto seed) {
         Scene scene({.up = path(seed, "loss 2%"), .down = path(seed), .seed = seed});
         scene.bulk(4'000'000).connect().until_received(1'500'000);
         scene.sim.client_address = SocketAddress::ipv4(10, 0, 0, 1, 42000);
         scene.until_delivered();
         return scene.end();
       }},
      {"loss-bursts", "duplicates",
       [](auto seed) {
         return bulk_over(seed, path(seed, "loss gemodel 0.5% 20% duplicate 5%"), path(seed), 4'000'000);
       }},
      {"loss-random", "closed-by-application",
       [](auto seed) {
         Scene scene({.up = path(seed, "loss 2%"), .down = path(seed), .seed = seed});
         scene.bulk(4'000'000).connect().until_received(3'000'000);
         return scene.end(9);
       }},
      {"outage", "damaged",
       [](auto seed) {
         Scene scene({.up = path(seed, "corrupt 3%"), .down = path(seed), .seed = seed});
         scene.bulk(4'000'000).connect().until_received(1'500'000);
         bool down = true;
         scene.sim.filter = [&](Role, ByteView) { return down; };
         scene.sim.run_for(4s);
         down = false;
         scene.until_delivered();
         return scene.end();
       }},
  };
  return pairs;
}

}  // namespace mxp::test
