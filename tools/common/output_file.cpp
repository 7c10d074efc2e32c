#include "common/output_file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <ranges>
#include <utility>

#include "common/escape.h"
#include "common/write_all.h"

namespace mxp::tools {
namespace {

namespace fs = std::filesystem;

bool same_file(const struct stat& a, const struct stat& b) { return a.st_dev == b.st_dev && a.st_ino == b.st_ino; }

std::unexpected<ToolError> cannot_open(const std::string& path, int error) {
  return fail_errno(ErrorKind::io, fmt::format("cannot write {}", escape(path)), error);
}

std::unexpected<ToolError> exists(const std::string& path) {
  return fail(ErrorKind::usage,
              fmt::format("{} exists and is not overwritten: name another file, or use --force", escape(path)));
}

// Linux numbers them so (Documentation/admin-guide/devices.txt). A terminal is known only once it is open, and opening
// one changes nothing (O_NOCTTY).
bool only_takes_bytes(const struct stat& device) {
  const bool null_or_full = major(device.st_rdev) == 1 && (minor(device.st_rdev) == 3 || minor(device.st_rdev) == 7);
  const unsigned terminals[] = {4, 5, 136, 137, 138, 139, 140, 141, 142, 143, 188, 204};
  return null_or_full ||
         std::find(std::begin(terminals), std::end(terminals), major(device.st_rdev)) != std::end(terminals);
}

// Why something of this kind is not written to; nothing if it may be.
std::optional<std::string_view> objection_to_kind(const struct stat& status) {
  switch (status.st_mode & S_IFMT) {
    case S_IFREG:
    case S_IFIFO: return std::nullopt;
    case S_IFLNK: return "is a symbolic link, and links are not followed: name the file itself";
    case S_IFDIR: return "is a folder";
    case S_IFBLK: return "is a block device, and its content would be destroyed";
    case S_IFCHR:
      if (only_takes_bytes(status)) return std::nullopt;
      return "is a device other than a terminal, /dev/null and /dev/full";
    default: return "is neither a file nor a pipe";
  }
}

Result<void> check_kind(const std::string& path, const struct stat& status) {
  if (const auto objection = objection_to_kind(status))
    return fail(ErrorKind::usage, fmt::format("{} {}", escape(path), *objection));
  return {};
}

std::unexpected<ToolError> used_already(const std::string& path, std::string_view called) {
  return fail(ErrorKind::usage,
              fmt::format("{} is the same file as {}: it would be overwritten; name another", escape(path), called));
}

Result<void> check_not_used(const std::string& path, const struct stat& output, std::span<const UsedFile> used) {
  constexpr std::string_view kStandard[] = {"stdin", "stdout", "stderr"};
  struct stat other{};
  for (int fd = 0; fd <= 2; ++fd)
    if (::fstat(fd, &other) == 0 && same_file(output, other)) return used_already(path, kStandard[fd]);
  for (const UsedFile& file : used) {
    if (::stat(file.path.c_str(), &other) == 0 && same_file(output, other)) {
      return used_already(path, fmt::format("{} ({})", escape(file.path), file.called));
    }
  }
  return {};
}

// The folder that holds `path`, and those above it: none of them may be one that is read with all that is below.
Result<void> check_not_below(const std::string& path, std::span<const UsedFile> used) {
  std::error_code error;
  fs::path at = fs::canonical(fs::path(path).has_parent_path() ? fs::path(path).parent_path() : fs::path("."), error);
  if (error) return {};  // opening the file says why
  for (; true; at = at.parent_path()) {
    struct stat folder{}, read{};
    if (::stat(at.c_str(), &folder) != 0) return {};
    for (const UsedFile& file : used) {
      if (file.extent != UsedFile::Extent::all_below || ::stat(file.path.c_str(), &read) != 0) continue;
      if (same_file(folder, read)) {
        return fail(ErrorKind::usage, fmt::format("{} lies in {}, which {} reads: name a file elsewhere", escape(path),
                                                  escape(file.path), file.called));
      }
    }
    if (at == at.parent_path()) return {};
  }
}

Result<UniqueFd> open_descriptor(const std::string& path, int number) {
  const int flags = ::fcntl(number, F_GETFL);
  if (flags < 0 || (flags & O_ACCMODE) == O_RDONLY)
    return fail(ErrorKind::usage, fmt::format("{}: that descriptor is not open for writing", escape(path)));
  struct stat status{};
  if (::fstat(number, &status) != 0) return cannot_open(path, errno);
  // A socket that the caller connected for us is as good as a pipe.
  if (!S_ISSOCK(status.st_mode)) {
    if (auto good = check_kind(path, status); !good) return std::unexpected(good.error());
  }
  UniqueFd fd(::fcntl(number, F_DUPFD_CLOEXEC, 3));
  if (!fd) return cannot_open(path, errno);
  return fd;
}

std::unexpected<ToolError> exchanged(const std::string& path) {
  return fail(ErrorKind::io, fmt::format("{} was exchanged while it was opened", escape(path)));
}

// "dir/sub/" lies in "dir".
fs::path folder_of(fs::path path) {
  if (!path.has_filename()) path = path.parent_path();
  return path.has_parent_path() ? path.parent_path() : fs::path(".");
}

// See "another user's" in the header. `opened`: the file, whatever its name leads to by now.
Result<void> check_owner(const std::string& path, const struct stat& opened) {
  if (!S_ISREG(opened.st_mode) && !S_ISFIFO(opened.st_mode)) return {};
  if (opened.st_uid == ::geteuid()) return {};
  struct stat folder{};
  if (::stat(folder_of(path).c_str(), &folder) != 0) return cannot_open(path, errno);
  const bool shared = (folder.st_mode & S_ISVTX) != 0 && (folder.st_mode & (S_IWGRP | S_IWOTH)) != 0;
  if (!shared || folder.st_uid == opened.st_uid) return {};
  return fail(ErrorKind::usage, fmt::format("{} belongs to another user (uid {}), in a folder where others may put "
                                            "files: remove it or name another",
                                            escape(path), opened.st_uid));
}

std::unexpected<ToolError> without_reader(const std::string& path) {
  return fail(ErrorKind::usage, fmt::format("{} is a pipe that nobody reads: start its reader first", escape(path)));
}

// Opens without blocking, and tries again for as long as a pipe has no reader. open(2) itself would wait for one
// without end, and before the tool has said a word.
UniqueFd open_for_writing(const std::string& path, std::chrono::milliseconds reader_patience, int append) {
  constexpr std::chrono::milliseconds kPause{10};
  for (;; reader_patience -= kPause) {
    UniqueFd fd(::open(path.c_str(), O_WRONLY | O_NOFOLLOW | O_CLOEXEC | O_NOCTTY | O_NONBLOCK | append));
    if (fd || errno != ENXIO || reader_patience <= kPause.zero()) return fd;
    ::poll(nullptr, 0, static_cast<int>(kPause.count()));
  }
}

Result<UniqueFd> open_existing(const std::string& path, const struct stat& listed, const OutputRules& rules) {
  if (auto good = check_kind(path, listed); !good) return std::unexpected(good.error());
  if (S_ISREG(listed.st_mode)) {
    if (auto good = check_not_used(path, listed, rules.used); !good) return std::unexpected(good.error());
    if (rules.if_exists == IfExists::refuse) return exists(path);
  }
  // Only a pipe is waited for, and only where one was seen: something else may have become a pipe without a reader.
  const bool is_pipe = S_ISFIFO(listed.st_mode);
  const bool append = rules.if_exists == IfExists::append;
  UniqueFd fd =
      open_for_writing(path, is_pipe ? rules.reader_patience : std::chrono::milliseconds(0), append ? O_APPEND : 0);
  if (!fd && errno == ENXIO) return is_pipe ? without_reader(path) : exchanged(path);
  struct stat opened{};
  if (!fd || ::fstat(fd.get(), &opened) != 0) return cannot_open(path, errno);
  // What was checked is what was opened, or nothing is written.
  if (!same_file(listed, opened) || (listed.st_mode & S_IFMT) != (opened.st_mode & S_IFMT)) return exchanged(path);
  if (auto good = check_owner(path, opened); !good) return std::unexpected(good.error());
  if (::fcntl(fd.get(), F_SETFL, ::fcntl(fd.get(), F_GETFL) & ~O_NONBLOCK) != 0) return cannot_open(path, errno);
  if (!S_ISREG(opened.st_mode) || append) return fd;
  if (rules.owner_only && ::fchmod(fd.get(), 0600) != 0) return cannot_open(path, errno);
  if (::ftruncate(fd.get(), 0) != 0) return cannot_open(path, errno);
  return fd;
}

}  // namespace

int sync_folder_of(const std::string& path) {
  const UniqueFd fd(::open(folder_of(path).c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  // A folder that may be written but not read cannot be synced, nor one on a file system that knows no such thing.
  if (!fd || ::fsync(fd.get()) == 0 || errno == EINVAL) return 0;
  return errno;
}

std::vector<UsedFile> files_named_in(std::span<const std::string> arguments, std::string_view option) {
  std::vector<UsedFile> used;
  const auto add = [&used](std::string_view called, std::string_view path) {
    if (!path.empty()) used.push_back({std::string(called), std::string(path)});
  };
  bool value_of_output = false;
  for (const std::string_view word : arguments) {
    const auto equals = word.find('=');
    if (std::exchange(value_of_output, false) || word.substr(0, equals) == option) {
      value_of_output = word == option && option != "--json";  // --json takes its file after '=' only
      continue;
    }
    for (const auto part : std::views::split(word, ' ')) add("an argument", std::string_view(part));  // "trace FILE"
    add("an argument", word);
    if (!word.starts_with('-')) continue;
    if (equals != std::string_view::npos) add(word.substr(0, equals), word.substr(equals + 1));
    else if (word.size() > 2 && word[1] != '-') add(word.substr(0, 2), word.substr(2));  // -rFILE
  }
  if (const char* key_log = std::getenv("MXPKEYLOGFILE"); key_log != nullptr) add("MXPKEYLOGFILE", key_log);
  return used;
}

std::optional<int> named_descriptor(std::string_view path) {
  if (path == "/dev/stdout") return STDOUT_FILENO;
  if (path == "/dev/stderr") return STDERR_FILENO;
  for (const std::string_view prefix : {"/dev/fd/", "/proc/self/fd/"}) {
    if (!path.starts_with(prefix)) continue;
    const std::string_view digits = path.substr(prefix.size());
    int number = -1;
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), number);
    if (error == std::errc() && end == digits.data() + digits.size() && number >= 0) return number;
  }
  return std::nullopt;
}

Result<UniqueFd> open_output_file(const std::string& path, const OutputRules& rules) {
  if (const auto number = named_descriptor(path)) return open_descriptor(path, *number);
  if (auto good = check_not_below(path, rules.used); !good) return std::unexpected(good.error());
  struct stat status{};
  if (::lstat(path.c_str(), &status) == 0) return open_existing(path, status, rules);
  if (errno != ENOENT) return cannot_open(path, errno);
  const int append = rules.if_exists == IfExists::append ? O_APPEND : 0;
  const mode_t mode = rules.owner_only ? 0600 : 0666;  // less the umask
  UniqueFd fd(::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOCTTY | append, mode));
  if (!fd && errno == EEXIST)
    return fail(ErrorKind::io, fmt::format("{} came into being while it was opened", escape(path)));
  if (!fd) return cannot_open(path, errno);
  return fd;
}

