#include "mxp-perf/result.h"

#include <fmt/format.h>

#include "common/blocked_times.h"
#include "common/counted.h"
#include "common/escape.h"
#include "common/units.h"
#include "mxp-perf/verdict/verdict.h"

namespace mxp::perf {

namespace {

std::string to_text(std::string_view name, const Percentiles& p) { return fmt::format("{:<9} {}\n", name, to_text(p)); }

// What the calls of a test are.
std::string noun_of_calls(const Result& result) {
  return result.handshakes_per_second ? "handshake" : result.streams_per_second ? "stream" : "call";
}

double calls_per_second(const Result& result) {
  return result.handshakes_per_second.value_or(
      result.streams_per_second.value_or(result.messages_per_second.value_or(0)));
}

// What one must know to read the latencies; empty if every call was made and answered in time.
std::string to_text(const CallCounts& calls, const std::string& noun, double per_second) {
  std::string text;
  if (calls.rate_kept && !*calls.rate_kept)
    text += fmt::format("rate      missed: {} {}s/s asked, {}/s reached\n", format_call_rate(*calls.asked_per_second),
                        noun, format_call_rate(per_second));
  if (calls.unanswered > 0)
    text += fmt::format("unanswered {} of {}, with the time waited in the figures\n", calls.unanswered,
                        tools::counted(calls.due, noun));
  if (calls.failed > 0)
    text += fmt::format("failed    {} of {}{}\n", calls.failed, tools::counted(calls.due, noun),
                        calls.first_failure.empty() ? "" : ", the first one: " + tools::escape(calls.first_failure));
  return text;
}

std::string to_text(const DatagramCounts& counts, double per_second) {
  std::string text = fmt::format("datagrams {} /s, {} of {} delivered ({:.2f}%)", format_call_rate(per_second),
                                 counts.delivered, counts.sent, 100 * counts.delivered_share());
  if (counts.overtaken) text += fmt::format(", {} overtaken", *counts.overtaken);
  if (counts.asked_per_second) text += fmt::format("; {} /s asked", format_call_rate(*counts.asked_per_second));
  if (counts.not_sent > 0) text += fmt::format("; {} not sent", counts.not_sent);
  return text + "\n";
}

// What MXP did of it: the share says who was faster.
std::string to_text(const TlsFigures& tls, const Result& result) {
  std::string text = "tls       ";
  const auto share = [](const std::optional<double>& ours, double theirs) {
    return ours && theirs > 0 ? fmt::format(": MXP has {:.2f} of it", *ours / theirs) : std::string();
  };
  if (tls.goodput_bits_per_second)
    text += tools::format_bit_rate(*tls.goodput_bits_per_second) +
            share(result.goodput_bits_per_second, *tls.goodput_bits_per_second);
  if (tls.messages_per_second)
    text += format_call_rate(*tls.messages_per_second) + " /s" +
            share(result.messages_per_second, *tls.messages_per_second);
  if (tls.handshakes_per_second)
    text += format_call_rate(*tls.handshakes_per_second) + " /s" +
            share(result.handshakes_per_second, *tls.handshakes_per_second);
  text += '\n';
  if (tls.latency_us) text += to_text("tls latency", *tls.latency_us);
  return text;
}

// What one must know to read the figures; empty if every message was sent in time, and delivered.
std::string to_text(const MessageCounts& counts, double per_second) {
  std::string text;
  if (counts.rate_kept && !*counts.rate_kept)
    text += fmt::format("rate      missed: {} messages/s asked, {}/s reached, {} not sent\n",
                        format_call_rate(*counts.asked_per_second), format_call_rate(per_second), *counts.not_sent);
  if (counts.expired > 0 || counts.unknown > 0)
    text += fmt::format("outcome   {} delivered, {} expired, {} unknown\n", counts.delivered, counts.expired,
                        counts.unknown);
  return text;
}

}  // namespace

bool keeps_rate(const DatagramCounts& counts, double seconds) {
  const auto delivered = static_cast<double>(counts.delivered);
  if (delivered * kRateTolerance < static_cast<double>(counts.sent + counts.not_sent)) return false;
  // What waits in a queue of the path comes after all, and late: so many arrivals have one distance less between them.
  // Of a single one there is no rate.
  if (counts.delivered < 2) return counts.delivered > 0;
  return (delivered - 1) * kRateTolerance >= *counts.asked_per_second * seconds;
}

std::string to_text(const Percentiles& p) {
  return fmt::format("p50 {:.1f} us, p90 {:.1f}, p99 {:.1f}, p99.9 {:.1f}, max {:.1f}", p.p50, p.p90, p.p99, p.p999,
                     p.max);
}

Percentiles percentiles_us(const HdrHistogram& histogram) {
  const auto us = [](std::uint64_t ns) { return static_cast<double>(ns) / 1000; };
  return {us(histogram.value_at(0.5)), us(histogram.value_at(0.9)), us(histogram.value_at(0.99)),
          us(histogram.value_at(0.999)), us(histogram.max())};
}

std::string format_call_rate(double per_second) {
  return per_second < 100 ? fmt::format("{:.3g}", per_second) : fmt::format("{:.0f}", per_second);
}

void TransportTotals::add(const ConnectionStats& stats) {
  ++connections;
  packets_sent += stats.packets_sent;
  packets_received += stats.packets_received;
  packets_lost += stats.packets_lost;
  bytes_sent += stats.bytes_sent;
  stream_bytes_retransmitted += stats.stream_bytes_retransmitted;
  messages_retransmitted += stats.messages_retransmitted;
  packets_spuriously_lost += stats.packets_spuriously_lost;
  probes_sent += stats.probes_sent;
  congestion_window += stats.congestion_window;
  datagram_bytes = std::max(datagram_bytes, stats.datagram_size);
  const auto add_times = [](TimeByReason& to, const TimeByReason& times) {
    for (std::size_t i = 0; i != kBlockedReasons; ++i) to[i] += times[i];
  };
  add_times(blocked, stats.blocked_time);
  for (std::size_t i = 0; i != kMessageClasses; ++i) add_times(blocked_of_class[i], stats.blocked_time_of_class[i]);
  handshake_sum_ += stats.handshake_time;
  handshake_time = handshake_sum_ / connections;
  if (!stats.has_rtt) return;
  min_rtt = with_rtt_ == 0 ? stats.min_rtt : std::min(min_rtt, stats.min_rtt);
  rtt_sum_ += stats.smoothed_rtt;
  smoothed_rtt = rtt_sum_ / ++with_rtt_;
}

std::string to_text(const Result& result) {
  std::string text =
      fmt::format("{} over {}", to_string(result.test), tools::counted(result.connections, "connection"));
  if (result.streams > 0) text += " x " + tools::counted(result.streams, "stream");
  text += fmt::format(", datagrams of up to {} bytes, {}\n", result.datagram_bytes, result.suite);
  if (result.goodput_bits_per_second)
    text += fmt::format("goodput   {} ({} in {:.2f} s)\n", tools::format_bit_rate(*result.goodput_bits_per_second),
                        tools::format_bytes(result.bytes), result.seconds);
  if (result.datagrams) text += to_text(*result.datagrams, result.messages_per_second.value_or(0));
  else if (result.messages_per_second)
    text += fmt::format("{:<9} {} /s\n", result.messages ? "messages" : "calls",
                        format_call_rate(*result.messages_per_second));
  if (result.handshakes_per_second)
    text += fmt::format("handshakes {} /s\n", format_call_rate(*result.handshakes_per_second));
  if (result.streams_per_second) text += fmt::format("streams   {} /s\n", format_call_rate(*result.streams_per_second));
  if (result.calls) text += to_text(*result.calls, noun_of_calls(result), calls_per_second(result));
  if (result.messages) text += to_text(*result.messages, result.messages_per_second.value_or(0));
  if (result.alone_latency_us) text += to_text("alone", *result.alone_latency_us);
  if (result.latency_us) text += to_text("latency", *result.latency_us);
  if (result.service_time_us) text += to_text("service", *result.service_time_us);
  if (result.one_way) {
    const Percentiles to_server = percentiles_us(result.one_way->to_server),
                      to_client = percentiles_us(result.one_way->to_client);
    text += fmt::format(
        "one way   to the server p50 {:.1f} us, p99 {:.1f}; back p50 {:.1f}, p99 {:.1f}; each within {:.1f}\n",
        to_server.p50, to_server.p99, to_client.p50, to_client.p99, result.one_way->error_bound_us);
  }
  if (result.sender_late_us) text += to_text("sender late", *result.sender_late_us);
  if (result.tls) text += to_text(*result.tls, result);
  if (result.client && result.server)
    text += fmt::format("cpu       client {:.2f} s, server {:.2f} s of {:.2f} s\n", result.client->cpu_seconds,
                        result.server->cpu_seconds, result.wall_seconds);
  text += fmt::format("transport {} sent, datagrams of {} bytes, {} lost, {} retransmitted, RTT {}\n",
                      tools::counted(result.transport.packets_sent, "packet"), result.transport.datagram_bytes,
                      result.transport.packets_lost, tools::format_bytes(result.transport.stream_bytes_retransmitted),
                      tools::format_duration(result.transport.smoothed_rtt));
  if (const std::string blocked = tools::describe_blocked(result.transport.blocked); !blocked.empty())
    text += fmt::format("blocked   {}\n", blocked);
  if (result.udp_bits_per_second && result.sealed_bits_per_second) {
    text += fmt::format("limits    raw UDP {}, sealed pipeline {}", tools::format_bit_rate(*result.udp_bits_per_second),
                        tools::format_bit_rate(*result.sealed_bits_per_second));
    if (result.goodput_bits_per_second && (result.test == Test::bulk || result.messages))
      text += fmt::format(": goodput is {:.2f} of the sealed pipeline",
                          *result.goodput_bits_per_second / *result.sealed_bits_per_second);
    text += '\n';
  }
  text += fmt::format("verdict   {}: {}\n", to_string(result.verdict), result.verdict_reason);
  if (result.noise.too_noisy()) text += fmt::format("noise     {}\n", result.noise.reason);
  return text;
}

}  // namespace mxp::perf
