// join: the report of a comparison, as text and as JSON.
#include <fmt/format.h>

#include <cmath>
#include <nlohmann/json.hpp>

#include "common/counted.h"
#include "common/json_output.h"
#include "mxp-dump/dissect/key_log_choice.h"
#include "mxp-dump/files/commands.h"
#include "mxp-dump/join/comparison.h"
#include "mxp-dump/output/packet_writer.h"

namespace mxp::dump {
namespace {

using tools::counted;
using tools::ErrorKind;
using tools::ExitCode;
using tools::Result;

constexpr std::size_t kShownLost = 20, kListedLost = 100'000;

double milliseconds_of(double ns) { return std::round(ns) / 1e6; }

double quantile(const std::vector<double>& sorted, double part) {
  return sorted[static_cast<std::size_t>(part * static_cast<double>(sorted.size() - 1))];
}

nlohmann::json way_json(const WayReport& way) {
  nlohmann::json lost = nlohmann::json::array();
  for (const LostPacket& packet : way.lost) {
    if (lost.size() == kListedLost) break;
    nlohmann::json one{{"frame", packet.frame}};
    if (packet.number >= 0) one["packet_number"] = packet.number;
    lost.push_back(std::move(one));
  }
  nlohmann::json json{{"sent", way.sent},
                      {"arrived", way.arrived},
                      {"lost", way.lost.size()},
                      {"lost_packets", lost},
                      {"not_captured_at_receiver", way.not_captured_at_receiver},
                      {"not_captured_at_sender", way.not_captured_at_sender},
                      {"outside", way.outside},
                      {"duplicated", way.duplicated},
                      {"reordered", way.reordered}};
  if (!way.delays_ns.empty()) {
    json["delay_ms"] = {{"min", milliseconds_of(way.delays_ns.front())},
                        {"p50", milliseconds_of(quantile(way.delays_ns, 0.5))},
                        {"p99", milliseconds_of(quantile(way.delays_ns, 0.99))},
                        {"max", milliseconds_of(way.delays_ns.back())}};
  }
  return json;
}

nlohmann::json clocks_json(const ClockFit::Clocks& clocks) {
  nlohmann::json json{{"consistent", clocks.consistent},
                      {"offset_ms", milliseconds_of(static_cast<double>(clocks.base_ns) + clocks.offset_ns)}};
  if (clocks.consistent) json["error_ms"] = milliseconds_of(clocks.error_ns);
  if (clocks.drift_error) {
    json["drift_ppm"] = clocks.drift * 1e6;
    if (clocks.consistent) json["drift_error_ppm"] = *clocks.drift_error * 1e6;
  }
  return json;
}

std::string clocks_text(const ClockFit::Clocks& clocks) {
  const double offset = milliseconds_of(static_cast<double>(clocks.base_ns) + clocks.offset_ns);
  std::string text = fmt::format("clocks           the server's is {:.3f} ms {} the client's", std::abs(offset),
                                 offset < 0 ? "behind" : "ahead of");
  if (!clocks.consistent)
    return text + "; no steady relation fits, so that a clock was set: delays are not to be relied on\n";
  fmt::format_to(std::back_inserter(text), ", ±{:.3f} ms (half of the least round trip)",
                 milliseconds_of(clocks.error_ns));
  if (clocks.drift_error)
    fmt::format_to(std::back_inserter(text), "; drift {:+.2f} ppm, ±{:.2f}", clocks.drift * 1e6,
                   *clocks.drift_error * 1e6);
  else text += "; too short to see a drift";
  return text + "\n";
}

void add_way(std::string& text, std::string_view name, std::string_view sender, const WayReport& way) {
  const auto out = std::back_inserter(text);
  fmt::format_to(out, "{:<17}{} sent, {} arrived, {} lost between the captures", name, way.sent, way.arrived,
                 way.lost.size());
  if (way.sent > 0)
    fmt::format_to(out, " ({:.2f}%)", 100.0 * static_cast<double>(way.lost.size()) / static_cast<double>(way.sent));
  const auto add = [&](std::uint64_t count, std::string_view what) {
    if (count > 0) fmt::format_to(out, ", {} {}", count, what);
  };
  add(way.duplicated, "doubled on the way");
  add(way.reordered, "out of order");
  add(way.not_captured_at_receiver, "arrived but missed by the receiver's capture");
  add(way.not_captured_at_sender, "missed by the sender's capture");
  add(way.outside, "outside of the other capture's time");
  text += '\n';
  if (!way.delays_ns.empty())
    fmt::format_to(out, "  one-way delay  min {:.3f} ms, median {:.3f} ms, 99% {:.3f} ms, max {:.3f} ms\n",
                   milliseconds_of(way.delays_ns.front()), milliseconds_of(quantile(way.delays_ns, 0.5)),
                   milliseconds_of(quantile(way.delays_ns, 0.99)), milliseconds_of(way.delays_ns.back()));
  if (way.lost.empty()) return;
  fmt::format_to(out, "  lost           frames of the {}'s capture:", sender);
  for (std::size_t i = 0; i < std::min(way.lost.size(), kShownLost); ++i) {
    fmt::format_to(out, " {}", way.lost[i].frame);
    if (way.lost[i].number >= 0) fmt::format_to(out, " (#{})", way.lost[i].number);
  }
  if (way.lost.size() > kShownLost) fmt::format_to(out, " and {} more", way.lost.size() - kShownLost);
  text += '\n';
}

struct Joined {
  Sightings client, server;
  Comparison comparison;
};

nlohmann::json joined_json(const Joined& joined) {
  nlohmann::json connections = nlohmann::json::array();
  for (std::size_t i = 0; i < joined.client.connections.size(); ++i) {
    const auto other = joined.comparison.server_connection[i];
    if (!other) continue;
    const auto &at_client = joined.client.connections[i], &at_server = joined.server.connections[*other];
    connections.push_back({{"client_capture", {{"client", at_client.client}, {"server", at_client.server}}},
                           {"server_capture", {{"client", at_server.client}, {"server", at_server.server}}}});
  }
  nlohmann::json json{{"connections", connections},
                      {"client_to_server", way_json(joined.comparison.ways[0])},
                      {"server_to_client", way_json(joined.comparison.ways[1])}};
  if (joined.comparison.clocks) json["clocks"] = clocks_json(*joined.comparison.clocks);
  const std::uint64_t left = joined.client.not_kept + joined.server.not_kept;
  if (left > 0) json["not_looked_at"] = left;
  return json;
}

std::string joined_text(const Joined& joined) {
  std::string text;
  const auto out = std::back_inserter(text);
  for (std::size_t i = 0; i < joined.client.connections.size(); ++i) {
    const auto other = joined.comparison.server_connection[i];
    if (!other) continue;
    const auto &at_client = joined.client.connections[i], &at_server = joined.server.connections[*other];
    fmt::format_to(out, "connection       {} > {}", at_client.client, at_client.server);
    if (at_client.client != at_server.client || at_client.server != at_server.server)
      fmt::format_to(out, ", at the server {} > {}", at_server.client, at_server.server);
    text += '\n';
  }
  if (joined.comparison.clocks) text += clocks_text(*joined.comparison.clocks);
  else text += "clocks           unknown: packets of both directions are needed\n";
  add_way(text, "client to server", "client", joined.comparison.ways[0]);
  add_way(text, "server to client", "server", joined.comparison.ways[1]);
  return text;
}

}  // namespace

Result<ExitCode> join(const FileCommandOptions& options, tools::Output& output) {
  tools::SignalWatch signals;
  KeyRing keys;
  if (auto loaded = load_key_log(keys, options.key_log, output); !loaded) return std::unexpected(loaded.error());
  auto json = tools::JsonOutput::open(options.json, tools::StdoutUse::free, options.arguments);
  if (!json) return std::unexpected(json.error());
  FilePass client_file(options.inputs[0], signals), server_file(options.inputs[1], signals);
  auto client = collect_sightings(client_file, keys, options.port);
  if (!client) return std::unexpected(client.error());
  auto server = collect_sightings(server_file, keys, options.port);
  if (!server) return std::unexpected(server.error());
  warn_of_embedded(keys, output);
  Joined joined{std::move(*client), std::move(*server), {}};
  joined.comparison = compare(joined.client, joined.server);
  const std::uint64_t shared = joined.comparison.ways[0].arrived + joined.comparison.ways[1].arrived;
  if (shared == 0) {
    output.note(fmt::format("the captures share no packet of MXP ({} in {}, {} in {})",
                            counted(joined.client.packets.size(), "packet"), options.inputs[0],
                            joined.server.packets.size(), options.inputs[1]));
  }
  if (const std::uint64_t left = joined.client.not_kept + joined.server.not_kept; left > 0)
    output.warning(fmt::format("{} not looked at: {} of a capture are joined at most",
                               counted(left, "packet was", "packets were"), kMaxSightings));
  if (options.json != "-" && shared > 0) {
    StdoutBuffer out;
    out.append(joined_text(joined));
    out.flush();
    if (out.failure()) return std::unexpected(*out.failure());
  }
  nlohmann::json result = joined_json(joined);
  const auto& damage = client_file.damage() ? client_file.damage() : server_file.damage();
  if (damage) result.update(tools::to_json(*damage));
  if (auto written = json->write_line(result); !written) return std::unexpected(written.error());
  if (damage) {
    tools::print_error("mxp-dump", *damage);
    return damage->exit_code();
  }
  return shared == 0 && options.exit_nomatch ? ExitCode::nomatch : ExitCode::ok;
}

}  // namespace mxp::dump
