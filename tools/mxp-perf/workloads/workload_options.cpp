#include "mxp-perf/workloads/workload_options.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>

#include "common/units.h"
#include "mxp-perf/workloads/message_meter.h"

namespace mxp::perf {

void add_workload_options(CLI::App& app, Workload& workload, LowWorkload& low, const TestDefaults& defaults) {
  app.add_option("--test", low.test,
                 "bulk: bytes one way as fast as they go; rr: call and response; messages: one way, and "
                 "how old they are when they come; datagrams: one way, lost ones counted; isolation: critical calls, "
                 "then the same beside bulk; mixed: calls, chunks of streams and events, 50/30/20; streams: many short "
                 "ones; connect: handshakes")
      ->check(CLI::IsMember(test_names()))
      ->default_str(defaults.test);
  tools::add_time(app, "--duration", workload.duration,
                  fmt::format("how long to send (default {})", defaults.duration));
  tools::add_time(app, "--omit", workload.omit, "leave out so much of the beginning; isolation: of both halves");
  tools::add_size(
      app, "--size", low.size,
      "rr, streams, messages, mixed, isolation: bytes of each payload (default 64); datagrams: of each (default "
      "1170)");
  app.add_option("--arrivals", low.arrivals,
                 "what comes at a rate: at fixed distances (default) or as a Poisson process")
      ->check(CLI::IsMember({"fixed", "poisson"}));
  app.add_option("--outstanding", low.outstanding,
                 "how many may wait for their answers at a time: rr and streams at a rate, and mixed")
      ->check(CLI::Range(1u, kMaxStreamsInAll));
  app.add_option("--parallel", low.parallel, "connections (default 1); connect: handshakes at a time")
      ->check(CLI::Range(1u, kMaxConnections));
  app.add_option("--streams", low.streams,
                 "bulk, rr, isolation: streams per connection (default 1); streams: that are open at a time")
      ->check(CLI::Range(1u, kMaxStreams));
}

std::string time_range(Duration least, Duration most) {
  return fmt::format("{} to {}", tools::format_duration(least), tools::format_duration(most));
}

namespace {

// --parallel, --arrivals and --outstanding: how many at a time, and when.
std::optional<std::string> interpret_calls(Workload& workload, const LowWorkload& low) {
  const bool connect = workload.test == Test::connect;
  const bool asks = workload.test == Test::rr || workload.test == Test::streams;
  if (low.arrivals && !asks && !connect && workload.test != Test::mixed && workload.test != Test::messages)
    return fmt::format("--arrivals is not for --test {}: it is for rr, streams, connect, messages and mixed", low.test);
  if (low.arrivals && !low.rate) return "--arrivals needs --rate: without it, the next one follows the last answer";
  if (low.outstanding && connect) return "--outstanding is not for --test connect: --parallel is as many at a time";
  if (low.outstanding && !asks && workload.test != Test::mixed)
    return fmt::format("--outstanding is not for --test {}: it is for rr, streams and mixed", low.test);
  if (low.outstanding && asks && !low.rate)
    return "--outstanding needs --rate: without it, as many wait for their answers as there are --streams";
  workload.arrivals = *arrival_law_of(low.arrivals.value_or("fixed"));
  workload.connections = connect ? 1 : low.parallel.value_or(1);
  if (connect) workload.outstanding = low.parallel.value_or(low.rate ? kOutstanding : 1);
  else workload.outstanding = low.outstanding.value_or(workload.test == Test::rr ? kMaxStreamsInAll : kOutstanding);
  return std::nullopt;
}

}  // namespace

std::optional<std::string> interpret_workload(Workload& workload, const LowWorkload& low) {
  workload.test = *test_of(low.test);
  if (low.reverse && low.bidir) return "--reverse and --bidir exclude each other";
  workload.flow = low.bidir ? LoadDirection::both : low.reverse ? LoadDirection::down : LoadDirection::up;
  const bool rr = workload.test == Test::rr, bulk = workload.test == Test::bulk;
  const bool datagrams = workload.test == Test::datagrams;
  const bool isolation = workload.test == Test::isolation, mixed = workload.test == Test::mixed;
  const bool messages = workload.test == Test::messages, streams = workload.test == Test::streams;
  const bool connect = workload.test == Test::connect;
  if (!bulk && (low.reverse || low.bidir))
    return fmt::format("--reverse and --bidir are for --test bulk: {} goes {} by itself", low.test,
                       datagrams || messages ? "to the server" : "both ways");
  if (low.rate && bulk) return "--rate is not for --test bulk, which goes as fast as it can";
  if (low.size && bulk) return "--size is not for --test bulk, which has no messages";
  if (low.size && connect) return "--size is not for --test connect, which sends no data";
  if (low.streams && !workload.uses_streams())
    return fmt::format("--streams is not for --test {}, which needs no stream", low.test);
  if (auto error = interpret_calls(workload, low)) return error;
  if (datagrams && workload.omit > Duration::zero())
    return "--omit is for --test bulk and rr: every datagram that was sent counts";
  workload.streams = low.streams.value_or(workload.streams);
  if (low.rate && !(*low.rate >= kMinRate && *low.rate <= kMaxRate))
    return "--rate takes 0.001 to 10,000,000 per second";
  if (rr || datagrams || streams || connect) workload.calls_per_second = low.rate.value_or(0);
  if (isolation) workload.calls_per_second = low.rate.value_or(kIsolationRate);
  if (mixed || messages) workload.messages_per_second = low.rate.value_or(0);
  workload.size = low.size.value_or(datagrams ? kLargestDatagram : workload.size);
  if (datagrams && (workload.size < kLeastDatagram || workload.size > kLargestDatagram))
    return fmt::format("--size takes {} to {} bytes for a datagram, which is what every path carries", kLeastDatagram,
                       kLargestDatagram);
  if (workload.size == 0 || workload.size > kMaxSize) return "--size takes 1 byte to 1M";
  if ((isolation || mixed || messages) && workload.size > kMaxMessageSize)
    return fmt::format("--size takes 1 to {} bytes for messages", kMaxMessageSize);
  if (mixed && workload.size < kStampSize)
    return fmt::format("--size takes {} bytes and more for {}: a call carries its time", kStampSize, low.test);
  if (workload.duration < kMinDuration || workload.duration > kMaxDuration)
    return "--duration takes " + time_range(kMinDuration, kMaxDuration);
  if (workload.omit >= workload.duration) return "--omit takes less than --duration, which it is a part of";
  if (isolation && workload.omit >= workload.duration / 2)
    return "--omit takes less than half of --duration for --test isolation, which has two halves";
  if (workload.connections * workload.streams > kMaxStreamsInAll)
    return fmt::format("--parallel times --streams is {}: at most {} streams in all",
                       workload.connections * workload.streams, kMaxStreamsInAll);
  return std::nullopt;
}

}  // namespace mxp::perf
