// --stats FILE|-: the report as one JSON document, or the error that came instead of it. A failure replaces what an
// earlier run left in the file, so that nobody takes that for the result of this run.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "common/command_line.h"
#include "common/output_file.h"
#include "common/tool_error.h"
#include "mxp-netem/options.h"
#include "udp/unique_fd.h"

namespace mxp::tools {

// The files that --stats and --pcap must not overwrite: every file that the command line names, above all recorded
// links.
std::vector<UsedFile> files_in_use(const Options& options, std::span<const std::string> arguments,
                                   std::string_view option);

class StatsFile {
 public:
  // Empties an existing file at once. Writes nowhere if --stats was not given.
  static Result<StatsFile> open(const Options& options, std::span<const std::string> arguments);
  Result<void> write(const nlohmann::json& report);

 private:
  UniqueFd owned_;
  int fd_ = -1;
  std::string name_;
};

// The end of a run whose command line was not understood: prints the error, writes it to the file of --stats if the raw
// arguments name one, and returns the exit code. 0 and no word for --help and --version.
int report_stop(std::string_view tool, const ParseStop& stop, std::span<const std::string> arguments);

}  // namespace mxp::tools
