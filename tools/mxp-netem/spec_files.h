// The files that a link's spec names: recorded links and tables of delays.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "common/output_file.h"
#include "common/tool_error.h"
#include "netem/shared_list.h"
#include "netem/spec.h"

namespace mxp::tools {

// All of a file, up to `most` bytes. The error names it as `what` (exit 2).
Result<std::string> read_whole_file(const std::string& path, std::string_view what, std::size_t most);

// Reads each file once, however many links name it.
class SpecFiles {
 public:
  // Fills in what the files of `spec` hold. A table that is no file by its name is looked for as NAME.dist where tc
  // keeps its own: in $TC_LIB_DIR, otherwise in the folders of the distributions. Errors name the file (exit 2).
  Result<void> load(netem::LinkSpec& spec);

 private:
  Result<void> load_table(netem::DelayTable& table);
  Result<void> load_trace(netem::LinkSpec::Trace& trace);

  std::map<std::string, netem::SharedList<std::int16_t>> tables_;
  std::map<std::string, netem::SharedList<std::uint32_t>> traces_;
};

// Those files, so that no output overwrites them.
void add_spec_files(std::vector<UsedFile>& used, const netem::LinkSpec& spec);

}  // namespace mxp::tools
