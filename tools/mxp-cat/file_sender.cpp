#include "mxp-cat/file_sender.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "common/escape.h"
#include "mxp-cat/file_header.h"

namespace mxp::tools {
namespace {

// Enough that the round trip for the verdict of a small file is spent sending the next ones.
constexpr std::size_t kFilesAtATime = 8;
constexpr std::size_t kReadBytes = 256u << 10;

}  // namespace

FileSender::FileSender(const SessionEnvironment& environment, Connection& connection, const FileList& list,
                       OpenFiles& open_files)
    : Session(environment, connection),
      list_(list),
      open_files_(open_files),
      notices_(list.left_out),
      failed_(list.left_out.size()) {
  for (const FileEntry& entry : list_.entries) bytes_total_ += entry.size;
  const auto is_pipe = [](const FileEntry& entry) { return entry.kind == EntryKind::pipe; };
  if (std::any_of(list_.entries.begin(), list_.entries.end(), is_pipe)) bytes_total_ = 0;  // not known
  if (!list_.left_out.empty()) {
    first_error_ = {ErrorKind::io,
                    fmt::format("{} was not sent, as no receiver would take its name", list_.left_out.front())};
  }
}

FileSender::~FileSender() {
  if (start_timer_) environment_.loop.cancel(*start_timer_);
  open_files_.leave(*this);
  for (auto& [id, file] : active_) close(file);
}

void FileSender::on_connected() { start_after_transmit(); }

// The server waits for our first packet, which confirms the keys at once (docs/protocol.md §2.3), and it leaves at the
// end of the turn in which we were told that we are connected. To read and hash megabytes before that would delay it. A
// timer that is due runs before the turn sends, and one that is set from inside a timer runs in the next turn: hence
// two.
void FileSender::start_after_transmit() {
  const auto later = [this](auto next) { start_timer_ = environment_.loop.at(environment_.loop.now(), next); };
  later([this, later] {
    later([this] {
      start_timer_.reset();
      start_next();
    });
  });
}

void FileSender::on_streams_available() { start_next(); }

void FileSender::start_next() {
  while (!ended() && active_.size() < kFilesAtATime) {
    if (next_ < list_.entries.size()) {
      auto file = open(list_.entries[next_]);
      if (!file && out_of_descriptors(file.error())) {
        if (open_files_.any()) return open_files_.wait(*this);
        file.error().message += "; raise the limit on open files (`ulimit -n`)";
      }
      if (!file) {
        notices_.push_back(list_.entries[next_++].name);
        note_failure(file.error());
        continue;
      }
      if (!start_stream(*std::move(file))) return;
      ++next_;
    } else if (!notices_.empty()) {
      Outgoing notice;
      notice.trailer_made = true;
      notice.pending = encode_header({.name = notices_.back(), .kind = RecordKind::not_sent});
      if (!start_stream(std::move(notice))) return;
      notices_.pop_back();
    } else {
      break;
    }
  }
  end_if_done();
}

// False if there is no stream for it now: on_streams_available goes on, unless the session has ended.
bool FileSender::start_stream(Outgoing file) {
  const auto id = connection_.open_stream(StreamType::bidirectional);
  if (!id) {
    if (id.error() == StreamError::limit_reached) return false;
    end(AppCode::failed, "no stream",
        fail(ErrorKind::network, fmt::format("cannot open a stream to {}: {}", peer(), to_string(id.error()))));
    return false;
  }
  environment_.reporter.stream_opened(connection_, *id, Side::local);
  if (const auto& priority = environment_.options.priority)
    (void)connection_.set_priority(*id, {.traffic_class = *priority});
  const auto placed = active_.emplace(*id, std::move(file)).first;
  pump(*id, placed->second);
  return true;
}

Result<FileSender::Outgoing> FileSender::open(const FileEntry& entry) {
  Outgoing file;
  file.entry = &entry;
  auto fd = open_listed(entry);
  if (!fd) return std::unexpected(fd.error());
  if (entry.kind == EntryKind::folder) {
    file.trailer_made = true;
    file.pending = encode_header({.name = entry.name, .mode = entry.mode, .kind = RecordKind::folder});
    return file;
  }
  file.place = open_files_.enter();
  file.fd = *std::move(fd);
  if (entry.kind == EntryKind::pipe) {
    file.pending = encode_header({.name = entry.name, .mode = entry.mode, .kind = RecordKind::unsized_file});
    return file;
  }
  struct stat status{};
  // Where a device ends, only a seek tells.
  const off_t end = entry.kind == EntryKind::device ? ::lseek(file.fd.get(), 0, SEEK_END) : 0;
  if (::fstat(file.fd.get(), &status) != 0 || end < 0 || ::lseek(file.fd.get(), 0, SEEK_SET) < 0)
    return fail_errno(ErrorKind::io, fmt::format("cannot read {}", escape(entry.path())), errno);
  ::posix_fadvise(file.fd.get(), 0, 0, POSIX_FADV_SEQUENTIAL);
  file.modified = status.st_mtim;
  file.size = static_cast<std::uint64_t>(entry.kind == EntryKind::device ? end : status.st_size);
  file.left = file.size;
  file.pending =
      encode_header({.name = entry.name, .size = file.size, .mode = static_cast<std::uint16_t>(status.st_mode & 0777)});
  return file;
}

// What was read is one state of the file only if nobody wrote to it meanwhile.
Result<void> FileSender::check_unchanged(const Outgoing& file) const {
  if (file.entry->kind == EntryKind::device) return {};
  struct stat status{};
  if (::fstat(file.fd.get(), &status) != 0)
    return fail_errno(ErrorKind::io, fmt::format("cannot read {}", escape(file.entry->path())), errno);
  const bool same = static_cast<std::uint64_t>(status.st_size) == file.size &&
                    status.st_mtim.tv_sec == file.modified.tv_sec && status.st_mtim.tv_nsec == file.modified.tv_nsec;
  if (same) return {};
  return fail(ErrorKind::io, fmt::format("{} changed while it was sent", escape(file.entry->path())));
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
    const auto filled = refill(file);
    if (filled && *filled == Refill::nothing_now) return watch(id, file);
    if (!filled) {
      // An early end without a digest, and not a reset, which could overtake the header: so the receiver knows which
      // file it was. It refuses what it has, and that answer is waited for.
      note_failure(filled.error());
      file.given_up = true;
      file.pending = {};
      close(file);
      (void)connection_.finish(id);
      return;
    }
  }
}

