#include "mxp/audit_log.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <optional>
#include <system_error>
#include <utility>

#include "trace/background_writer.h"
#include "trace/json_text.h"

namespace mxp {

namespace {

using namespace trace_json;

// What a drop decides, if it decides about a key or a peer.
std::optional<std::string_view> decision_of(DropReason reason) {
  switch (reason) {
    case DropReason::unknown_version:
    case DropReason::bad_mac1:
    case DropReason::handshake_failed:
    case DropReason::bad_low_order_key:
    case DropReason::not_accepting: return "handshake_rejected";
    case DropReason::half_open_limit:
    case DropReason::handshake_rate: return "limit_reached";
    case DropReason::authentication_failed:
    case DropReason::wrong_path: return "packet_rejected";
    default: return std::nullopt;
  }
}

bool is_limit(TransportErrorCode code) {
  return code == TransportErrorCode::aead_limit_reached || code == TransportErrorCode::connection_refused ||
         code == TransportErrorCode::connection_id_limit_error || code == TransportErrorCode::message_limit_error ||
         code == TransportErrorCode::stream_limit_error || code == TransportErrorCode::reassembly_limit_error;
}

}  // namespace

struct AuditLog::Impl {
  struct Descriptor {
    int fd;
    ~Descriptor() { ::close(fd); }
  };
  struct Flood {
    Timestamp second{};
    std::uint64_t in_second = 0;
    std::uint64_t suppressed = 0;
  };

  Impl(int fd, AuditConfig config_) : config(std::move(config_)), descriptor{fd}, writer(config.most_bytes) {
    file = writer.add({.open = fd, .of_lines = true});
  }

  void begin(std::string_view event) {
    line.clear();
    append(line, "{{\"time\":\"{}\",\"event\":\"{}\"", utc_text(config.clock.unix_time(now)), event);
    if (connection == ConnectionId()) return;
    line += ",\"connection\":\"";
    append_hex(line, connection.bytes());
    line += '"';
  }
  void word(std::string_view key, std::string_view value) { append(line, ",\"{}\":\"{}\"", key, value); }
  void number(std::string_view key, std::uint64_t value) { append(line, ",\"{}\":{}", key, value); }
  void address(const SocketAddress& remote) { word("remote", remote.to_string()); }
  void end() {
    if (dropped > 0) number("dropped", dropped);
    line += "}\n";
    if (writer.append(file, line)) dropped = 0;
    else count_dropped();
  }

  void on_dropped(const TracePacketDropped& event) {
    const auto decision = decision_of(event.reason);
    if (!decision) return;
    Flood& flood = floods[static_cast<std::size_t>(event.reason)];
    if (is_suppressed(flood)) return;
    begin(*decision);
    word("reason", to_string(event.reason));
    address(event.remote);
    say_suppressed(flood);
    end();
  }
  // Strangers decide how often it happens, and a log that they can fill is one that ends.
  bool is_suppressed(Flood& flood) const {
    if (now - flood.second >= std::chrono::seconds(1)) {
      flood.second = now;
      flood.in_second = 0;
    }
    if (++flood.in_second <= config.most_per_second) return false;
    ++flood.suppressed;
    return true;
  }
  void say_suppressed(Flood& flood) {
    if (const auto suppressed = std::exchange(flood.suppressed, 0); suppressed > 0) number("suppressed", suppressed);
  }
  void on_admission(const TraceAdmission& event) {
    if (!event.accepted && is_suppressed(refusals)) return;
    begin(event.accepted ? "client_accepted" : "client_refused");
    if (!event.accepted) word("reason", to_string(event.refusal));
    word("peer_key", event.client.to_string());
    address(event.remote);
    if (!event.accepted) say_suppressed(refusals);
    end();
  }
  void on_started(const TraceStarted& event) {
    if (event.role == Role::server) return;  // accepted: that is told already
    begin("server_dialled");
    word("peer_key", event.peer.to_string());
    address(event.remote);
    end();
  }
  void on_key_updated(const TraceKeyUpdated& event) {
    begin("key_updated");
    word("direction", event.side == TraceKeyUpdated::KeySide::sending ? "sending" : "receiving");
    number("phase", event.phase);
    word("begun_by", event.begun == TraceKeyUpdated::Begun::by_us ? "us" : "peer");
    end();
  }
  void on_closed(const TraceClosed& event) {
    constexpr std::array<std::string_view, 4> kBy = {"us", "peer", "timeout", "network"};
    const auto code = static_cast<TransportErrorCode>(event.code);
    if (!event.application && is_limit(code)) {
      begin("limit_reached");
      word("reason", to_string(code));
      end();
    }
    if (event.before_established && is_suppressed(failures)) return;
    begin(event.before_established ? "handshake_failed" : "connection_closed");
    word("by", kBy[static_cast<std::size_t>(event.by)]);
    if (event.application) number("application_code", event.code);
    else word("error", to_string(code));
    if (!event.reason.empty()) {
      line += ",\"reason\":";
      append_peer_string(line, event.reason);
    }
    if (event.before_established) say_suppressed(failures);
    end();
  }

