// The files that a link's spec names: recorded links and tables of delays.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "common/output_file.h"
#include "common/tool_error.h"
#include "netem/spec.h"

namespace mxp::tools {

// All of a file, up to `most` bytes. The error names it as `what` (exit 2).
Result<std::string> read_whole_file(const std::string& path, std::string_view what, std::size_t most);

// Reads them and fills them in. A table that is no file by its name is looked for as NAME.dist where tc keeps its own:
// in $TC_LIB_DIR, otherwise in the folders of the distributions. Errors name the file (exit 2).
Result<void> load_spec_files(netem::LinkSpec& spec);

// Those files, so that no output overwrites them.
void add_spec_files(std::vector<UsedFile>& used, const netem::LinkSpec& spec);

}  // namespace mxp::tools
