#include "mxp-perf-mpi/agreement.h"

#include <fmt/format.h>

#include <string_view>

#include "common/escape.h"
#include "common/units.h"
#include "mxp-perf-mpi/validity.h"
#include "mxp-perf/config_json.h"
#include "mxp-perf/environment/environment.h"
#include "mxp/version.h"

namespace mxp::perf_mpi {

using tools::ErrorKind;

namespace {

// Of each rank, or of rank 0 alone: they make no other test.
constexpr const char* kOwn[] = {"identity", "assertions", "start_at_unix_seconds"};

std::string this_program() {
  const std::string_view commit = perf::build_commit();
  return fmt::format("{}{}{}", kLibraryVersion, commit.empty() ? "" : ", built from ", commit);
}

nlohmann::json common_options(const perf::Options& options) {
  nlohmann::json common = config_of(options);
  for (const char* key : kOwn) common.erase(key);
  return common;
}

std::string shown(const nlohmann::json& options, const std::string& key) {
  return options.contains(key) ? tools::escape(options.at(key).dump()) : "none";
}

// The first option, by its name, that is not the same: "size_bytes 100, and rank 0 has 64".
std::optional<std::string> difference(const nlohmann::json& theirs, const nlohmann::json& ours) {
  nlohmann::json both = ours;
  both.update(theirs);
  for (const auto& [key, value] : both.items())
    if (theirs.value(key, nlohmann::json()) != ours.value(key, nlohmann::json()))  // what is shown of both may be cut
      return fmt::format("{} {}, and rank 0 has {}", tools::escape(key), shown(theirs, key), shown(ours, key));
  return std::nullopt;
}

std::optional<tools::ToolError> why_different(std::span<const std::optional<Introduction>> ranks) {
  const Introduction& first = *ranks.front();
  for (std::size_t rank = 1; rank != ranks.size(); ++rank) {
    const Introduction& one = *ranks[rank];
    if (one.options.is_null())
      return tools::ToolError{ErrorKind::usage, fmt::format("{}: {}", name_of(rank, one.host),
                                                            tools::escape(one.refusal, one.refusal.size()))};
    if (const auto differs = difference(one.options, first.options))
      return tools::ToolError{ErrorKind::usage, fmt::format("{} has {}: all ranks take the same options",
                                                            name_of(rank, one.host), *differs)};
  }
  return std::nullopt;
}

}  // namespace

Introduction introduce(const std::string& host, const std::expected<perf::Options, tools::ParseStop>& options) {
  Introduction introduction{.host = host, .program = this_program()};
  if (options) introduction.options = common_options(*options);
  else introduction.refusal = options.error().error;
  return introduction;
}

std::string to_text(const Introduction& introduction) {
  const nlohmann::json json = {{"host", introduction.host},
                               {"program", introduction.program},
                               {"options", introduction.options},
                               {"refusal", introduction.refusal}};
  return json.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

std::optional<Introduction> parse_introduction(const std::string& text) {
  const auto json = nlohmann::json::parse(text, nullptr, false);
  if (!json.is_object()) return std::nullopt;
  const auto word = [&](const char* key) {
    const auto found = json.find(key);
    return found != json.end() && found->is_string() ? found->get<std::string>() : std::string();
  };
  Introduction introduction{.host = word("host"), .program = word("program"), .refusal = word("refusal")};
  if (introduction.program.empty()) return std::nullopt;
  if (const auto options = json.find("options"); options != json.end() && options->is_object())
    introduction.options = *options;
  return introduction;
}

std::optional<AgreementFailure> why_not_together(std::span<const std::optional<Introduction>> ranks,
                                                 Duration patience) {
  const Introduction& first = *ranks.front();
  std::string missing, others;
  for (std::size_t rank = 0; rank != ranks.size(); ++rank) {
    if (!ranks[rank]) missing += fmt::format("{}rank {}", missing.empty() ? "" : ", ", rank);
    else if (ranks[rank]->program != first.program)
      others += fmt::format("{}{} is {}", others.empty() ? "" : ", ", name_of(rank, ranks[rank]->host),
                            tools::escape(ranks[rank]->program));
  }
  if (!others.empty())
    return AgreementFailure{.error = {ErrorKind::usage, fmt::format("{}, and {} is {}: all ranks must be one version",
                                                                    others, name_of(0, first.host), first.program)}};
  if (!missing.empty())
    return AgreementFailure{
        .error = {ErrorKind::network, fmt::format("{} did not come to the agreement within {}: it hangs, or is no "
                                                  "mxp-perf-mpi of this version",
                                                  missing, tools::format_duration(patience))}};
  if (auto error = why_different(ranks)) return AgreementFailure{.error = *std::move(error), .all_understand = true};
  return std::nullopt;
}

}  // namespace mxp::perf_mpi
