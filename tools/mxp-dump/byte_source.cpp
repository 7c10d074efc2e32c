#include "mxp-dump/byte_source.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

namespace mxp::dump {

std::expected<UniqueFd, std::string> open_input(const std::string& path) {
  UniqueFd file(path == "-" ? ::dup(STDIN_FILENO) : ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOCTTY));
  if (!file) return std::unexpected(fmt::format("cannot open it: {}", std::strerror(errno)));
  struct stat info{};
  if (::fstat(file.get(), &info) == 0 && S_ISDIR(info.st_mode)) return std::unexpected("it is a directory");
  return file;
}

std::optional<std::uint64_t> start_of_file(int descriptor) {
  struct stat info{};
  if (::fstat(descriptor, &info) != 0 || !S_ISREG(info.st_mode)) return std::nullopt;
  const off_t here = ::lseek(descriptor, 0, SEEK_CUR);
  if (here < 0) return std::nullopt;
  return static_cast<std::uint64_t>(here);
}

ByteSource::ByteSource(ByteSource&& other) noexcept
    : descriptor_(std::exchange(other.descriptor_, -1)),
      wake_(other.wake_),
      begin_(other.begin_),
      end_(other.end_),
      offset_(other.offset_),
      failure_(std::move(other.failure_)) {
  std::copy(other.buffer_.begin() + static_cast<std::ptrdiff_t>(begin_),
            other.buffer_.begin() + static_cast<std::ptrdiff_t>(end_),
            buffer_.begin() + static_cast<std::ptrdiff_t>(begin_));
}

ByteSource::~ByteSource() {
  if (descriptor_ >= 0) ::close(descriptor_);
}

bool ByteSource::refill() {
  while (failure_.empty()) {
    if (wake_ >= 0) {
      std::array<pollfd, 2> waits{pollfd{descriptor_, POLLIN, 0}, pollfd{wake_, POLLIN, 0}};
      if (::poll(waits.data(), waits.size(), -1) < 0) continue;
      if (waits[1].revents != 0) return false;
    }
    const ssize_t count = ::read(descriptor_, buffer_.data(), buffer_.size());
    if (count > 0) {
      begin_ = 0;
      end_ = static_cast<std::size_t>(count);
      return true;
    }
    if (count == 0) return false;
    if (errno == EINTR) continue;
    failure_ = std::strerror(errno);
  }
  return false;
}

std::size_t ByteSource::read(MutableBytes out) {
  std::size_t done = 0;
  while (done < out.size() && (begin_ < end_ || refill())) {
    const std::size_t step = std::min(out.size() - done, end_ - begin_);
    std::memcpy(out.data() + done, buffer_.data() + begin_, step);
    begin_ += step;
    done += step;
  }
  offset_ += done;
  return done;
}

std::uint64_t ByteSource::skip(std::uint64_t count) {
  std::uint64_t done = 0;
  while (done < count && (begin_ < end_ || refill())) {
    const auto step = static_cast<std::size_t>(std::min<std::uint64_t>(count - done, end_ - begin_));
    begin_ += step;
    done += step;
  }
  offset_ += done;
  return done;
}

}  // namespace mxp::dump
