#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <system_error>
#include <unordered_map>
#include <utility>

#include "mxp/otlp.h"
#include "trace/background_writer.h"
#include "trace/json_text.h"
#include "trace/otlp_span.h"

namespace mxp {

namespace {

// Our choice: losses that are no further apart than this are one burst.
constexpr Duration kBurstGap = std::chrono::milliseconds(500);
// What one scheduling span covers.
constexpr Duration kScheduleSpan = std::chrono::seconds(1);
// Bounds of the spans of one connection, so that a long one does not fill the disk with what nobody reads.
constexpr std::uint64_t kMostBursts = 1000, kMostSchedules = 600;

constexpr std::size_t kBecauses = static_cast<std::size_t>(TraceScheduled::Because::probe) + 1;
constexpr std::array<std::string_view, kBecauses> kBecauseKeys = {"mxp.because.alone", "mxp.because.preempts",
                                                                  "mxp.because.share", "mxp.because.probe"};
constexpr std::array<std::string_view, kMessageClasses> kClassKeys = {"mxp.bytes.critical", "mxp.bytes.control",
                                                                      "mxp.bytes.streaming", "mxp.bytes.background"};

double milliseconds(Duration span) { return std::chrono::duration<double, std::milli>(span).count(); }

struct Burst {
  Timestamp first, last;
  std::uint64_t packets = 0, bytes = 0;
};

struct Schedule {
  Timestamp first, last;
  std::uint64_t decisions = 0, lost_first = 0, held_back = 0;
  std::array<std::uint64_t, kBecauses> because{};
  std::array<std::uint64_t, kMessageClasses> bytes{};
};

struct Trace {
  std::array<std::uint8_t, 16> trace_id{};
  SpanId id{};
  Role role = Role::client;
  Timestamp begun, blocked_since;
  BlockedBy blocked = BlockedBy::handshake;
  TimeByReason blocked_time{};
  SocketAddress remote;
  std::string peer_key;
  bool handshaking = true;
  bool closed = false;
  std::string error;  // why it failed
  OtlpAttributes end;
  std::uint64_t sent = 0, received = 0, lost = 0, bursts = 0, schedules = 0;
  Burst burst;
  Schedule schedule;
};

}  // namespace

struct OtlpFile::Impl {
  struct Descriptor {
    int fd;
    ~Descriptor() { ::close(fd); }
  };

  Impl(int fd, Random& random_, OtlpConfig config_)
      : config(std::move(config_)), random(random_), descriptor{fd}, writer(config.most_bytes) {
    file = writer.add({.open = fd, .of_lines = true});
  }

  void fill(std::span<std::uint8_t> id) {
    do random.fill(id);
    while (std::ranges::all_of(id, [](std::uint8_t byte) { return byte == 0; }));
  }

  void begin(ConnectionId id, const TraceStarted& started) {
    Trace trace;
    if (config.parent) trace.trace_id = config.parent->trace_id;
    else fill(trace.trace_id);
    fill(trace.id);
    trace.role = started.role;
    trace.begun = trace.blocked_since = now;
    trace.remote = started.remote;
    trace.peer_key = started.peer.to_string();
    traces.insert_or_assign(id.key(), std::move(trace));
  }

  void write(const OtlpSpan& span) {
    line.clear();
    append_otlp_line(line, config.service, span);
    if (!writer.append(file, line)) ++dropped;
  }
  // A child of the connection's span, from `from` to `to`.
  void write_child(const Trace& trace, std::string_view name, Timestamp from, Timestamp to,
                   const OtlpAttributes& attributes, std::string_view error = {}) {
    OtlpSpan span{.trace_id = trace.trace_id, .parent_id = trace.id, .flags = flags(), .name = name};
    fill(span.id);
    span.begin_ns = config.clock.unix_time(from);
    span.end_ns = config.clock.unix_time(to);
    span.error = error;
    span.attributes = &attributes;
    write(span);
  }
  std::uint8_t flags() const { return config.parent ? config.parent->flags : 1; }

