#include "trace/qlog_records.h"

#include <array>

#include "trace/json_text.h"

namespace mxp {

namespace {

using namespace trace_json;

// A name in the namespace mxp, and the one of QUIC's event that means the same (draft-02 of the QUIC event definitions,
// as qvis has them).
struct Name {
  std::string_view ours;
  std::string_view quic = {};
};

// One record from its braces to its separators; `data` is filled in by members that each begin with a name.
class Record {
 public:
  Record(std::string& out, QlogFlavour flavour, Duration time, Name name) : out_(out), flavour_(flavour) {
    out_ += "\x1e{\"time\":";
    append_milliseconds(out_, time);
    const bool as_quic = flavour == QlogFlavour::qvis && !name.quic.empty();
    append(out_, ",\"name\":\"{}{}\",\"data\":{{", as_quic ? "" : "mxp:", as_quic ? name.quic : name.ours);
  }
  ~Record() { out_ += "}}\n"; }
  Record(const Record&) = delete;
  Record& operator=(const Record&) = delete;

  Record& number(std::string_view key, std::uint64_t value) {
    begin(key);
    append(out_, "{}", value);
    return *this;
  }
  Record& flag(std::string_view key, bool value) {
    begin(key);
    out_ += value ? "true" : "false";
    return *this;
  }
  // Of this program's own words, which need no escape.
  Record& word(std::string_view key, std::string_view value) {
    begin(key);
    append(out_, "\"{}\"", value);
    return *this;
  }
  Record& text(std::string_view key, std::string_view value) {
    begin(key);
    append_peer_string(out_, value);
    return *this;
  }
  Record& milliseconds(std::string_view key, Duration value) {
    begin(key);
    append_milliseconds(out_, value);
    return *this;
  }
  Record& id(std::string_view key, ConnectionId value) {
    begin(key);
    out_ += '"';
    append_hex(out_, value.bytes());
    out_ += '"';
    return *this;
  }
  Record& address(std::string_view key, const SocketAddress& value) {
    if (value == SocketAddress{}) return *this;
    return word(key, value.to_string());
  }
  // Only what has held for some time.
  Record& by_reason(std::string_view key, const TimeByReason& times) {
    begin(key);
    out_ += '{';
    first_ = true;
    for (std::size_t i = 0; i < times.size(); ++i)
      if (times[i] > Duration::zero()) milliseconds(to_string(static_cast<BlockedBy>(i)), times[i]);
    out_ += '}';
    first_ = false;
    return *this;
  }
  Record& packet(PacketNumber number, std::uint64_t bytes) {
    begin("header");
    append(out_, "{{\"packet_type\":\"1RTT\",\"packet_number\":{}}},\"raw\":{{\"length\":{}}}", number.value(), bytes);
    return *this;
  }
  Record& seen_packet(const QlogSeenPacket& packet);
  Record& frames(const TraceFrames& frames);

 private:
  void begin(std::string_view key) {
    if (!first_) out_ += ',';
    first_ = false;
    append(out_, "\"{}\":", key);
  }
  void one_frame(const TraceFrame& frame, std::span<const TraceAckRange> ranges);

