#include "mxp-cat/part_file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>

#include "common/units.h"
#include "common/write_all.h"

namespace mxp::tools {
namespace {

constexpr std::size_t kWriteBytes = 256u << 10;
constexpr std::size_t kBlockBytes = 4096;  // the block of common file systems: the smallest hole that saves anything
constexpr std::uint64_t kFlushBytes = 8u << 20;

bool is_zero(ByteView bytes) {
  return bytes.empty() || (bytes[0] == 0 && std::memcmp(bytes.data(), bytes.data() + 1, bytes.size() - 1) == 0);
}

std::unexpected<Refusal> refuse(AppCode code, ErrorKind kind, std::string message) {
  return std::unexpected(Refusal{code, {kind, std::move(message)}});
}

std::unexpected<Refusal> refuse_errno(std::string_view what, int error) {
  return std::unexpected(Refusal{AppCode::output_failed, fail_errno(ErrorKind::io, what, error).error()});
}

// Some file systems cannot sync a folder, and say EINVAL.
int sync_folder(int folder) { return ::fsync(folder) == 0 || errno == EINVAL ? 0 : errno; }

// Opens the folder of `name`'s last component, making what is missing on the way; leaves the last component in `name`.
std::expected<UniqueFd, Refusal> open_parent(int folder, const std::string& shown, std::string_view& name,
                                             MadeFolders& made) {
  const std::string_view whole = name;
  UniqueFd at(::fcntl(folder, F_DUPFD_CLOEXEC, 3));
  if (!at) return refuse_errno(fmt::format("cannot open {}", shown), errno);
  for (auto slash = name.find('/'); slash != std::string_view::npos; slash = name.find('/')) {
    const std::string component(name.substr(0, slash));
    name.remove_prefix(slash + 1);
    if (made.full() && ::faccessat(at.get(), component.c_str(), F_OK, AT_SYMLINK_NOFOLLOW) != 0) {
      return refuse(AppCode::failed, ErrorKind::network,
                    fmt::format("more than {} new folders below {} in one transfer", MadeFolders::kMax, shown));
    }
    if (::mkdirat(at.get(), component.c_str(), 0777) == 0) {
      made.add(std::string(whole.substr(0, whole.size() - name.size() - 1)));
      // A file that we vouch for must not vanish in a crash with the folder that holds it.
      if (const int error = sync_folder(at.get()); error != 0)
        return refuse_errno(fmt::format("cannot write the folder that holds {} below {}", component, shown), error);
    } else if (errno != EEXIST) {
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

// A file that cannot fit is refused before its content crosses the network. Holes count as if they were filled: where
// they are is not known yet.
std::expected<void, Refusal> check_room(int folder, const std::string& shown, std::uint64_t size) {
  struct statvfs space{};
  if (::fstatvfs(folder, &space) != 0 || space.f_blocks == 0) return {};  // not known: writing will tell
  const std::uint64_t blocks_needed = size / space.f_frsize + (size % space.f_frsize != 0 ? 1 : 0);
  if (blocks_needed <= space.f_bavail) return {};
  return refuse(AppCode::output_failed, ErrorKind::io,
                fmt::format("no room for {}: it has {}, and {} are free", shown, format_bytes(size),
                            format_bytes(static_cast<std::uint64_t>(space.f_bavail) * space.f_frsize)));
}

// Whether `name` in `folder` is the very file that `status` describes.
bool is_named(int folder, const std::string& name, const struct stat& status) {
  struct stat named{};
  return ::fstatat(folder, name.c_str(), &named, AT_SYMLINK_NOFOLLOW) == 0 && named.st_ino == status.st_ino &&
         named.st_dev == status.st_dev;
}

}  // namespace

std::expected<PartFile, Refusal> PartFile::create(int folder, const std::string& shown, const FileHeader& header,
                                                  Replace replace, MadeFolders& made) {
  PartFile file;
  file.shown_ = shown + "/" + header.name;
  file.mode_ = header.mode;
  file.replace_ = replace;
  std::string_view last = header.name;
  auto parent = open_parent(folder, shown, last, made);
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

  if (auto room = check_room(file.parent_.get(), file.shown_, header.size); !room) return std::unexpected(room.error());

  const std::string part = file.name_ + std::string(kPartSuffix);
  // Owner only until it is whole. Not truncated before it is ours: it may be another transfer's.
  constexpr int kFlags = O_WRONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK | O_NOCTTY;
  file.fd_ = UniqueFd(::openat(file.parent_.get(), part.c_str(), kFlags | O_CREAT | O_EXCL, 0600));
  const bool left_behind = !file.fd_ && errno == EEXIST;
  if (left_behind) file.fd_ = UniqueFd(::openat(file.parent_.get(), part.c_str(), kFlags));
  if (!file.fd_) {
    const int error = errno;
    if (error == ELOOP)
      return refuse(AppCode::bad_name, ErrorKind::usage,
                    fmt::format("{}{} is a symbolic link", file.shown_, kPartSuffix));
    return refuse_errno(fmt::format("cannot create {}{}", file.shown_, kPartSuffix), error);
  }
  if (::fstat(file.fd_.get(), &status) != 0 || !S_ISREG(status.st_mode) || status.st_nlink > 1) {
    return refuse(AppCode::bad_name, ErrorKind::usage,
                  fmt::format("{}{} is not a file of its own: remove it", file.shown_, kPartSuffix));
  }
  // Who owns it, or may open it, could read and change what arrives until it has its name and even after. Ours are
  // 0600.
  if (left_behind && (status.st_uid != ::geteuid() || (status.st_mode & 077) != 0)) {
    return refuse(AppCode::bad_name, ErrorKind::usage,
                  fmt::format("{}{} was not left by this tool (owner {}, mode {:04o}): remove it", file.shown_,
                              kPartSuffix, status.st_uid, static_cast<unsigned>(status.st_mode) & 07777u));
  }
  // The lock says whose the .part is; it goes with the process. The second look: it may have got its name between open
  // and lock.
  if (::flock(file.fd_.get(), LOCK_EX | LOCK_NB) != 0) {
    return refuse(
        AppCode::being_received, ErrorKind::usage,
        fmt::format("{}{} is locked: another process, or another connection of this one, is receiving into it",
                    file.shown_, kPartSuffix));
  }
  if (!is_named(file.parent_.get(), part, status)) {
    return refuse(AppCode::being_received, ErrorKind::usage,
                  fmt::format("{} was finished by another transfer just now", file.shown_));
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

// Blocks of zeros become holes: the file is empty where nothing was written, and a sparse file stays sparse.
Result<void> PartFile::write_out(ByteView data) {
  while (!data.empty()) {
    std::size_t run = 0;
    bool zeros = false;
    while (run < data.size()) {  // of blocks that are all zeros, or all not
      const std::size_t to_boundary = kBlockBytes - static_cast<std::size_t>((size_ + run) % kBlockBytes);
      const ByteView block = data.subspan(run, std::min(to_boundary, data.size() - run));
      const bool zero_block = is_zero(block);
      if (run > 0 && zero_block != zeros) break;
      zeros = zero_block;
      run += block.size();
    }
    if (!zeros) {
      const std::string name = shown_ + std::string(kPartSuffix);
      if (::lseek(fd_.get(), static_cast<off_t>(size_), SEEK_SET) < 0)
        return fail_errno(ErrorKind::io, fmt::format("cannot write {}", name), errno);
      const auto text = std::string_view(reinterpret_cast<const char*>(data.data()), run);
      if (auto written = write_all(fd_.get(), text, name); !written) return written;
    }
    size_ += run;
    data = data.subspan(run);
  }
  // The disk begins early, so that the sync before the rename does not keep the connection waiting for all of it.
  if (size_ - flushed_ >= kFlushBytes) {
    ::sync_file_range(fd_.get(), static_cast<off_t>(flushed_), static_cast<off_t>(size_ - flushed_),
                      SYNC_FILE_RANGE_WRITE);
    flushed_ = size_;
  }
  return {};
}

std::expected<void, Refusal> PartFile::commit() {
  if (auto written = write_out(buffer_); !written)
    return std::unexpected(Refusal{AppCode::output_failed, written.error()});
  if (::ftruncate(fd_.get(), static_cast<off_t>(size_)) != 0)  // a hole at the end
    return refuse_errno(fmt::format("cannot write {}{}", shown_, kPartSuffix), errno);
  buffer_ = {};
  // Only what is on the disk gets its name: a crash must not leave a file of that name without its content.
  if (::fsync(fd_.get()) != 0) return refuse_errno(fmt::format("cannot write {}{}", shown_, kPartSuffix), errno);
  const std::string part = name_ + std::string(kPartSuffix);
  // The renaming goes by name, and by now that may be another file's: what we vouch for is what we wrote.
  struct stat status{};
  if (::fstat(fd_.get(), &status) != 0 || !is_named(parent_.get(), part, status)) {
    return refuse(AppCode::failed, ErrorKind::io,
                  fmt::format("{} was removed or exchanged while it was received", shown_ + std::string(kPartSuffix)));
  }
  // Last, as a .part with another mode is taken for somebody else's at the next attempt. File systems with a journal
  // write the mode with the name, when the folder is synced.
  const mode_t mask = ::umask(0);
  ::umask(mask);
  if (::fchmod(fd_.get(), mode_ & ~mask) != 0)
    return refuse_errno(fmt::format("cannot set the mode of {}", shown_), errno);
  const unsigned flags = replace_ == Replace::yes ? 0u : RENAME_NOREPLACE;
  int result = ::renameat2(parent_.get(), part.c_str(), parent_.get(), name_.c_str(), flags);
  if (result != 0 && errno == EINVAL && flags != 0) {
    // A file system without RENAME_NOREPLACE: link(2) refuses an existing name as well.
    result = ::linkat(parent_.get(), part.c_str(), parent_.get(), name_.c_str(), 0);
    if (result == 0) ::unlinkat(parent_.get(), part.c_str(), 0);
  }
  if (result == 0) {
    fd_.reset();
    // The name is part of what we are about to vouch for.
    if (const int error = sync_folder(parent_.get()); error != 0)
      return refuse_errno(fmt::format("cannot write the folder of {}", shown_), error);
    return {};
  }
  const int error = errno;
  (void)::fchmod(fd_.get(), 0600);  // an unfinished .part again
  if (error == EEXIST)
    return refuse(AppCode::exists, ErrorKind::usage,
                  fmt::format("{} came into being meanwhile and is not overwritten: use --force", shown_));
  return refuse_errno(fmt::format("cannot give {}{} its name", shown_, kPartSuffix), error);
}

std::expected<void, Refusal> make_folder(int folder, const std::string& shown, const std::string& path,
                                         MadeFolders& made) {
  const std::string with_slash = path + "/";
  std::string_view rest = with_slash;
  const auto parent = open_parent(folder, shown, rest, made);
  if (!parent) return std::unexpected(parent.error());
  return {};
}

}  // namespace mxp::tools
