#include "mxp-dump/qlog/qlog_files.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>

#include "common/escape.h"
#include "common/write_all.h"

namespace mxp::dump {
namespace {

using tools::ErrorKind;
using tools::Result;

}  // namespace

Result<QlogFiles> QlogFiles::open(const std::string& folder, tools::IfExists if_exists,
                                  std::vector<tools::UsedFile> used) {
  const UniqueFd fd(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  int error = fd ? 0 : errno;
  if (fd && ::faccessat(fd.get(), ".", W_OK | X_OK, AT_EACCESS) != 0) error = errno;
  if (error != 0) {
    const bool wrong_name = error == ENOENT || error == ENOTDIR;
    return tools::fail(wrong_name ? ErrorKind::usage : ErrorKind::io,
                       fmt::format("cannot write qlog to the folder {} (--qlog): {}; it must exist and be writable",
                                   tools::escape(folder), std::generic_category().message(error)));
  }
  QlogFiles files;
  files.folder_ = folder;
  files.if_exists_ = if_exists;
  files.used_ = std::move(used);
  return files;
}

Result<void> QlogFiles::append(const std::string& name, std::string_view text) {
  files_[name].waiting += text;
  waiting_ += text.size();
  return waiting_ > kMaxWaiting ? flush() : Result<void>();
}

Result<void> QlogFiles::finish(const std::string& name) {
  const auto found = files_.find(name);
  if (found == files_.end()) return {};
  waiting_ -= found->second.waiting.size();
  return write(name, found->second);
}

Result<void> QlogFiles::flush() {
  for (auto& [name, file] : files_) {
    if (auto done = write(name, file); !done) return done;
  }
  waiting_ = 0;
  return {};
}

Result<void> QlogFiles::write(const std::string& name, File& file) const {
  if (file.waiting.empty()) return {};
  const std::string path = folder_ + "/" + name;
  auto fd = make(path, file);
  if (!fd) return std::unexpected(fd.error());
  const std::string text = std::move(file.waiting);
  file.waiting.clear();
  return tools::write_all(fd->get(), text, path);
}

// Opens the file for its first text, or once more for a further one: it is the same file then, or nothing is written.
Result<UniqueFd> QlogFiles::make(const std::string& path, File& file) const {
  Result<UniqueFd> fd;
  if (!file.made) {
    // It shows who talked to whom.
    fd = tools::open_output_file(path, {.if_exists = if_exists_, .used = used_, .owner_only = true});
    if (!fd) return fd;
  } else {
    fd = UniqueFd(::open(path.c_str(), O_WRONLY | O_APPEND | O_NOFOLLOW | O_CLOEXEC | O_NOCTTY | O_NONBLOCK));
    if (!*fd) return tools::fail_errno(ErrorKind::io, fmt::format("cannot write {}", tools::escape(path)), errno);
  }
  struct stat status{};
  if (::fstat(fd->get(), &status) != 0)
    return tools::fail_errno(ErrorKind::io, fmt::format("cannot write {}", tools::escape(path)), errno);
  if (!S_ISREG(status.st_mode))
    return tools::fail(ErrorKind::usage, fmt::format("{} is no regular file", tools::escape(path)));
  const std::pair<std::uint64_t, std::uint64_t> identity{status.st_dev, status.st_ino};
  if (file.made && file.identity != identity)
    return tools::fail(ErrorKind::io, fmt::format("{} was exchanged while it was written", tools::escape(path)));
  file.made = true;
  file.identity = identity;
  return fd;
}

}  // namespace mxp::dump