  std::string& out_;
  QlogFlavour flavour_;
  bool first_ = true;
};

bool is_data(TraceFrameKind kind) { return kind == TraceFrameKind::stream || kind == TraceFrameKind::message_part; }
bool names_stream(TraceFrameKind kind) {
  return kind == TraceFrameKind::stream || kind == TraceFrameKind::reset_stream ||
         kind == TraceFrameKind::stop_sending || kind == TraceFrameKind::max_stream_data ||
         kind == TraceFrameKind::stream_data_blocked;
}
bool names_messages(TraceFrameKind kind) {
  return kind == TraceFrameKind::message || kind == TraceFrameKind::message_part || kind == TraceFrameKind::expired;
}
// The name of TraceFrame::value, where the frame has one and it is no offset.
std::string_view name_of_value(TraceFrameKind kind) {
  switch (kind) {
    case TraceFrameKind::max_data:
    case TraceFrameKind::max_stream_data:
    case TraceFrameKind::max_streams_bidi:
    case TraceFrameKind::max_streams_uni:
    case TraceFrameKind::max_messages: return "maximum";
    case TraceFrameKind::data_blocked:
    case TraceFrameKind::stream_data_blocked:
    case TraceFrameKind::streams_blocked_bidi:
    case TraceFrameKind::streams_blocked_uni:
    case TraceFrameKind::messages_blocked: return "limit";
    case TraceFrameKind::new_connection_id:
    case TraceFrameKind::retire_connection_id:
    case TraceFrameKind::ack_frequency: return "sequence_number";
    case TraceFrameKind::reset_stream:
    case TraceFrameKind::stop_sending:
    case TraceFrameKind::close: return "error_code";
    case TraceFrameKind::drain: return "state";
    default: return {};
  }
}

// The names that QUIC has for the two directions are one for both, with a field.
std::string_view quic_frame_type(TraceFrameKind kind) {
  switch (kind) {
    case TraceFrameKind::max_streams_bidi:
    case TraceFrameKind::max_streams_uni: return "max_streams";
    case TraceFrameKind::streams_blocked_bidi:
    case TraceFrameKind::streams_blocked_uni: return "streams_blocked";
    case TraceFrameKind::close: return "connection_close";
    default: return to_string(kind);
  }
}

void Record::one_frame(const TraceFrame& frame, std::span<const TraceAckRange> ranges) {
  append(out_, "{{\"frame_type\":\"{}\"",
         flavour_ == QlogFlavour::qvis ? quic_frame_type(frame.kind) : to_string(frame.kind));
  if (names_stream(frame.kind)) append(out_, ",\"stream_id\":{}", frame.subject);
  if (names_messages(frame.kind)) append(out_, ",\"sequence\":{}", frame.subject);
  if (is_data(frame.kind)) append(out_, ",\"offset\":{}", frame.value);
  if (const std::string_view name = name_of_value(frame.kind); !name.empty())
    append(out_, ",\"{}\":{}", name, frame.value);
  if (is_data(frame.kind) || frame.length > 0) append(out_, ",\"length\":{}", frame.length);
  if (frame.fin) out_ += ",\"fin\":true";
  if (frame.kind == TraceFrameKind::ack) {
    out_ += ",\"acked_ranges\":[";
    for (std::size_t i = 0; i < ranges.size(); ++i)
      append(out_, "{}[{},{}]", i == 0 ? "" : ",", ranges[i].first.value(), ranges[i].last.value());
    out_ += ']';
  }
  out_ += '}';
}

Record& Record::seen_packet(const QlogSeenPacket& packet) {
  const bool quic = flavour_ == QlogFlavour::qvis;
  std::string_view type = "1RTT";
  if (packet.type == QlogSeenPacket::Type::initial) type = "initial";
  if (packet.type == QlogSeenPacket::Type::response) type = quic ? "handshake" : "response";
  begin("header");
  append(out_, "{{\"packet_type\":\"{}\"", type);
  if (packet.number) append(out_, ",\"packet_number\":{}", packet.number->value());
  append(out_, "}},\"raw\":{{\"length\":{}}}", packet.size_bytes);
  // The diagrams of qvis go through the frames of each packet.
  if (packet.frames || quic) frames(packet.frames.value_or(TraceFrames{}));
  return *this;
}

Record& Record::frames(const TraceFrames& frames) {
  begin("frames");
  out_ += '[';
  for (std::size_t i = 0; i < frames.list.size(); ++i) {
    if (i > 0) out_ += ',';
    one_frame(frames.list[i], frames.acknowledged);
  }
  out_ += ']';
  return frames.cut ? flag("frames_cut", true) : *this;
}

std::string_view word_of(MessageClass traffic_class) {
  constexpr std::array<std::string_view, kMessageClasses> kWords = {"critical", "control", "streaming", "background"};
  return kWords[static_cast<std::size_t>(traffic_class)];
}

std::string_view word_of(CloseInfo::By by) {
  switch (by) {
    case CloseInfo::By::local: return "local";
    case CloseInfo::By::peer: return "remote";
    case CloseInfo::By::timeout: return "timeout";
    case CloseInfo::By::network: return "network";
  }
  return "unknown";
}

std::string_view word_of(TraceScheduled::Because because) {
  switch (because) {
    case TraceScheduled::Because::alone: return "alone";
    case TraceScheduled::Because::preempts: return "preempts";
    case TraceScheduled::Because::share: return "share";
    case TraceScheduled::Because::probe: return "probe";
  }
  return "unknown";
}

// Writes one event as one record.
struct Writer {
  std::string& out;
  QlogFlavour flavour;
  Duration time;

