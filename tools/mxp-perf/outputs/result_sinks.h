// All that a run writes for programs: --json, --json-stream, and the files of result_files.h. Opened before anything is
// measured; each gets the result, or the reason why there is none.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <span>
#include <string_view>

#include "common/command_line.h"
#include "common/json_output.h"
#include "common/tool_error.h"
#include "mxp-perf/options.h"
#include "mxp-perf/outputs/result_files.h"
#include "mxp-perf/result.h"
#include "mxp-perf/schema/json_stream.h"

namespace mxp::perf {

class ResultSinks {
 public:
  // `options` outlives it.
  static tools::Result<ResultSinks> open(const Options& options, std::span<const std::string> arguments);

  tools::JsonOutput& json() { return json_; }
  ResultFiles& files() { return files_; }

  // Text for people, on stdout unless that carries JSON.
  tools::Result<void> print(std::string_view text) const;
  void begin();
  void interval(const IntervalRate& rate);
  // `document` is the whole result, `error` what stands beside it. Each output is tried, and the first failure returned.
  tools::Result<void> deliver(const Result& result, const nlohmann::json& document,
                              const std::optional<tools::ToolError>& error);
  // Writes a failure wherever there is no result yet. The exit code tells it, too, so that nothing more can fail.
  void fail(const tools::ToolError& error);

 private:
  explicit ResultSinks(const Options& options)
      : options_(&options), stream_(options.outputs.json_stream ? StreamUse::on : StreamUse::off) {}

  const Options* options_;
  tools::JsonOutput json_;
  JsonStream stream_;
  ResultFiles files_;
  bool delivered_ = false;
};

// The same for a command line that was not understood, where one of its words asks for the stream.
void stream_refusal(const tools::ParseStop& stop, std::span<const std::string> arguments);

}  // namespace mxp::perf
