#include "trace/background_writer.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <climits>
#include <csignal>
#include <cstdio>
#include <string>
#include <system_error>
#include <utility>

#include "trace/torn_line.h"

namespace mxp {

namespace {

// Our choice: how long a text may wait for others that are written with it. A file that somebody watches lags no more.
constexpr std::chrono::milliseconds kCompanyTime{50};
// Our choice: how long the end of a program waits for the reader of a full pipe, and how often the thread looks whether
// that end has come.
constexpr std::chrono::milliseconds kPatience{2000}, kLookTime{20};

// No signal is for this thread: the program's handlers run where the program expects them.
class AllSignalsBlocked {
 public:
  AllSignalsBlocked() {
    sigset_t all;
    ::sigfillset(&all);
    ::pthread_sigmask(SIG_SETMASK, &all, &before_);
  }
  ~AllSignalsBlocked() { ::pthread_sigmask(SIG_SETMASK, &before_, nullptr); }

 private:
  sigset_t before_{};
};

// 0, or errno.
int write_all(int fd, std::string_view text) {
  while (!text.empty()) {
    const ssize_t written = ::write(fd, text.data(), text.size());
    if (written > 0) text.remove_prefix(static_cast<std::size_t>(written));
    else if (written == 0) return EIO;
    else if (errno != EINTR) return errno;
  }
  return 0;
}

}  // namespace

struct BackgroundWriter::Piece {
  FileId id;
  Target target;
  std::string former_name;  // "": as the target has it
  std::string text;
  bool exists;        // made, or written to, by an earlier piece
  Identity identity;  // of a file that exists
  int error = 0;
};

BackgroundWriter::BackgroundWriter(std::size_t most_bytes) : most_bytes_(most_bytes) {
  const AllSignalsBlocked blocked;
  thread_ = std::thread([this] { run(); });
}

BackgroundWriter::~BackgroundWriter() {
  {
    const std::scoped_lock lock(mutex_);
    stop_ = true;
  }
  wake_.notify_one();
  thread_.join();
}

BackgroundWriter::FileId BackgroundWriter::add(Target target) {
  const std::scoped_lock lock(mutex_);
  files_[next_].target = std::move(target);
  return next_++;
}

void BackgroundWriter::rename(FileId file, std::string name) {
  const std::scoped_lock lock(mutex_);
  files_.at(file).renamed_to = std::move(name);
}

void BackgroundWriter::add_text(File& file, FileId id, std::string_view text) {
  file.waiting += text;
  const std::size_t before = bytes_;
  bytes_ += text.size();
  const bool first = dirty_.empty();
  if (!file.dirty) dirty_.push_back(id);
  file.dirty = true;
  // The thread waits for company after the first; much of it ends that wait.
  if (first || (before < most_bytes_ / 4 && bytes_ >= most_bytes_ / 4)) wake_.notify_one();
}

bool BackgroundWriter::append(FileId file, std::string_view text) {
  const std::scoped_lock lock(mutex_);
  File& found = files_.at(file);
  if (found.failed || bytes_ + text.size() > most_bytes_) return false;
  add_text(found, file, text);
  return true;
}

void BackgroundWriter::finish(FileId file, std::string_view last) {
  const std::scoped_lock lock(mutex_);
  File& found = files_.at(file);
  found.finished = true;
  if (!found.failed && !last.empty()) add_text(found, file, last);
  if (!found.dirty && !found.writing) files_.erase(file);
}

std::optional<IoError> BackgroundWriter::take_error() {
  if (!has_error_.load(std::memory_order_relaxed)) return std::nullopt;
  const std::scoped_lock lock(mutex_);
  has_error_ = false;
  return error_;
}

std::uint64_t BackgroundWriter::failed_files() const {
  const std::scoped_lock lock(mutex_);
  return failed_files_;
}

void BackgroundWriter::flush() {
  std::unique_lock lock(mutex_);
  hurry_ = true;
  wake_.notify_one();
  written_.wait(lock, [this] { return dirty_.empty() && !busy_; });
  hurry_ = false;
}

std::vector<BackgroundWriter::Piece> BackgroundWriter::take_pieces() {
  std::vector<Piece> pieces;
  for (const FileId id : dirty_) {
    File& file = files_.at(id);
    file.dirty = false;
    file.writing = true;
    Piece piece{id, file.target, {}, std::move(file.waiting), file.exists, file.identity, file.failed ? ECANCELED : 0};
    file.waiting = {};
    if (!file.renamed_to.empty()) {
      piece.former_name = std::exchange(file.target.name, std::exchange(file.renamed_to, {}));
      piece.target.name = file.target.name;
    }
    file.exists = true;
    pieces.push_back(std::move(piece));
  }
  dirty_.clear();
  return pieces;
}

int BackgroundWriter::write_piece(Piece& piece) {
  const auto [folder, name, open, of_lines] = piece.target;
  if (open >= 0) {
    if (!piece.exists && of_lines && ends_in_torn_line(open)) piece.text.insert(0, 1, '\n');
    return write_patiently(open, piece.text);
  }
  if (piece.exists && !piece.former_name.empty() &&
      ::renameat2(folder, piece.former_name.c_str(), folder, name.c_str(), RENAME_NOREPLACE) != 0)
    return errno;
  // O_NONBLOCK: something else may have taken the name.
  int flags = O_WRONLY | O_APPEND | O_NOFOLLOW | O_CLOEXEC | O_NOCTTY | O_NONBLOCK;
  if (!piece.exists) flags |= O_CREAT | O_EXCL;
  const int fd = ::openat(folder, name.c_str(), flags, 0600);
  if (fd < 0) return errno;
  struct stat status{};
  int code = ::fstat(fd, &status) == 0 ? 0 : errno;
  const Identity identity(status.st_dev, status.st_ino);
  // What was made is what is written to, or nothing is.
  if (code == 0 && piece.exists && identity != piece.identity) code = ESTALE;
  piece.identity = identity;
  if (code == 0) code = write_all(fd, piece.text);
  if (::close(fd) != 0 && code == 0) code = errno;
  return code;
}

// Where poll(2) finds room in a pipe, there is room for PIPE_BUF bytes, and so many are taken whole or not at all: the
// thread never hangs in write(2), and a line up to that long is never torn, also if patience ends before the text does.
int BackgroundWriter::write_patiently(int fd, std::string_view text) {
  struct stat status{};
  if (::fstat(fd, &status) != 0) return errno;
  if (S_ISREG(status.st_mode)) return write_all(fd, text);
  while (!text.empty()) {
    struct pollfd room{fd, POLLOUT, 0};
    if (::poll(&room, 1, static_cast<int>(kLookTime.count())) == 0) {
      if (waited_ >= kPatience) return EAGAIN;
      if (stop_ || hurry_) waited_ += kLookTime;
      continue;
    }
    std::size_t size = std::min<std::size_t>(text.size(), PIPE_BUF);
    if (const auto line = text.substr(0, size).rfind('\n'); size < text.size() && line != std::string_view::npos)
      size = line + 1;
    const ssize_t written = ::write(fd, text.data(), size);
    if (written > 0) text.remove_prefix(static_cast<std::size_t>(written));
    else if (written == 0) return EIO;
    else if (errno != EINTR && errno != EAGAIN) return errno;
  }
  return 0;
}

// REQUIRES: the lock.
void BackgroundWriter::note_failures(std::vector<Piece>& pieces) {
  for (Piece& piece : pieces) {
    const auto file = files_.find(piece.id);
    file->second.writing = false;
    file->second.identity = piece.identity;
    if (piece.error != 0 && !std::exchange(file->second.failed, true) && ++failed_files_ == 1) {
      const std::string& name = piece.target.name;
      error_ = IoError{piece.error, fmt::format("write{}{}: {}", name.empty() ? "" : " ", name,
                                                std::generic_category().message(piece.error))};
      has_error_ = true;
    }
    if (file->second.finished && !file->second.dirty) files_.erase(file);
  }
}

void BackgroundWriter::run() {
  std::unique_lock lock(mutex_);
  for (;;) {
    wake_.wait(lock, [this] { return stop_ || !dirty_.empty(); });
    if (dirty_.empty()) return;
    wake_.wait_for(lock, kCompanyTime, [this] { return stop_ || hurry_ || bytes_ >= most_bytes_ / 4; });
    std::vector<Piece> pieces = take_pieces();
    busy_ = true;
    if (!stop_ && !hurry_) waited_ = waited_.zero();
    lock.unlock();
    std::size_t bytes = 0;
    for (Piece& piece : pieces) {
      bytes += piece.text.size();
      if (piece.error == 0) piece.error = write_piece(piece);
    }
    lock.lock();
    busy_ = false;
    bytes_ -= bytes;
    note_failures(pieces);
    written_.notify_all();
  }
}

}  // namespace mxp
