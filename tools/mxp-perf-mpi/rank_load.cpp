#include "mxp-perf-mpi/rank_load.h"

#include <utility>
#include <vector>

#include "common/key_files.h"
#include "common/observe/observation.h"
#include "common/resolve.h"
#include "mxp-perf/client/client.h"
#include "mxp-perf/config_json.h"
#include "mxp-perf/emulated_link.h"
#include "mxp-perf/outputs/result_files.h"

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

std::string to_text(const Outcome& outcome) {
  nlohmann::json json = {{"document", outcome.document}, {"hlog", outcome.hlog}};
  if (outcome.error) json["error"] = to_json(*outcome.error)["error"];
  return json.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

std::optional<Outcome> parse_outcome(int rank, const std::string& text) {
  const auto json = nlohmann::json::parse(text, nullptr, false);
  if (!json.is_object()) return std::nullopt;
  try {
    Outcome outcome{.rank = rank, .error = {}, .document = json.at("document"), .hlog = json.at("hlog")};
    if (json.contains("error")) {
      const auto kind = tools::kind_of_word(json.at("error").at("kind").get<std::string>());
      outcome.error = tools::ToolError{kind.value_or(tools::ErrorKind::network), json.at("error").at("message")};
    }
    return outcome;
  } catch (const nlohmann::json::exception&) {
    return std::nullopt;
  }
}

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
    mine.interval = {};
  }
  return mine;
}

Outcome run_load(const perf::Options& options, int rank, tools::Output& output, const tools::SignalWatch& signals) {
  Outcome outcome{.rank = rank, .error = {}, .document = nullptr, .hlog = {}};
  auto measured = measure(options, output, signals);
  if (!measured) {
    outcome.error = measured.error();
    return outcome;
  }
  outcome.error = measured->error;
  if (!measured->result) return outcome;
  outcome.document = to_json(*measured->result);
  outcome.document["config"].update(config_of(options));
  outcome.hlog = to_hlog(log_of(*measured->result));
  return outcome;
}

}  // namespace mxp::perf_mpi
