// The table of docs/benchmarks.md, "Congestion control in the simulator": each controller on each link, in virtual
// time.
//
//     congestion_table [--seeds N] [--seconds N] [--all-seeds] [--transfers]
//
// One factor differs at a time from 100 Mbit/s, 50 ms, a queue of one BDP and 1 % loss. After it the tables of
// whole transfers (completion.h); --transfers prints those alone. The same seeds give the same tables.
#include <fmt/core.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <functional>

#include "congestion/completion.h"
#include "congestion/scenario.h"

using namespace mxp;
using namespace mxp::testing;
using namespace std::chrono_literals;

namespace {

struct Row {
  std::string name;
  std::function<Measured(CongestionControl, std::uint64_t seed)> run;
};

int seeds = 5;
Duration length = 40s;
bool all_seeds = false;

Row one(std::string name, const Path& path) {
  return {std::move(name), [path](CongestionControl algorithm, std::uint64_t seed) {
            const Duration settled =
                std::max<Duration>(length / 4, std::chrono::milliseconds(std::lround(path.rtt_ms * 25)));
            return measure_one(path, algorithm, seed, settled, settled + length);
          }};
}

Row many(std::string name, const Path& path, std::size_t count) {
  return {std::move(name), [path, count](CongestionControl algorithm, std::uint64_t seed) {
            return measure(path.lab(seed), together(count, algorithm, seed), 30s, 30s + length);
          }};
}

// 100 Mbit/s, then ten, then a hundred again, ten seconds each, as opportunities of 1500 bytes.
std::vector<std::uint32_t> steps() {
  std::vector<std::uint32_t> result;
  double due = 0;
  for (std::uint32_t ms = 1; ms <= 30'000; ++ms)
    for (due += ms > 10'000 && ms <= 20'000 ? 10.0 / 12 : 100.0 / 12; due >= 1; --due) result.push_back(ms);
  return result;
}

Row rate_steps(std::string name, Duration from, Duration to, double mbit) {
  return {std::move(name), [=](CongestionControl algorithm, std::uint64_t seed) {
            FlowLab lab({.up = "trace steps delay 25ms limit 763",
                         .down = "delay 25ms",
                         .opportunities_ms = steps(),
                         .seed = seed});
            lab.add(flow_of(algorithm));
            lab.run(to);
            const auto delay = [&](double percentile) {
              return std::chrono::duration<double, std::milli>(lab.queue_delay(percentile, from, to)).count();
            };
            return Measured{.share = lab.rate_mbit(0, from, to) * 1228 / 1200 / mbit,
                            .p50_ms = delay(50),
                            .p95_ms = delay(95),
                            .p99_ms = delay(99),
                            .lost = lab.lost_share(0),
                            .jain = 1,
                            .shares = {}};
          }};
}

std::vector<Row> rows() {
  std::vector<Row> result;
  for (const double loss : {0.0, 0.1, 1.0, 5.0, 20.0})
    result.push_back(one(fmt::format("loss {} %", loss), {.loss_percent = loss}));
  result.push_back(one("bursts, 1 % lost, five at a time (Gilbert–Elliott)", {.more_up = "loss gemodel 0.2% 20%"}));
  for (const double rtt : {1.0, 10.0, 200.0, 600.0})
    result.push_back(one(fmt::format("round trip {} ms", rtt), {.rtt_ms = rtt, .loss_percent = 1}));
  for (const double mbit : {1.0, 10.0, 1000.0})
    result.push_back(one(fmt::format("{} Mbit/s", mbit), {.mbit = mbit, .loss_percent = 1}));
  for (const double queue : {0.1, 0.25, 4.0, 8.0}) {
    result.push_back(one(fmt::format("queue {} BDP", queue), {.queue_bdp = queue, .loss_percent = 1}));
    result.push_back(one(fmt::format("queue {} BDP, no loss", queue), {.queue_bdp = queue}));
  }
  result.push_back(one("policer: a queue of 0.02 BDP, no loss", {.queue_bdp = 0.02}));
  result.push_back(one("jitter 5 ms", {.loss_percent = 1, .more_up = {}, .down = "delay 25ms 5ms"}));
  result.push_back(one("2 % of packets overtake", {.loss_percent = 1, .more_up = "reorder 2%"}));
  const std::string demo = "rate 200mbit delay 20ms 2ms loss 1% reorder 2% duplicate 1%";
  result.push_back({"200 Mbit/s, 40 ms, jitter, 1 % lost, 2 % overtake, copies; both ways",
                    [demo](CongestionControl algorithm, std::uint64_t seed) {
                      return measure({.up = demo, .down = demo, .seed = seed}, {flow_of(algorithm)}, length / 4,
                                     length / 4 + length);
                    }});
  result.push_back(one("outage of 2 s every 10 s", {.loss_percent = 1, .more_up = "outage 2s every 10s"}));
  result.push_back(one("return path 1 Mbit/s", {.loss_percent = 1, .down = "rate 1mbit delay 25ms limit 100"}));
  result.push_back(one("return path loses 10 %", {.loss_percent = 1, .down = "delay 25ms loss 10%"}));
  result.push_back(rate_steps("steps of the rate: 100 Mbit/s, the last 8 s", 2s, 10s, 100));
  result.push_back(rate_steps("… then 10 Mbit/s, the last 8 s", 12s, 20s, 10));
  result.push_back(rate_steps("… then 100 Mbit/s, the last 8 s", 22s, 30s, 100));
  for (const std::size_t count : {2u, 4u, 8u, 16u})
    result.push_back(many(fmt::format("{} flows, no loss", count), {}, count));
  result.push_back({"a late-comer each 5 s, four flows, no loss", [](CongestionControl algorithm, std::uint64_t seed) {
                      std::vector<FlowPlan> flows;
                      for (int i = 0; i < 4; ++i)
                        flows.push_back(flow_of(algorithm, i * 5s + std::chrono::milliseconds(seed * 7)));
                      return measure(Path{}.lab(seed), flows, 45s, 105s);
                    }});
  result.push_back({"round trips 20 and 80 ms, no loss", [](CongestionControl algorithm, std::uint64_t seed) {
                      return measure(Path{.rtt_ms = 20, .queue_bdp = 2.5}.lab(seed),
                                     {flow_of(algorithm), flow_of(algorithm, std::chrono::milliseconds(seed), 60ms)},
                                     30s, 90s);
                    }});
  for (const double queue : {1.0, 2.0, 4.0})
    result.push_back({fmt::format("beside one CUBIC flow (Jain: of its own share), queue {} BDP", queue),
                      [queue](CongestionControl algorithm, std::uint64_t seed) {
                        Measured both = measure(
                            Path{.queue_bdp = queue}.lab(seed),
                            {flow_of(algorithm, std::chrono::milliseconds(seed)), flow_of(CongestionControl::cubic)},
                            30s, 90s);
                        both.jain = both.shares[0] / both.share;
                        return both;
                      }});
  for (const std::size_t count : {4u, 16u})
    result.push_back({fmt::format("{} flows, every second one CUBIC, queue 2 BDP (Jain: of the others' share)", count),
                      [count](CongestionControl algorithm, std::uint64_t seed) {
                        std::vector<FlowPlan> flows = together(count, algorithm, seed);
                        for (std::size_t i = 1; i < count; i += 2)
                          flows[i].congestion_control = CongestionControl::cubic;
                        Measured all = measure(Path{.queue_bdp = 2}.lab(seed), flows, 30s, 90s);
                        double others = 0;
                        for (std::size_t i = 0; i < count; i += 2) others += all.shares[i];
                        all.jain = others / all.share;
                        return all;
                      }});
  return result;
}

double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values[values.size() / 2];
}

void print(const Row& row, CongestionControl algorithm, const char* name) {
  std::vector<double> share, p50, p99, lost, jain;
  for (int seed = 1; seed <= seeds; ++seed) {
    const Measured it = row.run(algorithm, static_cast<std::uint64_t>(seed));
    if (all_seeds)
      fmt::print(stderr, "{} {} seed {}: share {:.3f} p95 {:.1f} lost {:.3f} jain {:.3f}\n", row.name, name, seed,
                 it.share, it.p95_ms, it.lost, it.jain);
    share.push_back(100 * it.share);
    p50.push_back(it.p50_ms);
    p99.push_back(it.p99_ms);
    lost.push_back(100 * it.lost);
    jain.push_back(it.jain);
  }
  const auto [low, high] = std::minmax_element(share.begin(), share.end());
  fmt::print("| {} | {} | {:.1f} ({:.1f} to {:.1f}) | {:.1f} / {:.1f} | {:.2f} | {:.2f} |\n", row.name, name,
             median(share), *low, *high, median(p50), median(p99), median(lost), median(jain));
  std::fflush(stdout);
}

std::string seconds(std::optional<Duration> time) {
  return time ? fmt::format("{:.2f}", std::chrono::duration<double>(*time).count()) : "–";
}

void print_completions() {
  fmt::print("\n| transfer | BBR, s | CUBIC, s | picoquic's limits under BBR, CUBIC, s |\n|---|---|---|---|\n");
  for (const Completion& it : completions()) {
    fmt::print("| {} | {} | {} | {}, {} |\n", it.name, seconds(time_to_complete(it, CongestionControl::bbr, 1)),
               seconds(time_to_complete(it, CongestionControl::cubic, 1)), seconds(it.others.bbr),
               seconds(it.others.cubic));
    std::fflush(stdout);
  }
}

void print_from_cold() {
  fmt::print("\n| loss, both ways | Mbit/s: median (range) |\n|---|---|\n");
  for (const double loss : {0.0, 1.0, 5.0}) {
    const auto rates = rates_from_cold(loss, 20);
    fmt::print("| {} % | {:.1f} ({:.1f} to {:.1f}) |\n", loss, median(rates), rates.front(), rates.back());
  }
}

// The line of this link under the default controller.
int print_only(std::string_view link) {
  const std::vector<Row> all = rows();
  const auto found = std::find_if(all.begin(), all.end(), [&](const Row& row) { return row.name == link; });
  if (found == all.end()) {
    fmt::print(stderr, "congestion_table: no link is called '{}'\n", link);
    return 2;
  }
  print(*found, CongestionControl::bbr, "BBR");
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  bool only_transfers = false;
  const char* only = nullptr;
  for (int i = 1; i < argc; ++i) {
    if (std::strcmp(argv[i], "--seeds") == 0 && i + 1 < argc) seeds = std::atoi(argv[++i]);
    else if (std::strcmp(argv[i], "--seconds") == 0 && i + 1 < argc)
      length = std::chrono::seconds(std::atoi(argv[++i]));
    else if (std::strcmp(argv[i], "--all-seeds") == 0) all_seeds = true;
    else if (std::strcmp(argv[i], "--transfers") == 0) only_transfers = true;
    else if (std::strcmp(argv[i], "--only") == 0 && i + 1 < argc) only = argv[++i];
    else return 2;
  }
  if (seeds < 1 || length < 1s) return 2;
  if (only_transfers) {
    print_completions();
    print_from_cold();
    return 0;
  }
  fmt::print(
      "| link | controller | goodput, % of the link: median (range) | queue p50 / p99, ms | retransmitted, % | Jain "
      "|\n");
  fmt::print("|---|---|---|---|---|---|\n");
  if (only != nullptr) return print_only(only);
  for (const Row& row : rows()) {
    print(row, CongestionControl::bbr, "BBR");
    print(row, CongestionControl::cubic, "CUBIC");
    print(row, CongestionControl::newreno, "NewReno");
  }
  print_completions();
  print_from_cold();
}
