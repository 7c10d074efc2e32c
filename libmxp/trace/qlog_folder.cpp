#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <optional>
#include <string_view>
#include <system_error>
#include <unordered_map>
#include <utility>

#include "mxp/qlog.h"
#include "trace/background_writer.h"
#include "trace/file_error.h"
#include "trace/json_text.h"
#include "trace/qlog_records.h"

namespace mxp {

namespace {

// Our choice: a handshake has some ten records.
constexpr std::size_t kMostHeld = 16384;

std::string file_name(ConnectionId id, Role role) {
  std::string name;
  trace_json::append_hex(name, id.bytes());
  return name + (role == Role::client ? "_client.sqlog" : "_server.sqlog");
}

}  // namespace

struct QlogFolder::Impl {
  struct Trace {
    Role role;
    std::optional<BackgroundWriter::FileId> file;  // none: the client has not confirmed yet
    std::string held;                              // its records until then
    std::uint64_t dropped = 0;                     // since the last record that says so
  };

  Impl(QlogConfig config_, int folder_) : config(std::move(config_)), folder(folder_), writer(config.most_bytes) {}

  void begin(ConnectionId id, Role role) {
    const auto [at, is_new] = traces.try_emplace(id.key(), Trace{.role = role});
    if (!is_new) {
      ++dropped;
      return;
    }
    append_qlog_header(record, {config.flavour, config.clock, id, role, config.program});
    const bool has_header = hold(at->second, record);
    record.clear();
    if (!has_header) {
      traces.erase(at);
      ++dropped;
      return;
    }
    // Anybody can make a server begin a handshake, and is not to fill its disk with files by that.
    if (role == Role::client) make_file(id, at->second);
  }

  bool hold(Trace& trace, std::string_view text) {
    if (trace.held.size() + text.size() > kMostHeld || held_bytes + text.size() > config.most_bytes) return false;
    trace.held += text;
    held_bytes += text.size();
    return true;
  }

  void make_file(ConnectionId id, Trace& trace) {
    trace.file = writer.add({.folder = folder.fd, .name = file_name(id, trace.role)});
    const std::string held = std::exchange(trace.held, {});
    held_bytes -= held.size();
    // Without its header a file is nothing: a connection for whose beginning there is no room is not told at all.
    if (!held.empty() && writer.append(*trace.file, held)) return;
    writer.finish(*trace.file);
    dropped += 1 + trace.dropped;
    traces.erase(id.key());
  }

  // A record that is not told.
  void drop(Trace& trace) {
    ++trace.dropped;
    ++dropped;
  }

  // Takes `record`, which holds one record, or none.
  void append(Trace& trace) {
    if (record.empty()) return;
    if (trace.dropped > 0) {
      std::string both;
      append_qlog_dropped(both, latest - config.clock.at, trace.dropped);
      both += record;
      record.swap(both);
    }
    if (trace.file ? writer.append(*trace.file, record) : hold(trace, record)) {
      trace.dropped = 0;
    } else {
      drop(trace);
    }
    record.clear();
  }

  void finish(Trace& trace) {
    record.clear();
    held_bytes -= trace.held.size();
    trace.held.clear();
    if (!trace.file) return;
    if (trace.dropped > 0) append_qlog_dropped(record, latest - config.clock.at, trace.dropped);
    writer.finish(*trace.file, record);
    record.clear();
  }

  void change_id(ConnectionId former, ConnectionId id) {
    auto node = traces.extract(former.key());
    if (node.empty()) return;
    node.key() = id.key();
    if (node.mapped().file) writer.rename(*node.mapped().file, file_name(id, node.mapped().role));
    traces.insert(std::move(node));
  }

  void complain() {
    if (const auto error = writer.take_error(); error && config.on_error)
      config.on_error(
          {error->code, fmt::format("{} (in {}): this file of qlog ends here", error->message, config.folder)});
  }
  // At the end: how many there were in all, where that was not told.
  void complain_of_all() {
    if (const std::uint64_t failed = writer.failed_files(); failed > 1 && config.on_error)
      config.on_error(
          {EIO, fmt::format("write all qlog in {}: {} files ended early by errors", config.folder, failed)});
  }

  struct Folder {
    int fd;
    ~Folder() { ::close(fd); }
  };

  QlogConfig config;
  Folder folder;
  BackgroundWriter writer;
  std::unordered_map<std::uint64_t, Trace> traces;
  std::string record;
  std::size_t held_bytes = 0;  // of all traces
  std::uint64_t dropped = 0;
  Timestamp latest{};
};

std::expected<std::unique_ptr<QlogFolder>, IoError> QlogFolder::open(QlogConfig config) {
  const int fd = ::open(config.folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0) return std::unexpected(file_error("open the folder for qlog", config.folder, errno));
  if (::faccessat(fd, ".", W_OK | X_OK, AT_EACCESS) != 0) {
    const int code = errno;
    ::close(fd);
    return std::unexpected(file_error("write to the folder for qlog", config.folder, code));
  }
  return std::unique_ptr<QlogFolder>(new QlogFolder(std::make_unique<Impl>(std::move(config), fd)));
}

QlogFolder::QlogFolder(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
QlogFolder::~QlogFolder() {
  for (auto& [key, trace] : impl_->traces) impl_->finish(trace);
  impl_->traces.clear();
  impl_->writer.flush();
  impl_->complain();
  impl_->complain_of_all();
}

bool QlogFolder::wants_decisions() const { return impl_->config.decisions; }

void QlogFolder::on(Timestamp now, ConnectionId connection, const TraceEvent& event) {
  Impl& impl = *impl_;
  // In order, as readers want them: what the application does between two drives is told with the time of the first.
  now = impl.latest = std::max(now, impl.latest);
  if (const auto* started = std::get_if<TraceStarted>(&event)) impl.begin(connection, started->role);
  if (const auto* changed = std::get_if<TraceIdChanged>(&event)) impl.change_id(changed->former, connection);
  // Not of a connection, or of a client's further attempt.
  auto trace = impl.traces.find(connection.key());
  if (trace == impl.traces.end()) return impl.complain();
  if (std::holds_alternative<TraceEstablished>(event) && !trace->second.file) {
    impl.make_file(connection, trace->second);
    trace = impl.traces.find(connection.key());
    if (trace == impl.traces.end()) return;
  }
  if (std::holds_alternative<TraceForgotten>(event)) {
    impl.finish(trace->second);
    impl.traces.erase(trace);
  } else if (!trace->second.file && std::holds_alternative<TracePacketDropped>(event)) {
    impl.drop(trace->second);  // strangers make them, and the room for what waits is shared
  } else {
    append_qlog_event(impl.record, impl.config.flavour, now - impl.config.clock.at, event);
    impl.append(trace->second);
  }
  impl.complain();
}

void QlogFolder::flush() { impl_->writer.flush(); }
std::uint64_t QlogFolder::dropped() const { return impl_->dropped; }

}  // namespace mxp
