// The outputs of a file that show its connections from beginning to end: --qlog and --html. They are told of the connections
// before the first packet, since only the whole capture tells which packets were lost.
#pragma once

#include <optional>
#include <vector>

#include "common/output.h"
#include "common/output_file.h"
#include "common/tool_error.h"
#include "mxp-dump/options.h"
#include "mxp-dump/page/page_writer.h"
#include "mxp-dump/qlog/qlog_writer.h"

namespace mxp::dump {

class WholeOutputs {
 public:
  // `used`: what they must not overwrite.
  tools::Result<void> open(const Options& options, std::vector<tools::UsedFile> used);
  // Findings tell a clock that was set from frames that are out of order: the survey must not put those in order.
  bool looks_at_the_clock() const { return page_ != nullptr; }

  void survey(const Connection& connection);
  // What cannot be written is told by finish(): the other outputs of the run go on.
  void add(const PacketRecord& record);
  // `summary` is that of the capture, as --stats summary has it in JSON.
  tools::Result<void> finish(const nlohmann::json& summary, tools::Output& output);

 private:
  void note(const tools::Result<void>& done) {
    if (!done && !failure_) failure_ = done.error();
  }

  std::string capture_;  // its name, as it is shown
  std::optional<QlogWriter> qlog_;
  std::unique_ptr<PageWriter> page_;
  std::optional<tools::ToolError> failure_;
};

}  // namespace mxp::dump
