#include "mxp-perf/outputs/result_sinks.h"

#include <unistd.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "common/write_all.h"
#include "mxp-perf/config_json.h"
#include "mxp-perf/outputs/iperf3_json.h"
#include "mxp-perf/schema/series_json.h"
#include "mxp/version.h"

namespace mxp::perf {

void stream_refusal(const tools::ParseStop& stop, std::span<const std::string> arguments) {
  if (stop.code == tools::ExitCode::ok || std::ranges::find(arguments, "--json-stream") == arguments.end()) return;
  JsonStream(StreamUse::on).tell("error", to_json(tools::ToolError{tools::ErrorKind::usage, stop.error})["error"]);
}

tools::Result<ResultSinks> ResultSinks::open(const Options& options, std::span<const std::string> arguments) {
  ResultSinks sinks(options);
  auto json = tools::JsonOutput::open(options.json, tools::StdoutUse::free, arguments);
  if (!json) return std::unexpected(json.error());
  sinks.json_ = *std::move(json);
  auto files = ResultFiles::open(options.outputs, arguments);
  if (!files) {
    sinks.fail(files.error());
    return std::unexpected(files.error());
  }
  sinks.files_ = *std::move(files);
  return sinks;
}

tools::Result<void> ResultSinks::print(std::string_view text) const {
  if (options_->json == "-" || options_->outputs.json_stream) return {};
  return tools::write_all(STDOUT_FILENO, text, "stdout");
}

void ResultSinks::begin() {
  stream_.tell("start", {{"schema", kSchemaName},
                         {"version", kLibraryVersion},
                         {"test", to_string(options_->workload.test)},
                         {"config", config_of(*options_)}});
}

void ResultSinks::interval(const IntervalRate& rate) {
  if (stream_) stream_.tell("interval", to_json(rate, rate_unit(options_->workload.test)));
}

tools::Result<void> ResultSinks::deliver(const Result& result, const nlohmann::json& document,
                                         const std::optional<tools::ToolError>& error) {
  delivered_ = true;
  if (error) stream_.tell("error", to_json(*error)["error"]);
  stream_.tell("end", document);
  const tools::Result<void> outcomes[] = {json_.write_document(document), stream_.status(),
                                          files_.write_histograms(log_of(result)),
                                          files_.write_iperf3(to_iperf3(*options_, &result, error))};
  for (const auto& outcome : outcomes)
    if (!outcome) return outcome;
  return {};
}

void ResultSinks::fail(const tools::ToolError& error) {
  // A result that was already written stays, even if it missed a threshold or stdout did not take its text.
  if (!json_.written()) {
    nlohmann::json document = {{"schema", kSchemaName}};
    document.update(to_json(error));
    (void)json_.write_line(document);
  }
  if (delivered_) return;
  stream_.tell("error", to_json(error)["error"]);
  (void)files_.write_iperf3(to_iperf3(*options_, nullptr, error));
}

}  // namespace mxp::perf
