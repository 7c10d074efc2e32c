#include "mxp/recent_events.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <iterator>
#include <limits>

#include "trace/json_text.h"

namespace mxp {

namespace {

// The place of an event in TraceEvent.
template <typename Event, std::size_t Place = 0>
constexpr std::uint8_t kind_of() {
  if constexpr (std::is_same_v<std::variant_alternative_t<Place, TraceEvent>, Event>) return Place;
  else return kind_of<Event, Place + 1>();
}

std::uint32_t fit(std::uint64_t value) {
  return static_cast<std::uint32_t>(std::min<std::uint64_t>(value, std::numeric_limits<std::uint32_t>::max()));
}
std::uint64_t nanoseconds(Duration span) { return static_cast<std::uint64_t>(span.count()); }
double milliseconds(std::uint64_t span_ns) { return static_cast<double>(span_ns) / 1e6; }

bool is_failure(const TraceClosed& closed) {
  return !closed.application && closed.code != static_cast<std::uint64_t>(TransportErrorCode::no_error);
}

}  // namespace

// Fills in the numbers of a record.
struct RecentEvents::Pack {
  Record& it;
  void operator()(const TracePacketSent& event) const {
    it.large = event.number.value();
    it.number = fit(event.size_bytes);
    it.small = static_cast<std::uint8_t>((event.ack_eliciting ? 1 : 0) | (event.probe ? 2 : 0));
  }
  void operator()(const TracePacketReceived& event) const {
    it.large = event.number.value();
    it.number = fit(event.size_bytes);
  }
  void operator()(const TracePacketLost& event) const {
    it.large = event.number.value();
    it.number = fit(event.size_bytes);
    it.small = static_cast<std::uint8_t>(event.reason);
  }
  void operator()(const TracePacketDropped& event) const {
    it.number = fit(event.size_bytes);
    it.small = static_cast<std::uint8_t>(event.reason);
  }
  void operator()(const TraceHandshakeSent& event) const {
    it.number = event.message;
    it.small = event.retransmission ? 1 : 0;
  }
  void operator()(const TraceSecrets& event) const { it.number = event.phase; }  // the secrets are not kept
  void operator()(const TraceKeyUpdated& event) const {
    it.number = event.phase;
    it.small = static_cast<std::uint8_t>(event.side);
  }
  void operator()(const TraceEstablished& event) const { it.large = nanoseconds(event.handshake_time); }
  void operator()(const TraceBlocked& event) const { it.small = static_cast<std::uint8_t>(event.reason); }
  void operator()(const TraceClassBlocked& event) const {
    it.small = static_cast<std::uint8_t>(event.reason);
    it.medium = static_cast<std::uint16_t>(event.traffic_class);
  }
  void operator()(const TraceStreamEnded& event) const {
    it.large = event.stream.value();
    it.number = fit(event.stats.bytes_sent);
  }
  void operator()(const TraceCongestion& event) const {
    it.number = fit(event.window_bytes);
    it.large = nanoseconds(event.smoothed_rtt);
  }
  void operator()(const TraceClosed& event) const {
    it.small = static_cast<std::uint8_t>(event.by);
    it.medium = event.application ? 1 : 0;
    it.large = event.code;
  }
  void operator()(const TraceDatagramSize& event) const { it.number = fit(event.size_bytes); }
  void operator()(const TraceEcn& event) const { it.small = static_cast<std::uint8_t>(event.state); }
  void operator()(const TracePathChanged& event) const { it.number = event.remote.port; }
  void operator()(const TraceForwardDelay& event) const { it.large = nanoseconds(event.queue); }
  void operator()(const TraceDatagrams& event) const {
    it.large = event.lost;
    it.number = fit(event.expired + event.dropped + event.too_large);
  }
  void operator()(const TraceDrain& event) const {
    it.small = static_cast<std::uint8_t>(event.side);
    it.medium = static_cast<std::uint16_t>(event.stage);
  }
  void operator()(const TraceScheduled&) const {}
  void operator()(const TraceHeldBack&) const {}
  void operator()(const TraceMessagesExpired&) const {}
  void operator()(const TraceTailRepair&) const {}
  void operator()(const TraceStarted& event) const {
    it.small = static_cast<std::uint8_t>(event.role);
    it.number = event.remote.port;
  }
  void operator()(const TraceIdChanged& event) const { it.large = event.former.key(); }
  void operator()(const TraceParameters& event) const { it.small = static_cast<std::uint8_t>(event.side); }
  void operator()(const TraceForgotten&) const {}
  void operator()(const TraceAdmission& event) const {
    it.small = event.accepted ? 1 : 0;
    it.large = static_cast<std::uint64_t>(event.refusal);
  }
  void operator()(const TraceStreamsOpened& event) const {
    it.small = event.by_peer ? 1 : 0;
    it.number = fit(event.count);
    it.large = event.stream.value();
  }
  void operator()(const TraceDatagram&) const {}
};

RecentEvents::RecentEvents(std::size_t records)
    : ring_(std::bit_ceil(std::max<std::size_t>(records, 1))), mask_(ring_.size() - 1) {}

void RecentEvents::on(Timestamp now, ConnectionId connection, const TraceEvent& event) {
  if (is_decision(event) || std::holds_alternative<TraceDatagram>(event)) return;
  Record& record = ring_[total_++ & mask_];
  record = {now.time_since_epoch().count(), connection, static_cast<std::uint8_t>(event.index()), 0, 0, 0, 0};
  std::visit(Pack{record}, event);
  if (const auto* closed = std::get_if<TraceClosed>(&event); closed != nullptr && is_failure(*closed) && on_failure)
    on_failure(connection, *closed);
}

std::string RecentEvents::text(std::optional<ConnectionId> connection, std::size_t most) const {
  std::vector<const Record*> chosen;  // the newest first
  const std::uint64_t kept = std::min<std::uint64_t>(total_, ring_.size());
  for (std::uint64_t back = 1; back <= kept && chosen.size() < most; ++back) {
    const Record& record = ring_[(total_ - back) & mask_];
    if (!connection || record.connection == *connection) chosen.push_back(&record);
  }
  std::string out;
  for (auto at = chosen.rbegin(); at != chosen.rend(); ++at) append_line(out, **at, chosen.front()->time_ns);
  return out;
}

void RecentEvents::append_line(std::string& out, const Record& record, std::int64_t newest_ns) {
  const auto add = [&out](auto format, const auto&... arguments) {
    fmt::format_to(std::back_inserter(out), fmt::runtime(format), arguments...);
  };
  add("{:+.6f}s ", static_cast<double>(record.time_ns - newest_ns) / 1e9);
  if (record.connection == ConnectionId()) out += "-               ";
  else trace_json::append_hex(out, record.connection.bytes());
  out += ' ';
  const auto reason = to_string(static_cast<BlockedBy>(record.small));
  switch (record.kind) {
    case kind_of<TracePacketSent>():
      add("sent packet {}, {} bytes{}{}", record.large, record.number,
          (record.small & 1) != 0 ? "" : ", not to be acked", (record.small & 2) != 0 ? ", a probe" : "");
      break;
    case kind_of<TracePacketReceived>(): add("received packet {}, {} bytes", record.large, record.number); break;
    case kind_of<TracePacketLost>():
      add("lost packet {}, {} bytes, by {}", record.large, record.number,
          record.small == static_cast<std::uint8_t>(LossReason::time) ? "time" : "reordering");
      break;
    case kind_of<TracePacketDropped>():
      add("dropped {} bytes: {}", record.number, to_string(static_cast<DropReason>(record.small)));
      break;
    case kind_of<TraceHandshakeSent>():
      add("sent handshake message {}{}", record.number, record.small != 0 ? " again" : "");
      break;
    case kind_of<TraceSecrets>(): add("keys of phase {}", record.number); break;
    case kind_of<TraceKeyUpdated>():
      add("{} keys turned to phase {}", record.small == 0 ? "sending" : "receiving", record.number);
      break;
    case kind_of<TraceEstablished>(): add("established after {:.3f}ms", milliseconds(record.large)); break;
    case kind_of<TraceBlocked>(): add("held by {}", reason); break;
    case kind_of<TraceClassBlocked>(): add("class {} held by {}", record.medium, reason); break;
    case kind_of<TraceStreamEnded>(): add("stream {} ended, {} bytes sent", record.large, record.number); break;
    case kind_of<TraceCongestion>():
      add("window {} bytes, round trip {:.3f}ms", record.number, milliseconds(record.large));
      break;
    case kind_of<TraceClosed>(): {
      constexpr std::array<std::string_view, 4> kBy = {"us", "the peer", "a timeout", "the network"};
      if (record.medium != 0) add("closed by {}, application code {}", kBy[record.small], record.large);
      else add("closed by {}: {}", kBy[record.small], to_string(static_cast<TransportErrorCode>(record.large)));
      break;
    }
    case kind_of<TraceDatagramSize>(): add("full datagrams have {} bytes", record.number); break;
    case kind_of<TraceEcn>(): add("ECN {}", to_string(static_cast<EcnState>(record.small))); break;
    case kind_of<TracePathChanged>(): add("path changed, remote port {}", record.number); break;
    case kind_of<TraceForwardDelay>(): add("queue on the way to the peer {:.3f}ms", milliseconds(record.large)); break;
    case kind_of<TraceDatagrams>(): add("{} datagrams lost, {} not sent", record.large, record.number); break;
    case kind_of<TraceDrain>():
      add("drain of {}: {}", record.small == 0 ? "this side" : "the peer",
          to_string(static_cast<DrainStage>(record.medium)));
      break;
    case kind_of<TraceStarted>():
      add("started as {}, remote port {}", record.small == 0 ? "client" : "server", record.number);
      break;
    case kind_of<TraceIdChanged>(): out += "has this id from now on"; break;
    case kind_of<TraceParameters>(): add("parameters of {}", record.small == 0 ? "this side" : "the peer"); break;
    case kind_of<TraceForgotten>(): out += "forgotten"; break;
    case kind_of<TraceAdmission>():
      if (record.small != 0) out += "client accepted";
      else add("client refused: {}", to_string(static_cast<TransportErrorCode>(record.large)));
      break;
    case kind_of<TraceStreamsOpened>():
      if (record.small != 0) add("the peer opened {} streams", record.number);
      else add("stream {} opened", record.large);
      break;
    default: out += "?"; break;
  }
  out += '\n';
}

}  // namespace mxp
