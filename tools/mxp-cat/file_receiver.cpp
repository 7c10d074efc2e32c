#include "mxp-cat/file_receiver.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "common/counted.h"
#include "common/escape.h"
#include "common/output_file.h"
#include "common/units.h"

namespace mxp::tools {
namespace {

// What the peer sent is not a file transfer as we know it: its fault.
std::unexpected<Refusal> bad_transfer(AppCode code, std::string message) {
  return std::unexpected(Refusal{code, {ErrorKind::network, std::move(message)}});
}

}  // namespace

Result<UniqueFd> open_receive_folder(const std::string& path) {
  const bool made = ::mkdir(path.c_str(), 0777) == 0;
  if (!made && errno != EEXIST) {
    return fail_errno(ErrorKind::usage, fmt::format("--recv: cannot make the folder {}", path), errno);
  }
  UniqueFd folder(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!folder) return fail_errno(ErrorKind::usage, fmt::format("--recv: cannot open the folder {}", path), errno);
  if (::faccessat(folder.get(), ".", W_OK | X_OK, AT_EACCESS) != 0) {
    return fail_errno(ErrorKind::usage, fmt::format("--recv: cannot write into the folder {}", path), errno);
  }
  if (made) {
    if (const int error = sync_folder_of(path); error != 0)
      return fail_errno(ErrorKind::io, fmt::format("--recv: cannot write the folder of {}", path), error);
  }
  return folder;
}

void FileReceiver::on_stream_opened(StreamId id) {
  environment_.reporter.stream_opened(connection_, id, Side::peer);
  if (id.type() != StreamType::bidirectional) return refuse_stream(id, AppCode::unexpected_stream);
  active_.emplace(id, Incoming{});
}

std::size_t FileReceiver::on_stream_data(StreamId id, ByteView data, bool fin) {
  const auto file = active_.find(id);
  if (file == active_.end()) return data.size();
  std::expected<std::size_t, Refusal> taken = 0;
  if (!file->second.waiting) taken = take(file->second, data);
  if (!taken) {
    on_refused(file, taken.error());
    return data.size();
  }
  if (fin && *taken == data.size()) {
    file->second.ended = true;
    if (!file->second.waiting) finish_stream(file);
  }
  return *taken;
}

// How many bytes of `data` were taken: all, unless the file has to wait.
std::expected<std::size_t, Refusal> FileReceiver::take(Incoming& file, ByteView data) {
  std::size_t taken = 0;
  if (!file.header && !data.empty()) {
    const auto of_header = take_header(file, data);
    if (!of_header) return of_header;
    taken = *of_header;
    if (file.header && has_content(file.header->kind)) {
      const auto opened = open_part(file);
      if (!opened) return std::unexpected(opened.error());
      if (*opened == Step::later) {
        file.waiting = true;
        return taken;
      }
    }
  }
  if (auto content = take_content(file, data.subspan(taken)); !content) return std::unexpected(content.error());
  return data.size();
}

std::expected<std::size_t, Refusal> FileReceiver::take_header(Incoming& file, ByteView data) {
  // No more than a header can be long: what follows it is content and is not copied here.
  const std::size_t before = file.head.size();
  const std::size_t added = std::min(data.size(), kFixedHeaderBytes + kMaxNameBytes - before);
  file.head.insert(file.head.end(), data.begin(), data.begin() + static_cast<std::ptrdiff_t>(added));
  auto parsed = parse_header(file.head);
  if (!parsed)
    return bad_transfer(AppCode::not_a_transfer,
                        fmt::format("{} sent no file: {}; was it started with --send?", peer(), parsed.error()));
  if (!*parsed) return added;
  const FileHeader& header = (*parsed)->header;
  // The name of what was not sent is for people: it becomes no path.
  const auto objection =
      header.kind == RecordKind::not_sent ? std::optional<std::string_view>() : objection_to_name(header.name);
  if (objection) {
    return bad_transfer(AppCode::bad_name, fmt::format("{} sent a file under a name that is refused, \"{}\": {}",
                                                       peer(), escape(header.name), *objection));
  }
  file.header = header;
  file.head = {};
  return (*parsed)->consumed - before;
}

std::expected<FileReceiver::Step, Refusal> FileReceiver::open_part(Incoming& file) {
  const FileHeader& header = *file.header;
  auto part = PartFile::create(folder_, environment_.options.receive_into, header,
                               environment_.options.force ? Replace::yes : Replace::no, made_folders_);
  if (!part) return wait_or_refuse(std::move(part.error()));
  file.place = open_files_.enter();
  file.part = *std::move(part);
  file.waiting = false;
  if (header.kind == RecordKind::unsized_file) {
    file.last_chunk = false;
    ++unsized_;
  } else {
    file.left = header.size;
    bytes_announced_ += header.size;
  }
  return Step::done;
}

// What fails only for want of a descriptor is tried again when a file has been closed, if one is open that can be.
std::expected<FileReceiver::Step, Refusal> FileReceiver::wait_or_refuse(Refusal refusal) {
  if (!out_of_descriptors(refusal.error)) return std::unexpected(std::move(refusal));
  if (!open_files_.any()) {
    refusal.error.message += "; raise the limit on open files (`ulimit -n`)";
    return std::unexpected(std::move(refusal));
  }
  open_files_.wait(*this);
  return Step::later;
}

void FileReceiver::on_file_closed() {
  if (ended()) return;
  std::vector<StreamId> waiting;  // the oldest first
  for (const auto& [id, file] : active_)
    if (file.waiting) waiting.push_back(id);
  for (const StreamId id : waiting)
    if (go_on(active_.find(id)) == Step::later) return;
}

FileReceiver::Step FileReceiver::go_on(Active::iterator file) {
  const StreamId id = file->first;
  if (has_content(file->second.header->kind)) {
    const auto opened = open_part(file->second);
    if (opened && *opened == Step::later) return Step::later;
    if (!opened) {
      on_refused(file, opened.error());
      return Step::done;
    }
  }
  file->second.waiting = false;
  if (!file->second.ended) {
    (void)connection_.resume(id);
    return Step::done;
  }
  finish_stream(file);
  const auto still = active_.find(id);
  return still != active_.end() && still->second.waiting ? Step::later : Step::done;
}

std::expected<void, Refusal> FileReceiver::take_content(Incoming& file, ByteView data) {
  if (!file.header) return {};
  if (!has_content(file.header->kind)) {
    if (data.empty()) return {};
    return bad_transfer(AppCode::not_a_transfer, fmt::format("{} sent content where there can be none, of {}", peer(),
                                                             escape(file.header->name)));
  }
  while (!data.empty() && (file.left > 0 || !file.last_chunk)) {
    if (file.left == 0) {
      const std::size_t missing = std::min(kChunkLengthBytes - file.chunk_length.size(), data.size());
      const ByteView length = data.first(missing);
      file.chunk_length.insert(file.chunk_length.end(), length.begin(), length.end());
      data = data.subspan(missing);
      if (file.chunk_length.size() < kChunkLengthBytes) return {};
      file.left = parse_chunk_length(file.chunk_length);
      file.last_chunk = file.left == 0;
      file.chunk_length.clear();
      continue;
    }
    const ByteView content = data.first(static_cast<std::size_t>(std::min<std::uint64_t>(data.size(), file.left)));
    file.digest.update(content);
    if (auto written = file.part->append(content); !written)
      return std::unexpected(Refusal{AppCode::output_failed, written.error()});
    file.left -= content.size();
    file.received += content.size();
    bytes_received_ += content.size();
    data = data.subspan(content.size());
  }
  if (file.trailer.size() + data.size() > Sha256::kSize) {
    return bad_transfer(AppCode::wrong_content,
                        fmt::format("{} sent more of {} than announced", peer(), escape(file.header->name)));
  }
  file.trailer.insert(file.trailer.end(), data.begin(), data.end());
  return {};
}

void FileReceiver::finish_stream(Active::iterator file) {
  const StreamId id = file->first;
  const auto finished = finish(file->second);
  if (!finished) return on_refused(file, finished.error());
  if (*finished == Step::later) {
    file->second.waiting = true;
    return;
  }
  environment_.reporter.fin(connection_, id, Side::peer);
  const std::uint8_t verdict = kVerdictWhole;
  (void)connection_.write(id, ByteView(&verdict, 1));
  (void)connection_.finish(id);
  active_.erase(file);
}

std::expected<FileReceiver::Step, Refusal> FileReceiver::finish(Incoming& file) {
  if (!file.header)
    return bad_transfer(AppCode::not_a_transfer,
                        fmt::format("{} ended a stream without a file on it: was it started with --send?", peer()));
  if (!has_content(file.header->kind)) return finish_record(*file.header);
  if (file.left != 0 || !file.last_chunk || file.trailer.size() != Sha256::kSize) {
    return bad_transfer(AppCode::wrong_content,
                        fmt::format("{} sent less of {} than announced, as for a file that changes while it is read: "
                                    "{}{} is unfinished",
                                    peer(), escape(file.header->name), file.part->shown_name(), kPartSuffix));
  }
  const Sha256::Value digest = file.digest.finish();
  if (!std::equal(digest.begin(), digest.end(), file.trailer.begin())) {
    return bad_transfer(AppCode::wrong_content,
                        fmt::format("the digest of {} disagrees: {}{} is not what was sent", escape(file.header->name),
                                    file.part->shown_name(), kPartSuffix));
  }
  if (auto named = file.part->commit(); !named) return std::unexpected(named.error());
  ++whole_;
  const std::string hex = to_hex(digest);
  environment_.reporter.file(connection_, Side::peer, file.header->name, file.received, hex);
  if (environment_.options.digest) environment_.output.summary(fmt::format("{}  {}", hex, file.header->name));
  return Step::done;
}

std::expected<FileReceiver::Step, Refusal> FileReceiver::finish_record(const FileHeader& record) {
  if (record.kind == RecordKind::not_sent) {
    // The sender has made odd names printable with backslashes, which stay as they are.
    const bool plain = is_plain_but_for_selectors(record.name);
    const std::string name = plain ? record.name : escape(record.name, kMaxNameBytes);
    note_failure({ErrorKind::peer, fmt::format("{} did not send {}: the set is not whole", peer(), name)});
    return Step::done;
  }
  auto made = make_folder(folder_, environment_.options.receive_into, record.name, made_folders_);
  if (!made) return wait_or_refuse(std::move(made.error()));
  made_folders_.set_mode(record.name, record.mode);
  ++folders_;
  return Step::done;
}

void FileReceiver::on_refused(Active::iterator file, const Refusal& refusal) {
  environment_.reporter.reset(connection_, file->first, Side::local, wire(refusal.code));
  refuse_stream(file->first, refusal.code);
  active_.erase(file);
  note_failure(refusal.error);
}

void FileReceiver::on_stream_reset(StreamId id, AppErrorCode code) {
  const auto file = active_.find(id);
  if (file == active_.end()) return;
  environment_.reporter.reset(connection_, id, Side::peer, code);
  const std::string name = file->second.part ? file->second.part->shown_name() + std::string(kPartSuffix) : "a file";
  (void)connection_.reset(id, code);
  active_.erase(file);
  note_failure({ErrorKind::peer,
                fmt::format("{} gave up sending: {}; {} is unfinished", peer(), describe_app_code(code), name)});
}

void FileReceiver::note_failure(ToolError error) {
  ++refused_;
  if (first_error_) warn(error.message);  // the first becomes the result
  else first_error_ = std::move(error);
}

void FileReceiver::on_goodbye() {
  if (active_.empty()) end(AppCode::done, "done", judge());
}

Result<void> FileReceiver::judge() const {
  if (first_error_) {
    ToolError error = *first_error_;
    if (whole_ + refused_ > 1) error.message += fmt::format("; {} received, {} not", counted(whole_, "file"), refused_);
    return std::unexpected(std::move(error));
  }
  if (whole_ + folders_ == 0)
    return fail(ErrorKind::network, fmt::format("{} closed the connection without sending a file", peer()));
  return {};
}

Result<void> FileReceiver::on_closed(const CloseInfo& info) {
  int error = 0;
  const auto failed = open_files_.with_reserve([&] {
    auto path = made_folders_.apply(folder_);
    error = errno;
    return path;
  });
  if (failed) {
    environment_.output.warning(fmt::format("cannot set the mode of the folder {}/{}: {}",
                                            environment_.options.receive_into, *failed, std::strerror(error)));
  }
  if (outcome()) return *outcome();
  const bool closed_by_peer = info.by == CloseInfo::By::peer && info.application;
  // A peer that closes with an error after we refused its stream only answers to that.
  if (closed_by_peer && active_.empty() && (first_error_ || info.code == wire(AppCode::done))) return judge();
  ToolError lost = describe(info);
  for (auto& [id, file] : active_) {
    if (!file.part) continue;
    lost.message += fmt::format(
        "; {}{} is unfinished ({} of {})", file.part->shown_name(), kPartSuffix, format_bytes(file.received),
        file.header->kind == RecordKind::file ? format_bytes(file.header->size) : "a size that is not known");
    break;  // one names the place; there may be 64
  }
  return std::unexpected(std::move(lost));
}

}  // namespace mxp::tools
