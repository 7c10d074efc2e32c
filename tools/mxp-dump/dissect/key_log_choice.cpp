#include "mxp-dump/dissect/key_log_choice.h"

#include <fmt/format.h>

#include <cstdlib>

#include "common/counted.h"
#include "mxp-dump/dissect/words.h"

namespace mxp::dump {

KeyLogChoice choose_key_log(const std::string& named) {
  if (!named.empty()) return {.path = named, .required = true};
  const char* from_environment = std::getenv("MXPKEYLOGFILE");
  return {.path = from_environment == nullptr ? "" : from_environment};
}

tools::Result<void> load_key_log(KeyRing& keys, const KeyLogChoice& choice, tools::Output& output) {
  if (choice.path.empty()) return {};
  if (auto loaded = keys.load(choice.path); !loaded) {
    if (choice.required)
      return tools::fail(tools::ErrorKind::usage,
                         fmt::format("cannot use the key log {}: {}", choice.path, loaded.error()));
    output.note(fmt::format("MXPKEYLOGFILE is not used: {}: {}", choice.path, loaded.error()));
  }
  if (keys.malformed_lines() > 0) {
    output.warning(fmt::format("{}: {} not of an MXP key log, the first is line {}: {}", choice.path,
                               tools::counted(keys.malformed_lines(), "line is", "lines are"),
                               keys.first_malformed_line(), keys.first_complaint()));
  }
  if (keys.left_out_lines() > 0) {
    output.warning(fmt::format(
        "{}: {} left out: {} connection ids, and {} secrets for each, are the most that are kept", choice.path,
        tools::counted(keys.left_out_lines(), "line was", "lines were"), kMaxLoggedIds, kMaxSecretsOfId));
  }
  if (const auto headless = keys.without_phase_0(); headless.ids > 0) {
    output.warning(
        fmt::format("{}: without MXP_{}_TRAFFIC_SECRET_0 {} the lines of later key phases of this id{} open "
                    "nothing; let the log begin before the connection does",
                    choice.path, headless.direction == TrafficDirection::client_to_server ? "C2S" : "S2C",
                    hex(headless.example), headless.ids > 1 ? fmt::format(" and of {} more", headless.ids - 1) : ""));
  }
  output.verbose(fmt::format("{}: keys for {} of {}", choice.path, keys.ids() - keys.without_phase_0().ids,
                             tools::counted(keys.ids(), "connection id")));
  return {};
}

void warn_of_embedded(const KeyRing& keys, tools::Output& output) {
  if (const auto bad = keys.malformed_embedded_lines(); bad > 0)
    output.warning(fmt::format("{} not of an MXP key log, among the secrets in the capture",
                               tools::counted(bad, "line is", "lines are")));
  if (const auto left = keys.left_out_embedded_lines(); left > 0)
    output.warning(fmt::format(
        "{} left out: {} connection ids, and {} secrets for each, "
        "are the most that are kept; put what is needed into a key log and use --keylog",
        tools::counted(left, "line of the secrets in the capture was", "lines of the secrets in the capture were"),
        kMaxEmbeddedIds, kMaxSecretsOfId));
}

}  // namespace mxp::dump