Result<FileSender::Refill> FileSender::refill(Outgoing& file) {
  file.pending.clear();
  file.pending_begin = 0;
  if (file.entry->kind == EntryKind::pipe) return refill_from_pipe(file);
  if (file.left == 0) {
    if (auto unchanged = check_unchanged(file); !unchanged) return std::unexpected(unchanged.error());
    make_trailer(file);
    return Refill::filled;
  }
  file.pending.resize(static_cast<std::size_t>(std::min<std::uint64_t>(file.left, kReadBytes)));
  const auto got = read_some(file, file.pending.data(), file.pending.size());
  if (!got) return std::unexpected(got.error());
  if (*got == 0)
    return fail(ErrorKind::io, fmt::format("{} became shorter while it was sent", escape(file.entry->path())));
  file.pending.resize(*got);
  file.left -= *got;
  return Refill::filled;
}

// One read for each time that poll(2) says that it will not block: a pipe that the caller opened for us keeps its
// flags. A pipe without a writer is not readable until it has had one, so that 0 bytes are its end.
Result<FileSender::Refill> FileSender::refill_from_pipe(Outgoing& file) {
  pollfd readable{.fd = file.fd.get(), .events = POLLIN, .revents = 0};
  if (::poll(&readable, 1, 0) <= 0) return Refill::nothing_now;
  file.pending.resize(kChunkLengthBytes + kReadBytes);
  const auto got = read_some(file, file.pending.data() + kChunkLengthBytes, kReadBytes);
  if (!got && got.error().system_error == EAGAIN) {  // another process was faster
    file.pending.clear();
    return Refill::nothing_now;
  }
  if (!got) return std::unexpected(got.error());
  std::vector<std::uint8_t> length;
  append_chunk_length(length, static_cast<std::uint32_t>(*got));
  std::copy(length.begin(), length.end(), file.pending.begin());
  file.pending.resize(kChunkLengthBytes + *got);
  file.size += *got;
  if (*got == 0) make_trailer(file);
  return Refill::filled;
}

