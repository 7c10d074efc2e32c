#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
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

std::string file_name(ConnectionId id, Role role) {
  std::string name;
  trace_json::append_hex(name, id.bytes());
  return name + (role == Role::client ? "_client.sqlog" : "_server.sqlog");
}

}  // namespace

struct QlogFolder::Impl {
  struct Trace {
    BackgroundWriter::FileId file;
    Role role;
    std::uint64_t dropped = 0;  // since the last record that says so
  };

  Impl(QlogConfig config_, int folder_) : config(std::move(config_)), folder(folder_), writer(config.most_bytes) {}

  void begin(ConnectionId id, Role role) {
    const auto file = writer.add({.folder = folder.fd, .name = file_name(id, role)});
    append_qlog_header(record, {config.flavour, config.clock, id, role, config.program});
    // Without its header a file is nothing: a connection that begins when there is no room for one is not told at all.
    const bool fits = writer.append(file, record);
    record.clear();
    if (fits && traces.try_emplace(id.key(), Trace{file, role}).second) return;
    writer.finish(file);
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
    if (writer.append(trace.file, record)) {
      trace.dropped = 0;
    } else {
      ++trace.dropped;
      ++dropped;
    }
    record.clear();
  }

  void finish(Trace& trace) {
    record.clear();
    if (trace.dropped > 0) append_qlog_dropped(record, latest - config.clock.at, trace.dropped);
    writer.finish(trace.file, record);
    record.clear();
  }

  void change_id(ConnectionId former, ConnectionId id) {
    auto node = traces.extract(former.key());
    if (node.empty()) return;
    node.key() = id.key();
    writer.rename(node.mapped().file, file_name(id, node.mapped().role));
    traces.insert(std::move(node));
  }

  void complain() {
    if (const auto error = writer.take_error(); error && config.on_error)
      config.on_error({error->code, fmt::format("{} (in {}): no more qlog is written", error->message, config.folder)});
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
}

bool QlogFolder::wants_decisions() const { return impl_->config.decisions; }

void QlogFolder::on(Timestamp now, ConnectionId connection, const TraceEvent& event) {
  Impl& impl = *impl_;
  // In order, as readers want them: what the application does between two drives is told with the time of the first.
  now = impl.latest = std::max(now, impl.latest);
  if (const auto* started = std::get_if<TraceStarted>(&event)) impl.begin(connection, started->role);
  if (const auto* changed = std::get_if<TraceIdChanged>(&event)) impl.change_id(changed->former, connection);
  // Not of a connection, or of a client's further attempt.
  const auto trace = impl.traces.find(connection.key());
  if (trace == impl.traces.end()) return;
  if (std::holds_alternative<TraceForgotten>(event)) {
    impl.finish(trace->second);
    impl.traces.erase(trace);
  } else {
    append_qlog_event(impl.record, impl.config.flavour, now - impl.config.clock.at, event);
    impl.append(trace->second);
  }
  impl.complain();
}

void QlogFolder::flush() { impl_->writer.flush(); }
std::uint64_t QlogFolder::dropped() const { return impl_->dropped; }

}  // namespace mxp
