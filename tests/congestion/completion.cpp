#include "congestion/completion.h"

#include <algorithm>
#include <cmath>

namespace mxp::testing {

namespace {

using namespace std::chrono_literals;

// 10 Mbit/s over Wi-Fi that stands still for a quarter of a second, again and again: packets wait meanwhile. One
// datagram of 1440 bytes takes each opportunity.
std::vector<std::uint32_t> suspended_at(std::initializer_list<std::uint32_t> begins_ms) {
  std::vector<std::uint32_t> result;
  double due = 0;
  for (std::uint32_t ms = 1; ms <= 30'000; ++ms) {
    const bool suspended = std::any_of(begins_ms.begin(), begins_ms.end(),
                                       [&](std::uint32_t begin) { return ms >= begin && ms < begin + 250; });
    for (due += suspended ? 0 : 10e6 / 8 / 1440 / 1000; due >= 1; --due) result.push_back(ms);
  }
  return result;
}

// A queue that holds as much as the link carries in this time, in packets of 1440 bytes. The emulated one counts the
// packets in its delay line too.
std::uint64_t limit(double mbit, Duration delay, Duration queue) {
  return static_cast<std::uint64_t>(mbit * std::chrono::duration<double>(delay + queue).count() * 1e6 / 8 / 1440) + 4;
}

std::string link(double mbit, Duration delay, Duration queue, const std::string& more = "") {
  return fmt::format("rate {}kbit delay {}us {} limit {}", std::lround(mbit * 1000), delay / 1us, more,
                     limit(mbit, delay, queue));
}

Completion satellite(const std::string& name, double mbit, double back, const std::string& more, Limits others,
                     Limits ours) {
  return {.name = fmt::format("100 MB over a satellite, {} Mbit/s and {} back, 600 ms{}", mbit, back, name),
          .up = link(mbit, 300ms, 600ms, more),
          .down = link(back, 300ms, 600ms),
          .bytes = 100'000'000,
          .others = others,
          .ours = ours};
}

struct Jittery {
  double mbit, back;
  Duration delay, jitter, queue;
};

Completion ten_megabytes(const std::string& name, const Jittery& path, Limits others, Limits ours) {
  // The jitter follows the delay in the grammar.
  const auto words = [&](double mbit) {
    return fmt::format("rate {}kbit delay {}us {}us limit {}", std::lround(mbit * 1000), path.delay / 1us,
                       path.jitter / 1us, limit(mbit, path.delay, path.queue));
  };
  return {.name = "10 MB, " + name,
          .up = words(path.mbit),
          .down = words(path.back),
          .bytes = 10'000'000,
          .others = others,
          .ours = ours};
}

Completion wifi(const std::string& name, std::initializer_list<std::uint32_t> begins_ms, Duration delay, Limits others,
                Limits ours) {
  const std::string words = fmt::format("trace wifi delay {}us limit {}", delay / 1us, limit(10, delay, 260ms));
  return {.name = "3 MB over Wi-Fi of 10 Mbit/s, " + name,
          .up = words,
          .down = words,
          .bytes = 3'000'000,
          .others = others,
          .ours = ours,
          .opportunities_ms = suspended_at(begins_ms)};
}

}  // namespace

std::vector<Completion> completions() {
  std::vector<Completion> all;
  // Ours are longer by start-up: it begins with ten packets, and doubles them eleven times until such a link is full.
  all.push_back(satellite("", 250, 3, "", {5500ms, 6500ms}, {13'400ms, 13s}));
  all.push_back(satellite(", 1 of 64 lost", 250, 3, "loss 1.5625%", {8s}, {14'600ms}));
  all.push_back(satellite("", 50, 10, "", {18'200ms}, {24s, 25s}));
  all.push_back(satellite("", 10, 2, "", {81'500ms}, {91s, 89s}));
  all.push_back(satellite("", 2, 10, "", {400s}, {430s, 420s}));
  all.push_back({.name = "100 MB, 10 Mbit/s, a round trip of 10 s",
                 .up = link(10, 5s, 10s),
                 .down = link(10, 5s, 10s),
                 .bytes = 100'000'000,
                 .others = {145s, 200s},
                 .ours = {224s, 224s}});
  all.push_back(
      ten_megabytes("100 Mbit/s, 20 ms, jitter 3 ms", {100, 100, 10ms, 3ms, 26ms}, {1050ms}, {1050ms, 980ms}));
  all.push_back(ten_megabytes("1 Gbit/s, 8 ms, jitter 2 ms", {1000, 1000, 4ms, 2ms, 12ms}, {250ms}, {250ms, 250ms}));
  all.push_back(ten_megabytes("1 Mbit/s, 600 ms", {1, 1, 300ms, 3ms, 606ms}, {81s}, {89s, 87s}));
  all.push_back(ten_megabytes("1 Mbit/s, a round trip of 2 s", {1, 1, 1s, 3ms, 2006ms}, {90s}, {100s, 97s}));
  all.push_back(
      ten_megabytes("10 Mbit/s and 100 kbit/s back", {10, 0.1, 1ms, 750us, 50ms}, {8500ms}, {8700ms, 8500ms}));
  all.push_back(
      ten_megabytes("40 Mbit/s and 400 kbit/s back", {40, 0.4, 1ms, 750us, 50ms}, {2350ms}, {2350ms, 2350ms}));
  all.push_back({.name = "10 MB, 10 Mbit/s, 20 ms, an outage of 2 s",
                 .up = link(10, 10ms, 20ms),
                 .down = link(10, 10ms, 20ms),
                 .bytes = 10'000'000,
                 .others = {15s, 15s},
                 .ours = {12550ms, 11200ms},
                 .outage_from = 1s,
                 .outage_to = 3s});
  all.push_back({.name = "4 MB, 10 Mbit/s, 20 ms",
                 .up = link(10, 10ms, 20ms),
                 .down = link(10, 10ms, 20ms),
                 .bytes = 4'000'000,
                 .others = {3500ms, 3500ms},
                 .ours = {3600ms, 3500ms}});
  all.push_back({.name = "4 MB, 10 Mbit/s, 20 ms, jitter 5 ms",
                 .up = "rate 10mbit delay 10ms 5ms limit 50",
                 .down = "rate 10mbit delay 10ms 5ms limit 50",
                 .bytes = 4'000'000,
                 .others = {3600ms, 3550ms},
                 .ours = {3600ms, 3550ms}});
  all.push_back(wifi("one suspension", {1000}, 3ms, {2800ms, 2870ms}, {2950ms, 2870ms}));
  all.push_back(wifi("six, 5 ms apart", {1000, 1255, 1510, 1765, 2020, 2275}, 3ms, {4060ms, 4700ms}, {4650ms, 4700ms}));
  all.push_back(wifi("six, 250 ms apart", {1000, 1500, 2000, 2500, 3000, 3500}, 3ms, {4070ms}, {4400ms, 4100ms}));
  all.push_back(wifi("one suspension, 100 ms", {1000}, 50ms, {3400ms, 3100ms}, {3400ms, 3250ms}));
  return all;
}

std::optional<Duration> time_to_complete(const Completion& scenario, CongestionControl algorithm, std::uint64_t seed) {
  test::SimConfig config{.up = scenario.up, .down = scenario.down, .seed = seed};
  config.adjust = [&](netem::LinkSpec& spec) {
    // Their links carry UDP payloads, of at most 1440 bytes.
    spec.header_bytes = 0;
    spec.mtu = 1440;
    if (!spec.trace.file.empty()) spec.trace.opportunities_ms = scenario.opportunities_ms;
  };
  for (EndpointConfig* side : {&config.client, &config.server}) {
    side->transport.recovery.congestion_control = algorithm;
    side->transport.handshake_timeout = 60s;
    // The defaults are made for less than 20 MB on the way at once, which is what the fastest of these links takes.
    FlowControlConfig& flow = side->transport.flow_control;
    flow.connection_window = flow.stream_window = 64u << 20;
    flow.max_connection_window = flow.max_stream_window = 64u << 20;
    flow.stream_send_buffer = flow.connection_send_buffer = 64u << 20;
  }
  test::SimPair sim(std::move(config));
  sim.filter = [&](Role, ByteView) {
    return sim.elapsed() >= scenario.outage_from && sim.elapsed() < scenario.outage_to;
  };
  sim.client.connected_hook = [&](Connection& connection) {
    sim.client.open_and_send(connection, StreamType::unidirectional, scenario.bytes);
  };
  sim.connect();
  const Duration longest = 1000s;
  const bool done =
      sim.run_until([&] { return !sim.client.outgoing.empty() && sim.client.all_sent_acknowledged(); }, longest);
  if (!done || sim.server.bytes_received != scenario.bytes || !sim.violations().empty()) return std::nullopt;
  return sim.elapsed();
}

std::optional<Duration> time_from_cold(double loss_percent, std::uint64_t seed) {
  const std::string loss = loss_percent > 0 ? fmt::format(" loss {}%", loss_percent) : "";
  const std::string words = "delay 25ms rate 100mbit limit 500 mtu 1500" + loss;
  test::SimPair sim({.up = words, .down = words, .seed = seed});
  sim.client.connected_hook = [&](Connection& connection) {
    sim.client.open_and_send(connection, StreamType::unidirectional, kColdTransferBytes);
  };
  sim.connect();
  const bool done =
      sim.run_until([&] { return !sim.client.outgoing.empty() && sim.client.all_sent_acknowledged(); }, 60s);
  if (!done || sim.server.bytes_received != kColdTransferBytes || !sim.violations().empty()) return std::nullopt;
  return sim.elapsed();
}

std::vector<double> rates_from_cold(double loss_percent, std::uint64_t seeds) {
  std::vector<double> rates;
  for (std::uint64_t seed = 1; seed <= seeds; ++seed) {
    const auto took = time_from_cold(loss_percent, seed);
    rates.push_back(took ? kColdTransferBytes * 8e-6 / std::chrono::duration<double>(*took).count() : 0);
  }
  std::sort(rates.begin(), rates.end());
  return rates;
}

}  // namespace mxp::testing
