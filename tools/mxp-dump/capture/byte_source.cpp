#include "mxp-dump/capture/byte_source.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

#include "mxp/require.h"

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
      begun_(other.begun_),
      begin_(other.begin_),
      end_(other.end_),
      offset_(other.offset_),
      failed_(other.failed_),
      failure_(std::move(other.failure_)),
      inflater_(std::move(other.inflater_)),
      compressed_(std::move(other.compressed_)),  // its bytes stay where they are, and so does waiting_
      waiting_(std::exchange(other.waiting_, {})),
      raw_ended_(other.raw_ended_),
      buffer_(std::move(other.buffer_)) {}

ByteSource::~ByteSource() {
  if (descriptor_ >= 0) ::close(descriptor_);
}

// What is there, at least a byte; 0 at the end, after a failure, or when it was woken.
std::size_t ByteSource::read_raw(MutableBytes out) {
  while (failed_ == Failure::none) {
    if (wake_ >= 0) {
      std::array<pollfd, 2> waits{pollfd{descriptor_, POLLIN, 0}, pollfd{wake_, POLLIN, 0}};
      if (::poll(waits.data(), waits.size(), -1) < 0) continue;
      if (waits[1].revents != 0) return 0;
    }
    const ssize_t count = ::read(descriptor_, out.data(), out.size());
    if (count > 0) return static_cast<std::size_t>(count);
    if (count == 0) {
      raw_ended_ = true;
      return 0;
    }
    if (errno == EINTR) continue;
    failed_ = Failure::system;
    failure_ = std::strerror(errno);
  }
  return 0;
}

// The first bytes, of which a pipe may give one at a time, say whether the rest is to be decompressed.
void ByteSource::begin() {
  begun_ = true;
  std::size_t got = 0;
  while (got < kCompressionMagicSize) {
    const std::size_t more = read_raw(MutableBytes(buffer_).first(kReadSize).subspan(got));
    if (more == 0) break;
    got += more;
  }
  begin_ = 0;
  end_ = got;
  inflater_ = make_inflater(ByteView(buffer_).first(got));
  if (inflater_ == nullptr) return;
  compressed_.resize(kReadSize);
  std::copy_n(buffer_.begin(), got, compressed_.begin());
  waiting_ = ByteView(compressed_).first(got);
  end_ = 0;
}

// Reads on behind what waits, which moves to the front if it leaves no room.
bool ByteSource::refill() {
  if (!begun_) {
    begin();
    if (begin_ < end_) return true;
  }
  if (begin_ == end_) begin_ = end_ = 0;
  if (buffer_.size() - end_ < kReadSize) {
    std::copy(buffer_.begin() + static_cast<std::ptrdiff_t>(begin_),
              buffer_.begin() + static_cast<std::ptrdiff_t>(end_), buffer_.begin());
    end_ -= std::exchange(begin_, 0);
  }
  const MutableBytes room = MutableBytes(buffer_).subspan(end_, kReadSize);
  const std::size_t count = inflater_ != nullptr ? inflate(room) : read_raw(room);
  end_ += count;
  return count > 0;
}

// Nothing at the end, and where the data are damaged.
std::size_t ByteSource::inflate(MutableBytes out) {
  const auto fail = [this](std::string why) {
    failed_ = Failure::compressed;
    failure_ = std::move(why);
    return std::size_t{0};
  };
  while (failed_ == Failure::none) {
    if (!inflater_->failure().empty()) return fail(inflater_->failure());
    const std::size_t count = inflater_->step(waiting_, out);
    if (count > 0) return count;
    if (!inflater_->failure().empty() || !waiting_.empty()) continue;
    const std::size_t more = read_raw(compressed_);
    waiting_ = ByteView(compressed_).first(more);
    if (more > 0) continue;
    if (raw_ended_ && !inflater_->complete())
      return fail(fmt::format("ends in the middle of its {} data", inflater_->name()));
    return 0;
  }
  return 0;
}

ByteView ByteSource::view(std::size_t count) {
  MXP_REQUIRE(count <= kLongestView);
  while (end_ - begin_ < count && refill()) continue;
  const ByteView bytes = ByteView(buffer_).subspan(begin_, std::min(count, end_ - begin_));
  begin_ += bytes.size();
  offset_ += bytes.size();
  return bytes;
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
