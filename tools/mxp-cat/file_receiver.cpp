#include "mxp-cat/file_receiver.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "common/counted.h"
#include "common/escape.h"
#include "common/units.h"

namespace mxp::tools {
namespace {

// What the peer sent is not a file transfer as we know it: its fault.
std::unexpected<Refusal> bad_transfer(AppCode code, std::string message) {
  return std::unexpected(Refusal{code, {ErrorKind::network, std::move(message)}});
}

}  // namespace

Result<UniqueFd> open_receive_folder(const std::string& path) {
  if (::mkdir(path.c_str(), 0777) != 0 && errno != EEXIST) {
    return fail_errno(ErrorKind::usage, fmt::format("--recv: cannot make the folder {}", path), errno);
  }
  UniqueFd folder(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!folder) return fail_errno(ErrorKind::usage, fmt::format("--recv: cannot open the folder {}", path), errno);
  if (::faccessat(folder.get(), ".", W_OK | X_OK, AT_EACCESS) != 0) {
    return fail_errno(ErrorKind::usage, fmt::format("--recv: cannot write into the folder {}", path), errno);
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
  auto taken = take(file->second, data);
  if (taken && fin) taken = finish(file->second);
  if (!taken) {
    on_refused(file, taken.error());
    return data.size();
  }
  if (fin) {
    environment_.reporter.fin(connection_, id, Side::peer);
    const std::uint8_t verdict = kVerdictWhole;
    (void)connection_.write(id, ByteView(&verdict, 1));
    (void)connection_.finish(id);
    active_.erase(file);
  }
  return data.size();
}

std::expected<ByteView, Refusal> FileReceiver::take_header(Incoming& file, ByteView data) {
  // No more than a header can be long: what follows it is content and is not copied here.
  const std::size_t before = file.head.size();
  const std::size_t added = std::min(data.size(), kFixedHeaderBytes + kMaxNameBytes - before);
  file.head.insert(file.head.end(), data.begin(), data.begin() + static_cast<std::ptrdiff_t>(added));
  auto parsed = parse_header(file.head);
  if (!parsed)
    return bad_transfer(AppCode::not_a_transfer,
                        fmt::format("{} sent no file: {}; was it started with --send?", peer(), parsed.error()));
  if (!*parsed) return data.subspan(added);
  const FileHeader& header = (*parsed)->header;
  if (header.kind == RecordKind::not_sent) {  // a name for people: it becomes no path
    file.header = header;
    return data.subspan((*parsed)->consumed - before);
  }
  if (const auto objection = objection_to_name(header.name)) {
    return bad_transfer(AppCode::bad_name, fmt::format("{} sent a file under a name that is refused, \"{}\": {}",
                                                       peer(), escape(header.name), *objection));
  }
  if (header.kind == RecordKind::folder) {
    file.header = header;
    return data.subspan((*parsed)->consumed - before);
  }
  auto part = PartFile::create(folder_, environment_.options.receive_into, header,
                               environment_.options.force ? Replace::yes : Replace::no, made_folders_);
  if (!part) return std::unexpected(part.error());
  file.part = *std::move(part);
  file.left = header.size;
  bytes_announced_ += header.size;
  const std::size_t consumed_now = (*parsed)->consumed - before;
  file.header = header;
  file.head = {};
  return data.subspan(consumed_now);
}

std::expected<void, Refusal> FileReceiver::take(Incoming& file, ByteView data) {
  if (!file.header && !data.empty()) {
    const auto rest = take_header(file, data);
    if (!rest) return std::unexpected(rest.error());
    data = *rest;
  }
  if (!file.header) return {};
  if (file.header->kind != RecordKind::file) {
    if (data.empty()) return {};
    return bad_transfer(AppCode::not_a_transfer, fmt::format("{} sent content where there can be none, of {}", peer(),
                                                             escape(file.header->name)));
  }
  const ByteView content = data.first(static_cast<std::size_t>(std::min<std::uint64_t>(data.size(), file.left)));
  if (!content.empty()) {
    file.digest.update(content);
    if (auto written = file.part->append(content); !written)
      return std::unexpected(Refusal{AppCode::output_failed, written.error()});
    file.left -= content.size();
    bytes_received_ += content.size();
  }
  data = data.subspan(content.size());
  if (file.trailer.size() + data.size() > Sha256::kSize) {
    return bad_transfer(AppCode::wrong_content,
                        fmt::format("{} sent more of {} than announced", peer(), escape(file.header->name)));
  }
  file.trailer.insert(file.trailer.end(), data.begin(), data.end());
  return {};
}

std::expected<void, Refusal> FileReceiver::finish(Incoming& file) {
  if (!file.header)
    return bad_transfer(AppCode::not_a_transfer,
                        fmt::format("{} ended a stream without a file on it: was it started with --send?", peer()));
  if (file.header->kind != RecordKind::file) return finish_record(*file.header);
  if (file.left != 0 || file.trailer.size() != Sha256::kSize) {
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
  if (auto named = file.part->commit(); !named) return named;
  ++whole_;
  const std::string hex = to_hex(digest);
  environment_.reporter.file(connection_, Side::peer, file.header->name, file.header->size, hex);
  if (environment_.options.digest) environment_.output.summary(fmt::format("{}  {}", hex, file.header->name));
  return {};
}

std::expected<void, Refusal> FileReceiver::finish_record(const FileHeader& record) {
  if (record.kind == RecordKind::not_sent) {
    // The sender has made odd names printable with backslashes, which stay as they are.
    const bool plain = is_plain_but_for_selectors(record.name);
    const std::string name = plain ? record.name : escape(record.name, kMaxNameBytes);
    note_failure({ErrorKind::peer, fmt::format("{} did not send {}: the set is not whole", peer(), name)});
    return {};
  }
  auto made = make_folder(folder_, environment_.options.receive_into, record.name, made_folders_);
  if (!made) return made;
  made_folders_.set_mode(record.name, record.mode);
  ++folders_;
  return {};
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
  if (const auto failed = made_folders_.apply(folder_)) {
    environment_.output.warning(fmt::format("cannot set the mode of the folder {}/{}: {}",
                                            environment_.options.receive_into, *failed, std::strerror(errno)));
  }
  if (outcome()) return *outcome();
  const bool closed_by_peer = info.by == CloseInfo::By::peer && info.application;
  // A peer that closes with an error after we refused its stream only answers to that.
  if (closed_by_peer && active_.empty() && (first_error_ || info.code == wire(AppCode::done))) return judge();
  ToolError error = describe(info);
  for (auto& [id, file] : active_) {
    if (!file.part) continue;
    error.message += fmt::format("; {}{} is unfinished ({} of {})", file.part->shown_name(), kPartSuffix,
                                 format_bytes(file.header->size - file.left), format_bytes(file.header->size));
    break;  // one names the place; there may be 64
  }
  return std::unexpected(std::move(error));
}

}  // namespace mxp::tools
