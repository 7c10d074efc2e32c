#include "mxp-dump/files/replacement_file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <utility>

#include "common/escape.h"
#include "common/write_all.h"

namespace mxp::dump {
namespace {

constexpr std::size_t kPendingBytes = 256 * 1024;

using tools::ErrorKind;

std::unexpected<tools::ToolError> already_there(const std::string& path) {
  return tools::fail(
      ErrorKind::usage,
      fmt::format("{} exists and is not overwritten: name another file, or use --force", tools::escape(path)));
}

std::unexpected<tools::ToolError> no_room(const std::string& path, int error) {
  return tools::fail_errno(ErrorKind::io, fmt::format("cannot write {}", tools::escape(path)), error);
}

}  // namespace

tools::Result<ReplacementFile> ReplacementFile::create(const std::string& path, const tools::OutputRules& rules,
                                                       Readers readers) {
  struct stat status{}, other{};
  if (::lstat(path.c_str(), &status) == 0) {
    for (const tools::UsedFile& used : rules.used) {
      if (::stat(used.path.c_str(), &other) == 0 && other.st_dev == status.st_dev && other.st_ino == status.st_ino)
        return tools::fail(ErrorKind::usage, fmt::format("{} is the same file as {} ({}): name another",
                                                         tools::escape(path), tools::escape(used.path), used.called));
    }
    if (!S_ISREG(status.st_mode))
      return tools::fail(ErrorKind::usage, fmt::format("{} is not a file, and is not replaced", tools::escape(path)));
    if (rules.if_exists == tools::IfExists::refuse) return already_there(path);
  }
  ReplacementFile file;
  file.path_ = path;
  file.if_exists_ = rules.if_exists;
  file.temporary_ = path + ".XXXXXX";
  file.file_ = UniqueFd(::mkostemp(file.temporary_.data(), O_CLOEXEC));
  if (!file.file_) {
    const int error = errno;
    file.temporary_.clear();
    return no_room(path, error);
  }
  if (readers == Readers::as_umask_says) {
    const mode_t mask = ::umask(0);
    ::umask(mask);
    if (::fchmod(file.file_.get(), 0666 & ~mask) != 0) return no_room(path, errno);
  }
  return file;
}

ReplacementFile::ReplacementFile(ReplacementFile&& other) noexcept
    : path_(std::move(other.path_)),
      temporary_(std::exchange(other.temporary_, {})),
      if_exists_(other.if_exists_),
      file_(std::move(other.file_)),
      pending_(std::move(other.pending_)) {}

ReplacementFile::~ReplacementFile() {
  if (!temporary_.empty()) ::unlink(temporary_.c_str());
}

tools::Result<void> ReplacementFile::write(ByteView bytes) {
  pending_.insert(pending_.end(), bytes.begin(), bytes.end());
  return pending_.size() < kPendingBytes ? tools::Result<void>() : flush();
}

tools::Result<void> ReplacementFile::flush() {
  const std::string_view text(reinterpret_cast<const char*>(pending_.data()), pending_.size());
  auto written = tools::write_all(file_.get(), text, path_);
  pending_.clear();
  return written;
}

tools::Result<void> ReplacementFile::commit() {
  if (auto written = flush(); !written) return written;
  if (::fsync(file_.get()) != 0) return no_room(path_, errno);
  // link(2) refuses a name that came into being meanwhile.
  if (if_exists_ == tools::IfExists::replace) {
    if (::rename(temporary_.c_str(), path_.c_str()) != 0) return no_room(path_, errno);
    temporary_.clear();
  } else if (::link(temporary_.c_str(), path_.c_str()) != 0) {
    return errno == EEXIST ? already_there(path_) : no_room(path_, errno);
  }
  if (const int error = tools::sync_folder_of(path_); error != 0) return no_room(path_, error);
  return {};
}

}  // namespace mxp::dump