  void end_handshake(Trace& trace) {
    if (!std::exchange(trace.handshaking, false)) return;
    write_child(trace, "mxp.handshake", trace.begun, now, OtlpAttributes(), trace.error);
  }
  void end_burst(Trace& trace) {
    const Burst burst = std::exchange(trace.burst, {});
    if (burst.packets == 0 || ++trace.bursts > kMostBursts) return;
    OtlpAttributes attributes;
    attributes.number("mxp.packets", burst.packets).number("mxp.bytes", burst.bytes);
    write_child(trace, "mxp.loss_burst", burst.first, burst.last, attributes);
  }
  void end_schedule(Trace& trace) {
    const Schedule schedule = std::exchange(trace.schedule, {});
    if (schedule.decisions + schedule.held_back == 0 || ++trace.schedules > kMostSchedules) return;
    OtlpAttributes attributes;
    attributes.number("mxp.decisions", schedule.decisions).number("mxp.lost_first", schedule.lost_first);
    attributes.number("mxp.held_back", schedule.held_back);
    for (std::size_t i = 0; i < kBecauses; ++i)
      if (schedule.because[i] > 0) attributes.number(kBecauseKeys[i], schedule.because[i]);
    for (std::size_t i = 0; i < kMessageClasses; ++i)
      if (schedule.bytes[i] > 0) attributes.number(kClassKeys[i], schedule.bytes[i]);
    write_child(trace, "mxp.schedule", schedule.first, schedule.last, attributes);
  }
  void block(Trace& trace, BlockedBy reason) {
    trace.blocked_time[static_cast<std::size_t>(trace.blocked)] += now - trace.blocked_since;
    trace.blocked = reason;
    trace.blocked_since = now;
  }

  void end(ConnectionId id, Trace& trace) {
    block(trace, trace.blocked);
    end_handshake(trace);
    end_burst(trace);
    end_schedule(trace);
    OtlpAttributes attributes = trace.end;
    std::string hex;
    trace_json::append_hex(hex, id.bytes());
    attributes.text("mxp.connection.id", hex).text("mxp.peer_key", trace.peer_key);
    attributes.text("network.peer.address", trace.remote.to_string());
    attributes.number("mxp.packets.sent", trace.sent).number("mxp.packets.received", trace.received);
    attributes.number("mxp.packets.lost", trace.lost);
    for (std::size_t i = 0; i < kBlockedReasons; ++i) {
      if (trace.blocked_time[i] == Duration::zero()) continue;
      std::string key = fmt::format("mxp.blocked_ms.{}", to_string(static_cast<BlockedBy>(i)));
      std::ranges::replace(key, ' ', '_');
      attributes.milliseconds(key, milliseconds(trace.blocked_time[i]));
    }
    if (trace.bursts > kMostBursts) attributes.number("mxp.loss_bursts_left_out", trace.bursts - kMostBursts);
    if (trace.schedules > kMostSchedules) attributes.number("mxp.schedules_left_out", trace.schedules - kMostSchedules);
    if (!trace.closed) attributes.flag("mxp.unfinished", true);
    OtlpSpan span{.trace_id = trace.trace_id, .id = trace.id, .flags = flags(), .name = "mxp.connection"};
    if (config.parent) span.parent_id = config.parent->parent_id;
    span.kind = trace.role == Role::client ? OtlpSpan::Kind::client : OtlpSpan::Kind::server;
    span.begin_ns = config.clock.unix_time(trace.begun);
    span.end_ns = config.clock.unix_time(now);
    span.error = trace.error;
    span.attributes = &attributes;
    write(span);
  }

  void note_close(Trace& trace, const TraceClosed& closed) {
    constexpr std::array<std::string_view, 4> kBy = {"local", "remote", "timeout", "network"};
    trace.closed = true;
    trace.end.text("mxp.close.by", kBy[static_cast<std::size_t>(closed.by)]);
    trace.end.number(closed.application ? "mxp.close.application_code" : "mxp.close.code", closed.code);
    if (!closed.reason.empty()) trace.end.text("mxp.close.reason", closed.reason);
    const auto code = static_cast<TransportErrorCode>(closed.code);
    if (!closed.application && code != TransportErrorCode::no_error) trace.error = to_string(code);
    if (closed.application && closed.code != 0) trace.error = fmt::format("application code {}", closed.code);
  }

  void note_loss(Trace& trace, const TracePacketLost& lost) {
    ++trace.lost;
    if (trace.burst.packets > 0 && now - trace.burst.last > kBurstGap) end_burst(trace);
    if (trace.burst.packets == 0) trace.burst.first = now;
    trace.burst.last = now;
    ++trace.burst.packets;
    trace.burst.bytes += lost.size_bytes;
  }

  Schedule& schedule_of(Trace& trace) {
    Schedule& schedule = trace.schedule;
    if (schedule.decisions + schedule.held_back > 0 && now - schedule.first >= kScheduleSpan) end_schedule(trace);
    if (schedule.decisions + schedule.held_back == 0) schedule.first = now;
    schedule.last = now;
    return schedule;
  }

