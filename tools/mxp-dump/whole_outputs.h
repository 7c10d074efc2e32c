// The outputs of a file that show its connections from beginning to end: --qlog. They are told of the connections
// before the first packet, since only the whole capture tells which packets were lost.
#pragma once

#include <optional>

#include "common/output.h"
#include "common/tool_error.h"
#include "mxp-dump/options.h"
#include "mxp-dump/qlog/qlog_writer.h"

namespace mxp::dump {

class WholeOutputs {
 public:
  tools::Result<void> open(const Options& options);
  bool any() const { return qlog_.has_value(); }

  void survey(const Connection& connection);
  // What cannot be written is told by finish(): the other outputs of the run go on.
  void add(const PacketRecord& record);
  tools::Result<void> finish(tools::Output& output);

 private:
  void note(const tools::Result<void>& done) {
    if (!done && !failure_) failure_ = done.error();
  }

  std::optional<QlogWriter> qlog_;
  std::optional<tools::ToolError> failure_;
};

}  // namespace mxp::dump