Result<void> write_secret_file(const std::string& path, std::string_view bytes, IfExists if_exists) {
  struct stat status{};
  if (::lstat(path.c_str(), &status) == 0) {
    if (if_exists == IfExists::refuse) return exists(path);
    if (!S_ISREG(status.st_mode)) {
      return fail(
          ErrorKind::usage,
          fmt::format("{} {}", escape(path), objection_to_kind(status).value_or("is not a file, and is not replaced")));
    }
  }
  std::string temporary = path + ".XXXXXX";
  UniqueFd fd(::mkostemp(temporary.data(), O_CLOEXEC));  // O_EXCL and mode 0600 are its contract
  if (!fd) return fail_errno(ErrorKind::usage, fmt::format("cannot create {}", escape(path)), errno);
  Result<void> written = write_all(fd.get(), bytes, path);
  if (written && ::fsync(fd.get()) != 0)
    written = fail_errno(ErrorKind::io, fmt::format("cannot write {}", escape(path)), errno);
  bool named = false;
  if (written) {
    // link(2) refuses an existing name, so that two tools on their first use cannot replace each other's key.
    const bool replace = if_exists == IfExists::replace;
    const int result = replace ? ::rename(temporary.c_str(), path.c_str()) : ::link(temporary.c_str(), path.c_str());
    const int error = errno;
    named = replace && result == 0;
    if (result != 0)
      written = error == EEXIST ? exists(path)
                                : fail_errno(ErrorKind::io, fmt::format("cannot create {}", escape(path)), error);
  }
  if (!named) ::unlink(temporary.c_str());
  if (!written) return written;
  if (const int error = sync_folder_of(path); error != 0)
    return fail_errno(ErrorKind::io, fmt::format("cannot write the folder of {}", escape(path)), error);
  return {};
}

void cut_back(int fd, off_t size) {
  if (::ftruncate(fd, size) == 0) (void)::lseek(fd, size, SEEK_SET);
}

}  // namespace mxp::tools
