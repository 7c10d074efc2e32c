#include "mxp-cat/file_list.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <set>

#include "common/escape.h"
#include "common/output_file.h"
#include "mxp-cat/file_header.h"

namespace mxp::tools {
namespace {

namespace fs = std::filesystem;

std::string shown(const std::string& path) { return escape(path, kMaxNameBytes / 4); }  // a byte becomes up to four

FileIdentity identity_of(const struct stat& status) { return {status.st_dev, status.st_ino, status.st_mode & S_IFMT}; }

// What is left out costs no more than itself; `list.left_out` makes the run fail at its end.
void leave_out(const std::string& path, const std::string& name, std::string_view objection, FileList& list,
               Output& output) {
  output.warning(fmt::format("{} is not sent, as no receiver would take its name: {}", shown(path), objection));
  list.left_out.push_back(shown(name));  // and not the path, which is nobody else's business
}

Result<void> check_readable(const std::string& path) {
  if (::access(path.c_str(), R_OK) == 0) return {};
  return fail_errno(ErrorKind::usage, fmt::format("cannot read {}", shown(path)), errno);
}

void add_entry(FileEntry entry, const struct stat& status, FileList& list) {
  entry.kind = S_ISDIR(status.st_mode)    ? EntryKind::folder
               : S_ISBLK(status.st_mode)  ? EntryKind::device
               : S_ISFIFO(status.st_mode) ? EntryKind::pipe
                                          : EntryKind::file;
  entry.size = S_ISREG(status.st_mode) ? static_cast<std::uint64_t>(status.st_size) : 0;
  entry.mode = static_cast<std::uint16_t>(status.st_mode & 0777);
  entry.identity = identity_of(status);
  list.entries.push_back(std::move(entry));
}

struct Walk {
  std::string root;
  std::string prefix;  // of names; "" if the root has no name of its own
  FileIdentity root_identity;
  Devices devices;
};

// Adds one thing below a folder, or leaves it out. False: if it is a folder, the walk does not go into it.
Result<bool> add_below(const Walk& walk, const fs::path& path, FileList& list, Output& output) {
  struct stat status{};
  if (::lstat(path.c_str(), &status) != 0)
    return fail_errno(ErrorKind::usage, fmt::format("cannot read {}", shown(path.string())), errno);
  const bool device = (S_ISBLK(status.st_mode) || S_ISFIFO(status.st_mode)) && walk.devices == Devices::send;
  if (!S_ISREG(status.st_mode) && !S_ISDIR(status.st_mode) && !device) {
    output.warning(fmt::format("{} is {}: not sent", shown(path.string()),
                               S_ISLNK(status.st_mode)    ? "a symbolic link"
                               : S_ISBLK(status.st_mode)  ? "a block device (--devices sends it)"
                               : S_ISFIFO(status.st_mode) ? "a pipe (--devices sends what comes out of it)"
                                                          : "neither a file nor a folder"));
    return false;
  }
  const std::string below = path.lexically_relative(walk.root).generic_string();
  std::string name = walk.prefix.empty() ? below : walk.prefix + "/" + below;
  if (const auto objection = objection_to_name(name)) {
    leave_out(path.string(), name, *objection, list, output);
    return false;  // all names below it would have it too
  }
  if (auto readable = check_readable(path.string()); !readable) return std::unexpected(readable.error());
  add_entry({.root = walk.root, .below = below, .name = std::move(name), .root_identity = walk.root_identity}, status,
            list);
  return true;
}

Result<void> add_folder(const Walk& walk, FileList& list, Output& output) {
  std::error_code error;
  for (fs::recursive_directory_iterator at(walk.root, error), end; !error && at != end; at.increment(error)) {
    const auto deeper = add_below(walk, at->path(), list, output);
    if (!deeper) return std::unexpected(deeper.error());
    if (!*deeper) at.disable_recursion_pending();
  }
  if (error) return fail(ErrorKind::usage, fmt::format("cannot read all of {}: {}", shown(walk.root), error.message()));
  return {};
}

Result<void> add_argument(const std::string& argument, Devices devices, FileList& list, Output& output) {
  struct stat status{};
  if (::stat(argument.c_str(), &status) != 0)
    return fail_errno(ErrorKind::usage, fmt::format("cannot send {}", shown(argument)), errno);
  const fs::path path(argument);
  // "photos/" is photos; "." and ".." have no name of their own: what is in them goes over without a folder.
  const fs::path base = path.has_filename() ? path.filename() : path.parent_path().filename();
  const bool nameless = S_ISDIR(status.st_mode) && (base == "." || base == ".." || base.empty());
  if (S_ISBLK(status.st_mode) && devices == Devices::refuse) {
    return fail(ErrorKind::usage,
                fmt::format("cannot send {}: it is a block device, and goes with --devices only", shown(argument)));
  }
  if (S_ISFIFO(status.st_mode) && devices == Devices::refuse) {
    return fail(ErrorKind::usage, fmt::format("cannot send {}: it is a pipe; --devices sends what comes out of it as a "
                                              "file, and without --send a pipe goes through stdin",
                                              shown(argument)));
  }
  if (!S_ISREG(status.st_mode) && !S_ISDIR(status.st_mode) && !S_ISBLK(status.st_mode) && !S_ISFIFO(status.st_mode)) {
    return fail(ErrorKind::usage, fmt::format("cannot send {}: it is neither a file nor a folder", shown(argument)));
  }
  if (!nameless) {
    if (const auto objection = objection_to_name(base.string())) {
      leave_out(argument, base.string(), *objection, list, output);
      return {};
    }
    if (auto readable = check_readable(argument); !readable) return readable;
    add_entry({.root = argument, .below = "", .name = base.string(), .root_identity = identity_of(status)}, status,
              list);
  }
  if (!S_ISDIR(status.st_mode)) return {};
  return add_folder({argument, nameless ? "" : base.string(), identity_of(status), devices}, list, output);
}

// Folders after all files: as long as files are on their way, the receiver makes the folders that it needs.
bool goes_first(const FileEntry& a, const FileEntry& b) {
  const bool a_folder = a.kind == EntryKind::folder;
  const bool b_folder = b.kind == EntryKind::folder;
  return a_folder != b_folder ? b_folder : a.name < b.name;  // the same order on every run
}

std::unexpected<ToolError> exchanged(const FileEntry& entry) {
  return fail(ErrorKind::io,
              fmt::format("{} is not what it was when the list was made: not sent", shown(entry.path())));
}

std::unexpected<ToolError> cannot_read(const FileEntry& entry, int error) {
  if (error == ELOOP || error == ENOTDIR) return exchanged(entry);
  return fail_errno(ErrorKind::io, fmt::format("cannot read {}", shown(entry.path())), error);
}

}  // namespace

Result<FileList> collect_files(const std::vector<std::string>& arguments, Devices devices, Output& output) {
  FileList list;
  for (const std::string& argument : arguments) {
    const std::size_t before = list.entries.size();
    if (auto added = add_argument(argument, devices, list, output); !added) return std::unexpected(added.error());
    std::sort(list.entries.begin() + static_cast<std::ptrdiff_t>(before), list.entries.end(), goes_first);
  }
  if (list.entries.empty()) {
    return fail(ErrorKind::usage, list.left_out.empty()
                                      ? "nothing to send: there is no file in what --send names"
                                      : fmt::format("nothing to send: {} cannot go under its name", list.left_out[0]));
  }
  std::set<std::string> names;
  for (const FileEntry& entry : list.entries) {
    if (!names.insert(entry.name).second) {
      return fail(ErrorKind::usage,
                  fmt::format("two files would arrive as {}: send them one after the other", shown(entry.name)));
    }
  }
  return list;
}

Result<UniqueFd> open_listed(const FileEntry& entry) {
  const bool is_root = entry.below.empty();
  // Non-blocking, so that a pipe in the place of a file is refused below instead of waited for.
  constexpr int kFlags = O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK;
  // A pipe that the caller opened for us, as the shell does for <(command), is read as it is: opened again, it would
  // not tell whether its writer is gone already.
  const auto descriptor = entry.kind == EntryKind::pipe ? named_descriptor(entry.root) : std::nullopt;
  UniqueFd at(descriptor ? ::fcntl(*descriptor, F_DUPFD_CLOEXEC, 3)
                         : ::open(entry.root.c_str(), is_root ? kFlags : O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  struct stat status{};
  if (!at || ::fstat(at.get(), &status) != 0) return cannot_read(entry, errno);
  if (identity_of(status) != entry.root_identity) return exchanged(entry);
  std::string_view rest = entry.below;
  while (!rest.empty()) {
    const auto slash = rest.find('/');
    const std::string component(rest.substr(0, slash));
    const bool last = slash == std::string_view::npos;
    rest = last ? std::string_view{} : rest.substr(slash + 1);
    const int flags = last ? kFlags : O_RDONLY | O_DIRECTORY | O_CLOEXEC;
    at = UniqueFd(::openat(at.get(), component.c_str(), flags | O_NOFOLLOW));
    if (!at) return cannot_read(entry, errno);
  }
  if (::fstat(at.get(), &status) != 0) return cannot_read(entry, errno);
  if (identity_of(status) != entry.identity) return exchanged(entry);
  return at;
}

}  // namespace mxp::tools