  Record record(std::string_view ours, std::string_view quic = {}) const { return {out, flavour, time, {ours, quic}}; }

  void operator()(const TracePacketSent& event) const {
    Record it = record("packet_sent", "transport:packet_sent");
    it.packet(event.number, event.size_bytes).frames(event.frames).flag("ack_eliciting", event.ack_eliciting);
    if (event.probe) it.word("trigger", "pto_probe");
  }
  void operator()(const TracePacketReceived& event) const {
    record("packet_received", "transport:packet_received").packet(event.number, event.size_bytes).frames(event.frames);
  }
  void operator()(const TracePacketLost& event) const {
    record("packet_lost", "recovery:packet_lost")
        .packet(event.number, event.size_bytes)
        .word("trigger", event.reason == LossReason::time ? "time_threshold" : "reordering_threshold");
  }
  void operator()(const TracePacketDropped& event) const {
    Record it = record("packet_dropped", "transport:packet_dropped");
    it.word("trigger", to_string(event.reason)).number("size", event.size_bytes).address("remote", event.remote);
  }
  void operator()(const TraceHandshakeSent& event) const {
    record("handshake_sent").number("message", event.message).flag("retransmission", event.retransmission);
  }
  void operator()(const TraceSecrets&) const {}
  void operator()(const TraceKeyUpdated& event) const {
    record("key_updated", "security:key_updated")
        .word("direction", event.side == TraceKeyUpdated::KeySide::sending ? "sending" : "receiving")
        .number("key_phase", event.phase)
        .word("trigger", event.begun == TraceKeyUpdated::Begun::by_us ? "local_update" : "remote_update");
  }
  void operator()(const TraceEstablished& event) const {
    record("connection_state_updated", "connectivity:connection_state_updated")
        .word("old", "handshaking")
        .word("new", "established")
        .milliseconds("handshake_time", event.handshake_time);
  }
  void operator()(const TraceBlocked& event) const { record("blocked").word("reason", to_string(event.reason)); }
  void operator()(const TraceClassBlocked& event) const {
    record("class_blocked").word("class", word_of(event.traffic_class)).word("reason", to_string(event.reason));
  }
  void operator()(const TraceStreamEnded& event) const {
    record("stream_state_updated", "transport:stream_state_updated")
        .number("stream_id", event.stream.value())
        .word("new", "closed")
        .number("bytes_sent", event.stats.bytes_sent)
        .milliseconds("open_time", event.stats.open_time)
        .by_reason("blocked_time", event.stats.blocked_time);
  }
  void operator()(const TraceCongestion& event) const {
    Record it = record("recovery_metrics_updated", "recovery:metrics_updated");
    if (event.window_bytes > 0) it.number("congestion_window", event.window_bytes);  // a third party does not see it
    it.number("bytes_in_flight", event.in_flight_bytes);
    it.milliseconds("smoothed_rtt", event.smoothed_rtt);
    if (event.latest_rtt == Duration::zero()) return;
    it.milliseconds("latest_rtt", event.latest_rtt).milliseconds("min_rtt", event.min_rtt);
    it.milliseconds("rtt_variance", event.rtt_variation);
  }
  void operator()(const TraceClosed& event) const {
    Record it = record("connection_closed", "connectivity:connection_closed");
    it.word("owner", word_of(event.by));
    if (event.application) it.number("application_code", event.code);
    else it.number("connection_code", event.code).word("error", to_string(static_cast<TransportErrorCode>(event.code)));
    if (event.frame_type != 0) it.number("frame_type", event.frame_type);
    if (event.before_established) it.flag("before_established", true);
    if (!event.reason.empty()) it.text("reason", event.reason);
  }
  void operator()(const TraceDatagramSize& event) const {
    record("mtu_updated", "connectivity:mtu_updated").number("new", event.size_bytes);
  }
  void operator()(const TraceEcn& event) const {
    record("ecn_state_updated", "recovery:ecn_state_updated").word("new", to_string(event.state));
  }
  void operator()(const TracePathChanged& event) const {
    record("path_changed").address("remote", event.remote).address("local", event.local);
  }
  void operator()(const TraceForwardDelay& event) const {
    record("forward_delay_updated").milliseconds("queue", event.queue);
  }
  void operator()(const TraceDatagrams& event) const {
    record("datagrams_ended")
        .number("lost", event.lost)
        .number("expired", event.expired)
        .number("dropped", event.dropped)
        .number("too_large", event.too_large);
  }
  void operator()(const TraceDrain& event) const {
    record("drain_state_updated")
        .word("owner", event.side == TraceDrain::Side::here ? "local" : "remote")
        .word("new", to_string(event.stage));
  }
  void operator()(const TraceScheduled& event) const {
    constexpr std::array<std::string_view, 3> kSources = {"messages", "streams", "datagrams"};
    record("scheduled")
        .number("packet_number", event.packet.value())
        .word("class", word_of(event.traffic_class))
        .word("source", kSources[static_cast<std::size_t>(event.source)])
        .word("because", word_of(event.because))
        .flag("lost_first", event.lost_first)
        .number("bytes", event.bytes);
  }
  void operator()(const TraceHeldBack& event) const { record("held_back").flag("corked", event.corked); }
  void operator()(const TraceMessagesExpired& event) const { record("messages_expired").number("count", event.count); }
  void operator()(const TraceTailRepair& event) const {
    constexpr std::array<std::string_view, 3> kKinds = {"messages", "message_part", "stream"};
    record("tail_repair")
        .word("of", kKinds[static_cast<std::size_t>(event.of)])
        .number("id", event.name)
        .number("first", event.first)
        .number("count", event.count);
  }
  void operator()(const TraceStarted& event) const {
    Record it = record("connection_started", "connectivity:connection_started");
    it.word("role", event.role == Role::client ? "client" : "server");
    it.address("remote", event.remote).address("local", event.local);
    if (event.peer != PublicKey{}) it.word("peer_key", event.peer.to_string());  // a third party does not see it
  }
  void operator()(const TraceIdChanged& event) const { record("connection_id_updated").id("former", event.former); }
  void operator()(const TraceParameters& event) const {
    record("parameters_set", "transport:parameters_set")
        .word("owner", event.side == TraceParameters::Side::ours ? "local" : "remote")
        .word("cipher", to_string(event.suite))
        .milliseconds("max_idle_timeout", event.max_idle_timeout)
        .milliseconds("max_ack_delay", event.max_ack_delay)
        .number("max_udp_payload_size", event.max_udp_payload)
        .number("initial_max_data", event.initial_max_data)
        .number("initial_max_stream_data_bidi_local", event.initial_max_stream_data_bidi_local)
        .number("initial_max_stream_data_bidi_remote", event.initial_max_stream_data_bidi_remote)
        .number("initial_max_stream_data_uni", event.initial_max_stream_data_uni)
        .number("initial_max_streams_bidi", event.initial_max_streams_bidi)
        .number("initial_max_streams_uni", event.initial_max_streams_uni)
        .number("active_connection_id_limit", event.active_connection_id_limit)
        .number("max_datagram_payload", event.max_datagram_payload)
        .number("initial_max_messages", event.initial_max_messages);
  }
  void operator()(const TraceForgotten&) const {}
  void operator()(const TraceDatagram&) const {}
  void operator()(const TraceAdmission&) const {}  // of no connection yet: the audit log has it
  void operator()(const TraceStreamsOpened& event) const {
    if (event.by_peer) record("streams_opened").number("count", event.count);
    else
      record("stream_state_updated", "transport:stream_state_updated")
          .number("stream_id", event.stream.value())
          .word("new", "open");
  }
};

}  // namespace

void append_qlog_header(std::string& out, const QlogHeader& header) {
  const std::string_view flow = header.role == Role::client ? "client" : "server";
  const std::string_view role = header.network ? "network" : flow;
  const bool ietf = header.flavour == QlogFlavour::ietf;
  // What tells the format must stand in the first 256 bytes.
  out += ietf ? "\x1e{\"file_schema\":\"urn:ietf:params:qlog:file:sequential\",\"serialization_format\":"
                "\"application/qlog+json-seq\",\"title\":"
              : "\x1e{\"qlog_version\":\"0.3\",\"qlog_format\":\"JSON-SEQ\",\"title\":";
  std::string title(header.program);
  append(title, " {} ", role);
  append_hex(title, header.connection.bytes());
  append_peer_string(out, title);
  out += ",\"trace\":{\"vantage_point\":{\"name\":";
  append_peer_string(out, header.program);
  append(out, ",\"type\":\"{}\"", role);
  if (header.network) append(out, ",\"flow\":\"{}\"", flow);
  out += "},";
  if (ietf) append(out, "\"event_schemas\":[\"{}\"],", kQlogEventSchema);
  out += "\"common_fields\":{\"group_id\":\"";
  append_hex(out, header.connection.bytes());
  const std::uint64_t zero = header.clock.unix_nanoseconds;
  if (ietf) {
    append(out,
           "\",\"time_format\":\"relative_to_epoch\",\"reference_time\":{{\"clock_type\":\"{}\",\"epoch\":"
           "\"{}\",\"wall_clock_time\":\"{}\"}}",
           header.network ? "system" : "monotonic", header.network ? utc_text(zero) : "unknown", utc_text(zero));
  } else {
    append(out, "\",\"ODCID\":\"");
    append_hex(out, header.connection.bytes());
    append(out, "\",\"protocol_type\":[\"MXP\"],\"time_format\":\"relative\",\"reference_time\":{}.{:03}",
           zero / 1'000'000, zero / 1000 % 1000);
  }
  out += "}}}\n";
}

void append_qlog_dropped(std::string& out, Duration time, std::uint64_t count) {
  // The flavours do not differ in this one.
  Record(out, QlogFlavour::ietf, time, {"events_dropped"}).number("count", count);
}

void append_qlog_event(std::string& out, QlogFlavour flavour, Duration time, const TraceEvent& event) {
  std::visit(Writer{out, flavour, time}, event);
}

void append_qlog_seen(std::string& out, QlogFlavour flavour, Duration time, const QlogSeenPacket& packet) {
  const bool sent = packet.way == QlogSeenPacket::Way::sent;
  Record it(out, flavour, time,
            sent ? Name{"packet_sent", "transport:packet_sent"} : Name{"packet_received", "transport:packet_received"});
  it.seen_packet(packet);
  if (sent && packet.frames) it.flag("ack_eliciting", packet.ack_eliciting);
  if (packet.repeats) it.flag("retransmission", true);
}

void append_qlog_peer_loss(std::string& out, QlogFlavour flavour, Duration time, const TracePacketLost& lost) {
  Record(out, flavour, time, {"peer_packet_lost"}).packet(lost.number, lost.size_bytes);
}

}  // namespace mxp
