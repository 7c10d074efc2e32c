// What each sink costs the endpoint's thread for an event: the one of a full packet with its frames, and the one of its
// acknowledgement.
#include <benchmark/benchmark.h>

#include <cstdlib>
#include <filesystem>

#include "mxp/otlp.h"
#include "mxp/qlog.h"
#include "mxp/recent_events.h"
#include "mxp/trace_fan_out.h"
#include "mxp/transport_metrics.h"

namespace {

using namespace mxp;
using namespace std::chrono_literals;

const ConnectionId kId({1, 2, 3, 4, 5, 6, 7, 8});

class FixedRandom final : public Random {
 public:
  void fill(MutableBytes out) override {
    for (std::uint8_t& byte : out) byte = 7;
  }
};

// Two events a round, at a pace of 100,000 rounds a second of the clock that the sink is told.
void run_events(benchmark::State& state, TraceSink& sink, bool with_frames) {
  const TraceFrame frames[] = {{.kind = TraceFrameKind::ack, .value = 7},
                               {TraceFrameKind::stream, false, 4, 1'000'000, 1400}};
  const TraceAckRange ranges[] = {{PacketNumber(1), PacketNumber(7)}};
  const TraceFrames told = with_frames ? TraceFrames{frames, ranges, false} : TraceFrames{};
  Timestamp now(1h);
  sink.on(now, kId, TraceStarted{Role::client});
  std::uint64_t number = 0;
  for (auto _ : state) {
    now += 10us;
    sink.on(now, kId, TracePacketSent{PacketNumber(number++), 1452, true, false, told});
    sink.on(now, kId, TraceCongestion{100'000, 50'000, 20ms, 21ms, 19ms, 1ms});
  }
  state.SetItemsProcessed(2 * static_cast<std::int64_t>(state.iterations()));
}

void recent_events(benchmark::State& state) {
  RecentEvents sink;
  run_events(state, sink, false);
}
BENCHMARK(recent_events);

void recent_events_in_a_fan_out(benchmark::State& state) {
  RecentEvents sink;
  TraceFanOut sinks;
  sinks.add(sink);
  run_events(state, sinks, false);
}
BENCHMARK(recent_events_in_a_fan_out);

void transport_metrics(benchmark::State& state) {
  TransportMetrics sink;
  run_events(state, sink, false);
}
BENCHMARK(transport_metrics);

void otlp(benchmark::State& state) {
  FixedRandom random;
  auto sink = OtlpFile::open("/dev/null", random, {});
  run_events(state, **sink, false);
}
BENCHMARK(otlp);

// With what has to be dropped because the disk is slower, which costs the formatting all the same.
void qlog(benchmark::State& state) {
  std::string folder = (std::filesystem::temp_directory_path() / "mxp-bench-XXXXXX").string();
  if (::mkdtemp(folder.data()) == nullptr) return state.SkipWithError("no folder for the files");
  {
    auto sink = QlogFolder::open({.folder = folder, .clock = {Timestamp(1h), 0}});
    run_events(state, **sink, true);
    state.counters["dropped"] = static_cast<double>((*sink)->dropped());
  }
  std::filesystem::remove_all(folder);
}
BENCHMARK(qlog)->Iterations(200'000);

}  // namespace

BENCHMARK_MAIN();
