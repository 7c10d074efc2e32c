#include "mxp-cat/file_list.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <set>

#include "common/escape.h"
#include "mxp-cat/file_header.h"

namespace mxp::tools {
namespace {

namespace fs = std::filesystem;

Result<void> add_file(const fs::path& path, std::string name, std::vector<FileEntry>& files) {
  if (::access(path.c_str(), R_OK) != 0)
    return fail_errno(ErrorKind::usage, fmt::format("cannot read {}", path.string()), errno);
  if (const auto objection = objection_to_name(name)) {
    return fail(ErrorKind::usage,
                fmt::format("{} cannot be sent under its name: {}", escape(path.string()), *objection));
  }
  files.push_back({path, std::move(name)});
  return {};
}

Result<void> add_folder(const fs::path& folder, const std::string& prefix, std::vector<FileEntry>& files,
                        Output& output) {
  std::error_code error;
  std::vector<fs::path> found;
  for (fs::recursive_directory_iterator at(folder, error), end; !error && at != end; at.increment(error)) {
    if (at->is_symlink()) {
      output.warning(fmt::format("{} is a symbolic link: not sent", at->path().string()));
    } else if (at->is_regular_file()) {
      found.push_back(at->path());
    } else if (!at->is_directory()) {
      output.warning(fmt::format("{} is neither a file nor a folder: not sent", at->path().string()));
    }
  }
  if (error) return fail(ErrorKind::usage, fmt::format("cannot read all of {}: {}", folder.string(), error.message()));
  std::sort(found.begin(), found.end());  // the same order on every run
  for (const fs::path& path : found) {
    const std::string below = path.lexically_relative(folder).generic_string();
    if (auto added = add_file(path, prefix.empty() ? below : prefix + "/" + below, files); !added) return added;
  }
  return {};
}

}  // namespace

Result<std::vector<FileEntry>> collect_files(const std::vector<std::string>& arguments, Output& output) {
  std::vector<FileEntry> files;
  for (const std::string& argument : arguments) {
    const fs::path path(argument);
    std::error_code error;
    const fs::file_status status = fs::status(path, error);
    if (!fs::exists(status)) {
      return fail(ErrorKind::usage,
                  fmt::format("cannot send {}: {}", argument, error ? error.message() : std::strerror(ENOENT)));
    }
    Result<void> added;
    if (fs::is_directory(status)) {
      // "photos/" is photos, "." and ".." have no name of their own: their files go over without a folder.
      const fs::path base = path.has_filename() ? path.filename() : path.parent_path().filename();
      const std::string prefix = base == "." || base == ".." ? "" : base.string();
      added = add_folder(path, prefix, files, output);
    } else if (fs::is_regular_file(status)) {
      added = add_file(path, path.filename().string(), files);
    } else {
      added =
          fail(ErrorKind::usage,
               fmt::format("cannot send {}: it is neither a file nor a folder (a pipe goes through stdin)", argument));
    }
    if (!added) return std::unexpected(added.error());
  }
  if (files.empty()) return fail(ErrorKind::usage, "nothing to send: there is no file in what --send names");
  std::set<std::string> names;
  for (const FileEntry& file : files) {
    if (!names.insert(file.name).second) {
      return fail(ErrorKind::usage,
                  fmt::format("two files would arrive as {}: send them one after the other", file.name));
    }
  }
  return files;
}

}  // namespace mxp::tools
