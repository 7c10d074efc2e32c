#include "mxp-cat/part_file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>

#include "common/write_all.h"

namespace mxp::tools {
namespace {

constexpr std::size_t kWriteBytes = 256u << 10;

std::unexpected<Refusal> refuse(AppCode code, ErrorKind kind, std::string message) {
  return std::unexpected(Refusal{code, {kind, std::move(message)}});
}

std::unexpected<Refusal> refuse_errno(std::string_view what, int error) {
  return std::unexpected(Refusal{AppCode::output_failed, fail_errno(ErrorKind::io, what, error).error()});
}

// Opens the folder of `name`'s last component, making what is missing on the way; leaves the last component in `name`.
std::expected<UniqueFd, Refusal> open_parent(int folder, const std::string& shown, std::string_view& name) {
  UniqueFd at(::fcntl(folder, F_DUPFD_CLOEXEC, 3));
  if (!at) return refuse_errno(fmt::format("cannot open {}", shown), errno);
  for (auto slash = name.find('/'); slash != std::string_view::npos; slash = name.find('/')) {
    const std::string component(name.substr(0, slash));
    name.remove_prefix(slash + 1);
    if (::mkdirat(at.get(), component.c_str(), 0777) != 0 && errno != EEXIST) {
      return refuse_errno(fmt::format("cannot make the folder {} below {}", component, shown), errno);
    }
    UniqueFd next(::openat(at.get(), component.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
    if (!next) {
      const int error = errno;
      if (error == ENOTDIR || error == ELOOP) {
        return refuse(
            AppCode::bad_name, ErrorKind::usage,
            fmt::format("{} below {} is a file or a symbolic link, and a folder is needed there", component, shown));
      }
      return refuse_errno(fmt::format("cannot open the folder {} below {}", component, shown), error);
    }
    at = std::move(next);
  }
  return at;
}

}  // namespace

std::expected<PartFile, Refusal> PartFile::create(int folder, const std::string& shown, const FileHeader& header,
                                                  Replace replace) {
  PartFile file;
  file.shown_ = shown + "/" + header.name;
  file.mode_ = header.mode;
  file.replace_ = replace;
  std::string_view last = header.name;
  auto parent = open_parent(folder, shown, last);
  if (!parent) return std::unexpected(parent.error());
  file.parent_ = *std::move(parent);
  file.name_ = last;

  struct stat status{};
  if (::fstatat(file.parent_.get(), file.name_.c_str(), &status, AT_SYMLINK_NOFOLLOW) == 0) {
    if (replace == Replace::no) {
      return refuse(AppCode::exists, ErrorKind::usage,
                    fmt::format("{} exists and is not overwritten: use --force to replace it", file.shown_));
    }
    if (S_ISDIR(status.st_mode))
      return refuse(AppCode::exists, ErrorKind::usage, fmt::format("{} is a folder and is not replaced", file.shown_));
  }

  const std::string part = file.name_ + std::string(kPartSuffix);
  // Owner only until it is whole. Not truncated before it is ours: it may be another transfer's.
  file.fd_ = UniqueFd(::openat(file.parent_.get(), part.c_str(),
                               O_WRONLY | O_CREAT | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK | O_NOCTTY, 0600));
  if (!file.fd_) {
    const int error = errno;
    if (error == ELOOP)
      return refuse(AppCode::bad_name, ErrorKind::usage,
                    fmt::format("{}{} is a symbolic link", file.shown_, kPartSuffix));
    return refuse_errno(fmt::format("cannot create {}{}", file.shown_, kPartSuffix), error);
  }
  struct stat named{};
  if (::fstat(file.fd_.get(), &status) != 0 || !S_ISREG(status.st_mode) || status.st_nlink > 1) {
    return refuse(AppCode::bad_name, ErrorKind::usage,
                  fmt::format("{}{} is not a file of its own: remove it", file.shown_, kPartSuffix));
  }
  // The lock says whose the .part is; it goes with the process. The second look: it may have got its name between open
  // and lock.
  const bool locked = ::flock(file.fd_.get(), LOCK_EX | LOCK_NB) == 0;
  if (!locked || ::fstatat(file.parent_.get(), part.c_str(), &named, AT_SYMLINK_NOFOLLOW) != 0 ||
      named.st_ino != status.st_ino) {
    return refuse(AppCode::exists, ErrorKind::usage, fmt::format("{} is being received already", file.shown_));
  }
  if (::ftruncate(file.fd_.get(), 0) != 0)
    return refuse_errno(fmt::format("cannot write {}{}", file.shown_, kPartSuffix), errno);
  return file;
}

Result<void> PartFile::append(ByteView data) {
  if (buffer_.size() + data.size() < kWriteBytes) {
    buffer_.insert(buffer_.end(), data.begin(), data.end());
    return {};
  }
  if (auto written = write_out(buffer_); !written) return written;
  buffer_.clear();
  if (data.size() >= kWriteBytes) return write_out(data);
  buffer_.insert(buffer_.end(), data.begin(), data.end());
  return {};
}

Result<void> PartFile::write_out(ByteView data) {
  return write_all(fd_.get(), std::string_view(reinterpret_cast<const char*>(data.data()), data.size()),
                   shown_ + std::string(kPartSuffix));
}

std::expected<void, Refusal> PartFile::commit() {
  if (auto written = write_out(buffer_); !written)
    return std::unexpected(Refusal{AppCode::output_failed, written.error()});
  buffer_ = {};
  const mode_t mask = ::umask(0);
  ::umask(mask);
  if (::fchmod(fd_.get(), mode_ & ~mask) != 0)
    return refuse_errno(fmt::format("cannot set the mode of {}", shown_), errno);
  const std::string part = name_ + std::string(kPartSuffix);
  const unsigned flags = replace_ == Replace::yes ? 0u : RENAME_NOREPLACE;
  int result = ::renameat2(parent_.get(), part.c_str(), parent_.get(), name_.c_str(), flags);
  if (result != 0 && errno == EINVAL && flags != 0) {
    // A file system without RENAME_NOREPLACE: link(2) refuses an existing name as well.
    result = ::linkat(parent_.get(), part.c_str(), parent_.get(), name_.c_str(), 0);
    if (result == 0) ::unlinkat(parent_.get(), part.c_str(), 0);
  }
  if (result == 0) {
    fd_.reset();
    return {};
  }
  if (errno == EEXIST)
    return refuse(AppCode::exists, ErrorKind::usage,
                  fmt::format("{} came into being meanwhile and is not overwritten: use --force", shown_));
  return refuse_errno(fmt::format("cannot give {}{} its name", shown_, kPartSuffix), errno);
}

}  // namespace mxp::tools
