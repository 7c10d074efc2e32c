#include "mxp-cat/file_sender.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "mxp-cat/file_header.h"

namespace mxp::tools {
namespace {

// Enough that the round trip for the verdict of a small file is spent sending the next ones.
constexpr std::size_t kFilesAtATime = 8;
constexpr std::size_t kReadBytes = 256u << 10;

}  // namespace

FileSender::FileSender(const SessionEnvironment& environment, Connection& connection,
                       const std::vector<FileEntry>& files)
    : Session(environment, connection), files_(files) {
  for (const FileEntry& file : files_) {
    std::error_code ignored;
    const auto size = std::filesystem::file_size(file.path, ignored);
    if (!ignored) bytes_total_ += size;
  }
}

void FileSender::on_connected() { start_next(); }
void FileSender::on_streams_available() { start_next(); }

void FileSender::start_next() {
  while (!ended() && next_ < files_.size() && active_.size() < kFilesAtATime) {
    auto file = open(files_[next_]);
    if (!file) {
      ++next_;
      note_failure(file.error());
      continue;
    }
    const auto id = connection_.open_stream(StreamType::bidirectional);
    if (!id) {
      if (id.error() == StreamError::limit_reached) return;  // on_streams_available goes on
      return end(
          AppCode::failed, "no stream",
          fail(ErrorKind::network, fmt::format("cannot open a stream to {}: {}", peer(), to_string(id.error()))));
    }
    ++next_;
    environment_.reporter.stream_opened(connection_, *id, Side::local);
    const auto placed = active_.emplace(*id, *std::move(file)).first;
    pump(*id, placed->second);
  }
  end_if_done();
}

Result<FileSender::Outgoing> FileSender::open(const FileEntry& entry) {
  Outgoing file;
  file.entry = &entry;
  file.fd = UniqueFd(::open(entry.path.c_str(), O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK));
  struct stat status{};
  if (!file.fd || ::fstat(file.fd.get(), &status) != 0) {
    return fail_errno(ErrorKind::io, fmt::format("cannot read {}", entry.path.string()), errno);
  }
  if (!S_ISREG(status.st_mode)) return fail(ErrorKind::io, fmt::format("{} is no longer a file", entry.path.string()));
  ::posix_fadvise(file.fd.get(), 0, 0, POSIX_FADV_SEQUENTIAL);
  file.size = static_cast<std::uint64_t>(status.st_size);
  file.left = file.size;
  file.pending = encode_header({entry.name, file.size, static_cast<std::uint16_t>(status.st_mode & 0777)});
  return file;
}

void FileSender::pump(StreamId id, Outgoing& file) {
  while (true) {
    while (file.pending_begin < file.pending.size()) {
      const auto taken = connection_.write(id, ByteView(file.pending).subspan(file.pending_begin));
      if (!taken) return;  // reset or closed: the event that says so decides
      file.pending_begin += *taken;
      if (file.pending_begin < file.pending.size()) return;  // on_stream_writable goes on
    }
    if (file.trailer_made) {
      if (connection_.finish(id)) environment_.reporter.fin(connection_, id, Side::local);
      file.pending = {};
      file.pending_begin = 0;
      return;
    }
    if (auto filled = refill(file); !filled) {
      refuse_stream(id, AppCode::input_failed);
      return on_failed(active_.find(id), filled.error());
    }
  }
}

Result<void> FileSender::refill(Outgoing& file) {
  file.pending_begin = 0;
  if (file.left == 0) {
    const auto digest = file.digest.finish();
    file.hex = to_hex(digest);
    file.pending.assign(digest.begin(), digest.end());
    file.trailer_made = true;
    return {};
  }
  file.pending.resize(static_cast<std::size_t>(std::min<std::uint64_t>(file.left, kReadBytes)));
  ssize_t got = 0;
  do {
    got = ::read(file.fd.get(), file.pending.data(), file.pending.size());
  } while (got < 0 && errno == EINTR);
  if (got < 0) return fail_errno(ErrorKind::io, fmt::format("cannot read {}", file.entry->path.string()), errno);
  if (got == 0)
    return fail(ErrorKind::io, fmt::format("{} became shorter while it was sent", file.entry->path.string()));
  file.pending.resize(static_cast<std::size_t>(got));
  file.left -= static_cast<std::uint64_t>(got);
  bytes_sent_ += static_cast<std::uint64_t>(got);
  file.digest.update(file.pending);
  return {};
}

void FileSender::on_stream_writable(StreamId id) {
  const auto file = active_.find(id);
  if (file != active_.end()) pump(id, file->second);
}

std::size_t FileSender::on_stream_data(StreamId id, ByteView data, bool fin) {
  const auto file = active_.find(id);
  if (file == active_.end()) return data.size();
  if (!data.empty() && file->second.trailer_made && data[0] == kVerdictWhole) {
    on_whole(file);
  } else if (!data.empty() || fin) {
    const std::string name = file->second.entry->name;
    refuse_stream(id, AppCode::failed);
    on_failed(file, {ErrorKind::peer, fmt::format("{} did not confirm {}: was it started with --recv?", peer(), name)});
  }
  return data.size();
}

void FileSender::on_whole(Active::iterator file) {
  const Outgoing& sent = file->second;
  ++whole_;
  environment_.reporter.file(connection_, Side::local, sent.entry->name, sent.size, sent.hex);
  if (environment_.options.digest) environment_.output.summary(fmt::format("{}  {}", sent.hex, sent.entry->name));
  active_.erase(file);
  start_next();
}

void FileSender::on_stream_reset(StreamId id, AppErrorCode code) {
  const auto file = active_.find(id);
  if (file == active_.end()) return;
  environment_.reporter.reset(connection_, id, Side::peer, code);
  on_failed(file, {ErrorKind::peer,
                   fmt::format("{} refused {}: {}", peer(), file->second.entry->name, describe_app_code(code))});
}

// A refusal is both: whichever frame comes first tells it.
void FileSender::on_stop_sending(StreamId id, AppErrorCode code) { on_stream_reset(id, code); }

void FileSender::on_failed(Active::iterator file, ToolError error) {
  active_.erase(file);
  note_failure(std::move(error));
  start_next();
}

void FileSender::note_failure(ToolError error) {
  ++failed_;
  if (first_error_) warn(error.message);  // the first becomes the result
  else first_error_ = std::move(error);
}

void FileSender::end_if_done() {
  if (ended() || next_ < files_.size() || !active_.empty()) return;
  if (!first_error_) return say_goodbye({});
  if (files_.size() > 1) first_error_->message += fmt::format("; {} of {} files were not sent", failed_, files_.size());
  say_goodbye(std::unexpected(*first_error_));
}

}  // namespace mxp::tools
