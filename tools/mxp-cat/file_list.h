// What --send names, as the list of files that go over: a file under its base name, a folder's files under their paths
// from the folder's own name on.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "common/output.h"
#include "common/tool_error.h"

namespace mxp::tools {

struct FileEntry {
  std::filesystem::path path;  // where it is
  std::string name;            // under which name it goes over
};

// Everything that can be known to fail before a connection is made fails here, as a usage error. Symbolic links below a
// folder, and what is neither file nor folder, are left out with a warning.
Result<std::vector<FileEntry>> collect_files(const std::vector<std::string>& arguments, Output& output);

}  // namespace mxp::tools
