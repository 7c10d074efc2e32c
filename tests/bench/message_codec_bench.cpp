// How long it takes to encode a message and to decode it again, checksum included. Percentiles are over batches, since
// one operation is shorter than reading a clock is exact.
#include <benchmark/benchmark.h>

#include <algorithm>
#include <chrono>
#include <vector>

#include "mxp/message.h"

namespace {

using namespace mxp;

void encode_and_decode(benchmark::State& state) {
  constexpr int kBatch = 100;
  const std::vector<std::uint8_t> payload(static_cast<std::size_t>(state.range(0)), 0x5a);
  std::vector<std::uint8_t> out(payload.size() + kMessageOverhead);
  std::vector<double> batches;
  std::uint64_t id = 0;
  for (auto _ : state) {
    const auto begin = std::chrono::steady_clock::now();
    for (int i = 0; i != kBatch; ++i) {
      const auto size = encode_message({.type = MessageType::event, .id = ++id, .payload = payload}, out);
      const auto decoded = decode_message({out.data(), *size});
      if (!decoded || decoded->id != id) return state.SkipWithError("what was decoded is not what was encoded");
      benchmark::DoNotOptimize(decoded);
    }
    const std::chrono::duration<double, std::nano> took = std::chrono::steady_clock::now() - begin;
    batches.push_back(took.count() / kBatch);
  }
  std::ranges::sort(batches);
  state.counters["p50_ns"] = batches[batches.size() / 2];
  state.counters["p99_ns"] = batches[batches.size() * 99 / 100];
  state.SetItemsProcessed(state.iterations() * kBatch);
}
BENCHMARK(encode_and_decode)->Arg(64)->Arg(1024)->Arg(16'384);

}  // namespace

BENCHMARK_MAIN();
