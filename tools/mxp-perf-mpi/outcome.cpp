#include "mxp-perf-mpi/outcome.h"

#include "mxp-perf/config_json.h"
#include "mxp-perf/json_numbers.h"
#include "mxp-perf/outputs/result_files.h"

namespace mxp::perf_mpi {

Outcome outcome_of(int rank, const perf::ClientResult& measured, const perf::Options& options) {
  Outcome outcome{.rank = rank, .error = measured.error};
  if (!measured.result) return outcome;
  const perf::Result& result = *measured.result;
  outcome.document = to_json(result);
  outcome.document["config"].update(config_of(options));
  outcome.hlog = to_hlog(log_of(result));
  outcome.beside = {
      .client = result.client, .server = result.server, .answers = result.answers, .held_seconds = result.held_seconds};
  return outcome;
}

std::string to_text(const Outcome& outcome) {
  nlohmann::json json = {{"document", outcome.document},
                         {"hlog", outcome.hlog},
                         {"answers", outcome.beside.answers},
                         {"held_seconds", outcome.beside.held_seconds}};
  if (outcome.beside.client) json["client"] = to_json(*outcome.beside.client);
  if (outcome.beside.server) json["server"] = to_json(*outcome.beside.server);
  if (outcome.error) json["error"] = to_json(*outcome.error)["error"];
  return json.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

std::optional<Outcome> parse_outcome(int rank, const std::string& text) {
  const auto json = nlohmann::json::parse(text, nullptr, false);
  if (!json.is_object()) return std::nullopt;
  try {
    Outcome outcome{.rank = rank, .document = json.at("document"), .hlog = json.at("hlog")};
    if (!outcome.document.is_null() && !outcome.document.is_object()) return std::nullopt;
    // What is read of it whether or not it adds up with the others.
    const nlohmann::json::json_pointer late("/start/late_us");
    if (outcome.document.contains(late) && !outcome.document.at(late).is_number()) return std::nullopt;
    outcome.beside.answers = perf::whole_number<std::uint64_t>(json, "answers");
    outcome.beside.held_seconds = perf::time_number(json, "held_seconds");
    if (json.contains("client")) outcome.beside.client = perf::parse_figures(json.at("client"));
    if (json.contains("server")) outcome.beside.server = perf::parse_figures(json.at("server"));
    if (json.contains("error")) {
      const auto kind = tools::kind_of_word(json.at("error").at("kind").get<std::string>());
      outcome.error = tools::ToolError{kind.value_or(tools::ErrorKind::network), json.at("error").at("message")};
    }
    return outcome;
  } catch (const nlohmann::json::exception&) {
    return std::nullopt;
  }
}

}  // namespace mxp::perf_mpi