  void count_dropped() {
    ++dropped;
    ++dropped_in_all;
  }
  void complain_of_dropped() const {
    if (dropped_in_all > 0 && config.on_error)
      config.on_error({EAGAIN, fmt::format("write all of the audit log: {} lines were dropped, for want of room or "
                                           "after an error",
                                           dropped_in_all)});
  }
  void complain() {
    if (const auto error = writer.take_error(); error && config.on_error)
      config.on_error(
          {error->code, fmt::format("write the audit log: {}", std::generic_category().message(error->code))});
  }

  AuditConfig config;
  Descriptor descriptor;
  BackgroundWriter writer;
  BackgroundWriter::FileId file = 0;
  std::string line;
  std::array<Flood, kDropReasonCount> floods{};
  Flood refusals, failures;   // of clients with a key that is not authorized; of handshakes
  std::uint64_t dropped = 0;  // since the last line that says so
  std::uint64_t dropped_in_all = 0;
  Timestamp now{};
  ConnectionId connection;  // of the event
};

std::expected<std::unique_ptr<AuditLog>, IoError> AuditLog::open(const std::string& path, AuditConfig config) {
  const int fd = ::open(path.c_str(), O_WRONLY | O_APPEND | O_CREAT | O_NOFOLLOW | O_CLOEXEC | O_NOCTTY, 0600);
  if (fd < 0) {
    const int code = errno;
    return std::unexpected(IoError{code, fmt::format("open {}: {}", path, std::generic_category().message(code))});
  }
  return to_descriptor(fd, std::move(config));
}

std::unique_ptr<AuditLog> AuditLog::to_descriptor(int fd, AuditConfig config) {
  return std::unique_ptr<AuditLog>(new AuditLog(std::make_unique<Impl>(fd, std::move(config))));
}

AuditLog::AuditLog(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
AuditLog::~AuditLog() {
  impl_->connection = ConnectionId();
  for (std::size_t i = 0; i < kDropReasonCount; ++i) {
    if (impl_->floods[i].suppressed == 0) continue;
    impl_->begin(*decision_of(static_cast<DropReason>(i)));
    impl_->word("reason", to_string(static_cast<DropReason>(i)));
    impl_->number("suppressed", impl_->floods[i].suppressed);
    impl_->end();
  }
  for (const auto& [event, flood] :
       {std::pair{"client_refused", &impl_->refusals}, std::pair{"handshake_failed", &impl_->failures}}) {
    if (flood->suppressed == 0) continue;
    impl_->begin(event);
    impl_->say_suppressed(*flood);
    impl_->end();
  }
  impl_->writer.flush();
  impl_->complain();
  impl_->complain_of_dropped();
}

void AuditLog::on(Timestamp now, ConnectionId connection, const TraceEvent& event) {
  Impl& impl = *impl_;
  impl.now = std::max(impl.now, now);
  impl.connection = connection;
  if (const auto* dropped = std::get_if<TracePacketDropped>(&event)) impl.on_dropped(*dropped);
  else if (const auto* admission = std::get_if<TraceAdmission>(&event)) impl.on_admission(*admission);
  else if (const auto* started = std::get_if<TraceStarted>(&event)) impl.on_started(*started);
  else if (const auto* updated = std::get_if<TraceKeyUpdated>(&event)) impl.on_key_updated(*updated);
  else if (const auto* closed = std::get_if<TraceClosed>(&event)) impl.on_closed(*closed);
  else if (std::holds_alternative<TraceEstablished>(event)) {
    impl.begin("handshake_completed");
    impl.end();
  } else if (const auto* changed = std::get_if<TracePathChanged>(&event)) {
    impl.begin("path_changed");
    impl.address(changed->remote);
    impl.end();
  } else {
    return;
  }
  impl.complain();
}

}  // namespace mxp
