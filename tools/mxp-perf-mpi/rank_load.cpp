#include "mxp-perf-mpi/rank_load.h"

#include <utility>
#include <vector>

#include "common/key_files.h"
#include "common/observe/observation.h"
#include "common/resolve.h"
#include "mxp-perf/client/client.h"
#include "mxp-perf/emulated_link.h"

namespace mxp::perf_mpi {

namespace {

tools::Result<perf::ClientResult> measure(const perf::Options& o, tools::Output& output,
                                          const tools::SignalWatch& signals) {
  auto identity = tools::key_of_file_or_new(o.identity_file, system_random());
  if (!identity) return std::unexpected(identity.error());
  auto server = tools::resolve_all(o.url.host, o.url.port);
  if (!server) return std::unexpected(server.error());
  std::optional<perf::EmulatedLink> link;
  std::vector<pid_t> partners;
  if (!o.link.empty()) {
    auto started = perf::EmulatedLink::start(o.link, tools::host_port(o.url.host, o.url.port));
    if (!started) return std::unexpected(started.error());
    link.emplace(*std::move(started));
    server = std::vector{link->address()};
    partners.push_back(link->process());
  }
  const auto observation = tools::Observation::create(o.observe, "mxp-perf-mpi", output);
  if (!observation) return std::unexpected(observation.error());
  perf::Client client(o, output, std::move(partners));
  return client.run(*std::move(server), *o.url.key, *identity, signals, **observation);
}

}  // namespace

double seconds_after_first(const perf::Options& all, int rank) {
  const double rate = all.workload.calls_per_second + all.workload.messages_per_second;  // one of them at most
  return rate > 0 ? rank / rate : 0;
}

perf::Options share_of(const perf::Options& all, int rank, int size) {
  perf::Options mine = all;
  mine.workload.calls_per_second /= size;
  mine.workload.messages_per_second /= size;
  if (mine.start_at) *mine.start_at += seconds_after_first(all, rank);
  if (rank > 0) {
    mine.json.clear();
    mine.outputs = {};
    mine.observe = {};
  }
  return mine;
}

Outcome run_load(const perf::Options& options, int rank, tools::Output& output, const tools::SignalWatch& signals) {
  auto measured = measure(options, output, signals);
  if (!measured) return {.rank = rank, .error = measured.error()};
  return outcome_of(rank, *measured, options);
}

}  // namespace mxp::perf_mpi