Result<std::size_t> FileSender::read_some(Outgoing& file, std::uint8_t* into, std::size_t room) {
  ssize_t got = 0;
  do {
    got = ::read(file.fd.get(), into, room);
  } while (got < 0 && errno == EINTR);
  if (got < 0) return fail_errno(ErrorKind::io, fmt::format("cannot read {}", escape(file.entry->path())), errno);
  bytes_sent_ += static_cast<std::uint64_t>(got);
  file.digest.update(ByteView(into, static_cast<std::size_t>(got)));
  return static_cast<std::size_t>(got);
}

void FileSender::make_trailer(Outgoing& file) {
  const auto digest = file.digest.finish();
  file.hex = to_hex(digest);
  file.pending.insert(file.pending.end(), digest.begin(), digest.end());
  file.trailer_made = true;
  close(file);
}

void FileSender::watch(StreamId id, Outgoing& file) {
  file.watched = true;
  environment_.loop.watch(file.fd.get(), FdEvent::readable, [this, id] {
    const auto ready = active_.find(id);
    if (ready == active_.end()) return;
    environment_.loop.unwatch(ready->second.fd.get());
    ready->second.watched = false;
    pump(id, ready->second);
  });
}

void FileSender::close(Outgoing& file) {
  if (file.watched) environment_.loop.unwatch(file.fd.get());
  file.watched = false;
  file.fd.reset();
  file.place.reset();
}

void FileSender::on_stream_writable(StreamId id) {
  const auto file = active_.find(id);
  if (file != active_.end() && !file->second.given_up && !file->second.watched) pump(id, file->second);
}

std::size_t FileSender::on_stream_data(StreamId id, ByteView data, bool fin) {
  const auto file = active_.find(id);
  if (file == active_.end()) return data.size();
  if (!data.empty() && file->second.trailer_made && !file->second.given_up && data[0] == kVerdictWhole) {
    on_whole(file);
  } else if (!data.empty() || fin) {
    refuse_stream(id, AppCode::failed);
    on_failed(file, fmt::format("{} did not confirm {}: was it started with --recv?", peer(), name_of(file->second)));
  }
  return data.size();
}

void FileSender::on_whole(Active::iterator file) {
  const Outgoing& sent = file->second;
  if (sent.entry != nullptr && sent.entry->kind != EntryKind::folder) {
    environment_.reporter.file(connection_, Side::local, sent.entry->name, sent.size, sent.hex);
    if (environment_.options.digest) environment_.output.summary(fmt::format("{}  {}", sent.hex, sent.entry->name));
  }
  active_.erase(file);
  start_next();
}

void FileSender::on_stream_reset(StreamId id, AppErrorCode code) {
  const auto file = active_.find(id);
  if (file == active_.end()) return;
  environment_.reporter.reset(connection_, id, Side::peer, code);
  on_failed(file, fmt::format("{} refused {}: {}", peer(), name_of(file->second), describe_app_code(code)));
}

// A refusal is both: whichever frame comes first tells it.
void FileSender::on_stop_sending(StreamId id, AppErrorCode code) { on_stream_reset(id, code); }

void FileSender::on_failed(Active::iterator file, std::string why) {
  // A refused notice, or what we gave up ourselves, was counted when it failed here.
  const bool counted = file->second.entry == nullptr || file->second.given_up;
  close(file->second);
  active_.erase(file);
  if (!counted) note_failure({ErrorKind::peer, std::move(why)});
  start_next();
}

void FileSender::note_failure(ToolError error) {
  ++failed_;
  if (first_error_) warn(error.message);  // the first becomes the result
  else first_error_ = std::move(error);
}

void FileSender::end_if_done() {
  if (ended() || next_ < list_.entries.size() || !notices_.empty() || !active_.empty()) return;
  if (!first_error_) return say_goodbye({});
  const std::size_t all = list_.entries.size() + list_.left_out.size();
  if (all > 1) first_error_->message += fmt::format("; {} of {} were not sent", failed_, all);
  say_goodbye(std::unexpected(*first_error_));
}

}  // namespace mxp::tools