  void note(Trace& trace, const TraceEvent& event) {
    if (std::holds_alternative<TracePacketSent>(event)) {
      ++trace.sent;
    } else if (std::holds_alternative<TracePacketReceived>(event)) {
      ++trace.received;
    } else if (const auto* lost = std::get_if<TracePacketLost>(&event)) {
      note_loss(trace, *lost);
    } else if (const auto* scheduled = std::get_if<TraceScheduled>(&event)) {
      Schedule& schedule = schedule_of(trace);
      ++schedule.decisions;
      schedule.lost_first += scheduled->lost_first ? 1 : 0;
      ++schedule.because[static_cast<std::size_t>(scheduled->because)];
      schedule.bytes[static_cast<std::size_t>(scheduled->traffic_class)] += scheduled->bytes;
    } else if (std::holds_alternative<TraceHeldBack>(event)) {
      ++schedule_of(trace).held_back;
    } else if (const auto* blocked = std::get_if<TraceBlocked>(&event)) {
      block(trace, blocked->reason);
    } else if (std::holds_alternative<TraceEstablished>(event)) {
      end_handshake(trace);
    } else if (const auto* changed = std::get_if<TracePathChanged>(&event)) {
      trace.remote = changed->remote;
    } else if (const auto* closed = std::get_if<TraceClosed>(&event)) {
      note_close(trace, *closed);
    }
  }

  void complain() {
    if (const auto error = writer.take_error(); error && config.on_error)
      config.on_error({error->code, fmt::format("write the spans: {}", std::generic_category().message(error->code))});
  }

  void complain_of_dropped() const {
    if (dropped > 0 && config.on_error)
      config.on_error(
          {EAGAIN,
           fmt::format("write all spans: {} of them were dropped, for want of room or after an error", dropped)});
  }

  OtlpConfig config;
  Random& random;
  Descriptor descriptor;
  BackgroundWriter writer;
  BackgroundWriter::FileId file = 0;
  std::unordered_map<std::uint64_t, Trace> traces;
  std::string line;
  std::uint64_t dropped = 0;
  Timestamp now{};
};

std::expected<std::unique_ptr<OtlpFile>, IoError> OtlpFile::open(const std::string& path, Random& random,
                                                                 OtlpConfig config) {
  const int fd = ::open(path.c_str(), O_WRONLY | O_APPEND | O_CREAT | O_NOFOLLOW | O_CLOEXEC | O_NOCTTY, 0600);
  if (fd < 0) {
    const int code = errno;
    return std::unexpected(IoError{code, fmt::format("open {}: {}", path, std::generic_category().message(code))});
  }
  return to_descriptor(fd, random, std::move(config));
}

std::unique_ptr<OtlpFile> OtlpFile::to_descriptor(int fd, Random& random, OtlpConfig config) {
  return std::unique_ptr<OtlpFile>(new OtlpFile(std::make_unique<Impl>(fd, random, std::move(config))));
}

OtlpFile::OtlpFile(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}

OtlpFile::~OtlpFile() {
  for (auto& [key, trace] : impl_->traces) {
    ConnectionId::Bytes id;
    std::memcpy(id.data(), &key, id.size());
    impl_->end(ConnectionId(id), trace);
  }
  impl_->writer.flush();
  impl_->complain();
  impl_->complain_of_dropped();
}

bool OtlpFile::wants_decisions() const { return impl_->config.decisions; }
std::uint64_t OtlpFile::dropped() const { return impl_->dropped; }

void OtlpFile::on(Timestamp now, ConnectionId connection, const TraceEvent& event) {
  Impl& impl = *impl_;
  impl.now = std::max(impl.now, now);
  if (const auto* started = std::get_if<TraceStarted>(&event)) return impl.begin(connection, *started);
  if (const auto* changed = std::get_if<TraceIdChanged>(&event)) {
    if (auto node = impl.traces.extract(changed->former.key())) {
      node.key() = connection.key();
      impl.traces.insert(std::move(node));
    }
    return;
  }
  const auto found = impl.traces.find(connection.key());
  if (found == impl.traces.end()) return;
  if (std::holds_alternative<TraceForgotten>(event)) {
    impl.end(connection, found->second);
    impl.traces.erase(found);
  } else {
    impl.note(found->second, event);
  }
  impl.complain();
}

}  // namespace mxp
