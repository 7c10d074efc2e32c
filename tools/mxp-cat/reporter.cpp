#include "mxp-cat/reporter.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "common/blocked_times.h"
#include "common/digest.h"
#include "common/units.h"

namespace mxp::tools {
namespace {

// Our choice: of a connection with very many streams, the first tell enough.
constexpr std::size_t kMostStreams = 100;

double seconds(Duration span) { return std::chrono::duration<double>(span).count(); }

std::string_view side_word(Side side) { return side == Side::local ? "local" : "peer"; }

std::string_view by_word(CloseInfo::By by) {
  switch (by) {
    case CloseInfo::By::local: return "local";
    case CloseInfo::By::peer: return "peer";
    case CloseInfo::By::timeout: return "timeout";
    case CloseInfo::By::network: return "network";
  }
  return "local";
}

// "datagrams: 100 sent (97 acknowledged, 3 lost), 5 received"
std::string describe_datagrams(const DatagramStats& stats) {
  std::string text =
      fmt::format("datagrams: {} sent ({} acknowledged, {} lost", stats.sent, stats.delivered, stats.lost);
  if (const auto unknown = stats.sent - stats.delivered - stats.lost) text += fmt::format(", {} unknown", unknown);
  text += fmt::format("), {} received", stats.received);
  if (stats.too_large > 0) text += fmt::format(", {} not sent, because the path came to carry less", stats.too_large);
  if (stats.queued > 0) text += fmt::format(", {} not sent", stats.queued);
  return text;
}

nlohmann::json stream_json(StreamId id, const StreamStats& stats) {
  return {{"stream", id.value()},
          {"seconds", seconds(stats.open_time)},
          {"bytes_sent", stats.bytes_sent},
          {"blocked_ms", blocked_ms(stats.blocked_time)}};
}

double bit_rate(std::uint64_t bytes, Duration span) {
  return span.count() > 0 ? static_cast<double>(bytes) * 8 / seconds(span) : 0;
}

}  // namespace

void Reporter::start(std::function<Timestamp()> clock) {
  clock_ = std::move(clock);
  start_ = clock_();
}

nlohmann::json Reporter::event(std::string_view name, const Connection& connection) const {
  return {{"event", name}, {"time", seconds(clock_() - start_)}, {"connection", to_hex(connection.local_id().bytes())}};
}

void Reporter::write(const nlohmann::json& value) {
  // A log that cannot be written must not end the transfer that it tells of; the output fails once only, and main makes
  // it the result of a run that went well otherwise.
  if (auto written = json_.write_line(value); !written) output_.warning(written.error().message);
}

void Reporter::connected(const Connection& connection) {
  ++connections_;
  live_[&connection] = {clock_(), {}};
  const ConnectionStats stats = connection.stats();
  output_.verbose(fmt::format("connected to {}, key {}, suite {}, handshake {}",
                              connection.remote_address().to_string(), connection.peer_key().to_string(),
                              to_string(connection.suite()), format_duration(stats.handshake_time)));
  if (!json_) return;
  nlohmann::json value = event("connected", connection);
  value["remote"] = connection.remote_address().to_string();
  value["peer_key"] = connection.peer_key().to_string();
  value["suite"] = to_string(connection.suite());
  value["handshake_ms"] = seconds(stats.handshake_time) * 1e3;
  write(value);
}

void Reporter::stream_opened(const Connection& connection, StreamId id, Side by) {
  output_.debug(fmt::format("stream {} opened ({})", id.value(), side_word(by)));
  if (!json_) return;
  nlohmann::json value = event("stream_opened", connection);
  value["stream"] = id.value();
  value["by"] = side_word(by);
  write(value);
}

void Reporter::fin(const Connection& connection, StreamId id, Side by) {
  output_.debug(fmt::format("stream {} ended ({})", id.value(), side_word(by)));
  if (!json_) return;
  nlohmann::json value = event("fin", connection);
  value["stream"] = id.value();
  value["by"] = side_word(by);
  write(value);
}

void Reporter::reset(const Connection& connection, StreamId id, Side by, AppErrorCode code) {
  output_.debug(fmt::format("stream {} reset ({}), code {}", id.value(), side_word(by), code));
  if (!json_) return;
  nlohmann::json value = event("reset", connection);
  value["stream"] = id.value();
  value["by"] = side_word(by);
  value["code"] = code;
  write(value);
}

void Reporter::stream_sent(const Connection& connection, StreamId id) {
  const auto live = live_.find(&connection);
  if (!json_ || live == live_.end() || live->second.sent.size() == kMostStreams) return;
  if (const auto stats = connection.stream_stats(id)) live->second.sent.emplace_back(id, *stats);
}

void Reporter::file(const Connection& connection, Side sender, std::string_view name, std::uint64_t size,
                    std::string_view sha256) {
  output_.verbose(fmt::format("{} {} ({})", sender == Side::local ? "sent" : "received", name, format_bytes(size)));
  if (!json_) return;
  nlohmann::json value = event("file", connection);
  value["by"] = side_word(sender);
  value["name"] = name;
  value["bytes"] = size;
  value["sha256"] = sha256;
  write(value);
}

void Reporter::closed(const Connection& connection, const CloseInfo& info) {
  const ConnectionStats stats = connection.stats();
  const auto live = live_.extract(&connection);
  const Duration span = live.empty() ? Duration::zero() : clock_() - live.mapped().since;
  bytes_sent_ += stats.stream_bytes_sent;
  bytes_received_ += stats.stream_bytes_delivered;
  if (!info.before_established) {
    output_.summary(fmt::format(
        "sent {}, received {} in {} ({}), RTT {}, {} of {} packets lost, {} sent again",
        format_bytes(stats.stream_bytes_sent), format_bytes(stats.stream_bytes_delivered), format_duration(span),
        format_bit_rate(bit_rate(std::max(stats.stream_bytes_sent, stats.stream_bytes_delivered), span)),
        stats.has_rtt ? format_duration(stats.smoothed_rtt) : "not measured", stats.packets_lost, stats.packets_sent,
        format_bytes(stats.stream_bytes_retransmitted)));
  }
  if (!info.before_established) output_.verbose("blocked by: " + describe_blocked(stats.blocked_time));
  const DatagramStats& datagrams = stats.datagrams;
  const bool had_datagrams = datagrams.sent + datagrams.received + datagrams.too_large + datagrams.queued > 0;
  if (had_datagrams) output_.summary(describe_datagrams(datagrams));
  if (!json_) return;
  nlohmann::json value = event("closed", connection);
  value["by"] = by_word(info.by);
  value["application"] = info.application;
  value["code"] = info.code;
  if (!info.reason.empty()) value["reason"] = info.reason;
  write(value);
  if (info.before_established) return;
  value = event("stats", connection);
  value["seconds"] = seconds(span);
  value["bytes_sent"] = stats.stream_bytes_sent;
  value["bytes_received"] = stats.stream_bytes_delivered;
  value["bytes_retransmitted"] = stats.stream_bytes_retransmitted;
  value["packets_sent"] = stats.packets_sent;
  value["packets_received"] = stats.packets_received;
  value["packets_lost"] = stats.packets_lost;
  if (had_datagrams) {
    value["datagrams_sent"] = datagrams.sent;
    value["datagrams_acknowledged"] = datagrams.delivered;
    value["datagrams_lost"] = datagrams.lost;
    value["datagrams_not_sent"] = datagrams.too_large + datagrams.queued;
    value["datagrams_received"] = datagrams.received;
  }
  value["blocked_ms"] = blocked_ms(stats.blocked_time);
  if (!live.empty())
    for (const auto& [id, sent] : live.mapped().sent) value["streams"].push_back(stream_json(id, sent));
  if (auto by_class = blocked_ms_by_class(stats.blocked_time_of_class); !by_class.empty())
    value["blocked_ms_by_class"] = std::move(by_class);
  if (stats.has_rtt) value["rtt_ms"] = seconds(stats.smoothed_rtt) * 1e3;
  if (stats.has_rtt) value["min_rtt_ms"] = seconds(stats.min_rtt) * 1e3;
  write(value);
}

void Reporter::total(const Result<void>& result) {
  if (connections_ == 1) return;  // its own summary has said it all
  if (connections_ == 0) {
    const bool failed = !result && result.error().kind != ErrorKind::interrupted;  // the error says it all
    if (!failed) output_.summary(fmt::format("no connection in {}", format_duration(clock_() - start_)));
    return;
  }
  output_.summary(fmt::format("{} connections, sent {}, received {} in {}", connections_, format_bytes(bytes_sent_),
                              format_bytes(bytes_received_), format_duration(clock_() - start_)));
}

}  // namespace mxp::tools
