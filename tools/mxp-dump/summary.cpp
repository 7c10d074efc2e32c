#include "mxp-dump/summary.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <iterator>
#include <nlohmann/json.hpp>

#include "mxp-dump/packet_writer.h"

namespace mxp::dump {
namespace {

// Our choices: enough for a median, for a screen, and for a message.
constexpr std::size_t kMaxHandshakes = 65536, kMaxDetails = 64, kMaxIds = 32;

double milliseconds(std::uint64_t ns) { return static_cast<double>(ns) / 1e6; }

std::string path_text(const Connection& connection) {
  if (connection.paths.empty()) return "?";
  const Path& path = connection.paths.front();
  std::string text = fmt::format("{} > {}", path.client.to_string(), path.server.to_string());
  if (connection.paths.size() > 1) text += fmt::format(" and {} more paths", connection.paths.size() - 1);
  return text;
}

std::string describe(const Connection& connection) {
  std::string text = fmt::format("  #{} {}\n", connection.number, path_text(connection));
  const auto out = std::back_inserter(text);
  fmt::format_to(out, "     ids: server {}, client {}", connection.server_id() ? hex(*connection.server_id()) : "?",
                 connection.client_id() ? hex(*connection.client_id()) : "?");
  if (connection.suite) fmt::format_to(out, "; suite {}", suite_word(*connection.suite));
  if (connection.initials == 0) {
    fmt::format_to(out, "; joined in its middle\n");
  } else if (const auto time = connection.handshake_ns()) {
    fmt::format_to(out, "; handshake {:.3f} ms", milliseconds(*time));
    if (connection.response_ns && *connection.response_ns >= *connection.first_initial_ns) {
      fmt::format_to(out, " (server's answer {:.3f} ms after message 1)",
                     milliseconds(*connection.response_ns - *connection.first_initial_ns));
    }
    text += '\n';
  } else {
    fmt::format_to(out, "; message 1 sent {} times and not answered\n", connection.initials);
  }
  for (const TrafficDirection flow : kFlows) {
    const Side& side = connection.side(flow);
    fmt::format_to(out, "     {}: {} packets, {} bytes, {} retransmitted",
                   flow == TrafficDirection::client_to_server ? "client to server" : "server to client", side.packets,
                   side.bytes, connection.retransmitted(flow));
    if (const auto lost = connection.lost(flow)) fmt::format_to(out, ", {} lost", *lost);
    if (side.no_key > 0) fmt::format_to(out, ", {} without a key", side.no_key);
    if (side.not_opened > 0) fmt::format_to(out, ", {} that the key does not fit", side.not_opened);
    text += '\n';
  }
  return text;
}

}  // namespace

void Summary::add(const Connection& connection) {
  ++connections_;
  for (const TrafficDirection flow : kFlows) add_side(connection, flow);
  if (connection.initials > 0 && !connection.response_seen) ++initials_unanswered_;
  if (const auto time = connection.handshake_ns(); time && handshakes_ns_.size() < kMaxHandshakes)
    handshakes_ns_.push_back(*time);
  if (details_.size() < kMaxDetails) details_.emplace(connection.number, describe(connection));
}

void Summary::add_side(const Connection& connection, TrafficDirection flow) {
  const Side& side = connection.side(flow);
  packets_ += side.packets;
  bytes_ += side.bytes;
  retransmitted_ += connection.retransmitted(flow);
  opened_ += side.opened;
  no_key_ += side.no_key;
  not_opened_ += side.not_opened;
  if (const auto lost = connection.lost(flow)) lost_ = lost_.value_or(0) + *lost;
  if (!side.destination) return;
  const std::string label = fmt::format(
      "MXP_{}_TRAFFIC_SECRET_0 {}", flow == TrafficDirection::client_to_server ? "C2S" : "S2C", hex(*side.destination));
  if (side.no_key > 0 && side.opened == 0 && missing_ids_.size() < kMaxIds) missing_ids_.push_back(label);
  if (side.not_opened > 0 && side.opened == 0 && misfit_ids_.size() < kMaxIds) misfit_ids_.push_back(label);
}

std::optional<double> Summary::handshake_ms() const {
  if (handshakes_ns_.empty()) return std::nullopt;
  std::vector<std::uint64_t> sorted = handshakes_ns_;
  const auto middle = sorted.begin() + static_cast<std::ptrdiff_t>((sorted.size() - 1) / 2);
  std::nth_element(sorted.begin(), middle, sorted.end());
  return milliseconds(*middle);
}

nlohmann::json Summary::to_json(const CaptureCounts& counts, std::uint64_t forgotten) const {
  nlohmann::json json{{"connections", connections_},     {"packets", packets_},     {"bytes", bytes_},
                      {"retransmitted", retransmitted_}, {"frames", counts.frames}, {"other_udp", counts.other_udp}};
  if (lost_) json["lost"] = *lost_;
  if (const auto time = handshake_ms()) json["handshake_ms"] = *time;
  if (packets_ > 0) json["decrypted"] = opened_;
  if (initials_unanswered_ > 0) json["unanswered"] = initials_unanswered_;
  if (no_key_ > 0) json["without_key"] = no_key_;
  if (not_opened_ > 0) json["key_misfit"] = not_opened_;
  if (!missing_ids_.empty()) json["missing_keys"] = missing_ids_;
  if (counts.later_fragments > 0) json["fragments"] = counts.later_fragments;
  if (counts.malformed > 0) json["malformed"] = counts.malformed;
  if (counts.unknown_link_type > 0) json["unknown_link_type"] = counts.unknown_link_type;
  if (forgotten > 0) json["evicted_connections"] = forgotten;
  return json;
}

std::string Summary::to_text(const CaptureCounts& counts, std::uint64_t forgotten) const {
  std::string text;
  const auto out = std::back_inserter(text);
  const auto row = [&](std::string_view name, const auto& value) { fmt::format_to(out, "{:<15}{}\n", name, value); };
  row("connections", connections_);
  row("packets", packets_);
  row("bytes", bytes_);
  if (lost_) row("lost", *lost_);
  else if (packets_ > 0) row("lost", "unknown without keys");
  row("retransmitted", retransmitted_);
  if (const auto time = handshake_ms())
    row("handshake", fmt::format("{:.3f} ms{}", *time, connections_ > 1 ? " (median)" : ""));
  if (initials_unanswered_ > 0) row("unanswered", fmt::format("{} handshakes", initials_unanswered_));
  row("capture", fmt::format("{} frames, {} UDP datagrams that are not MXP", counts.frames, counts.other_udp));
  if (counts.later_fragments > 0)
    row("fragments", fmt::format("{} IP fragments, whose datagrams are not put together", counts.later_fragments));
  if (counts.malformed > 0)
    row("malformed", fmt::format("{} frames with headers that are cut off or contradict themselves", counts.malformed));
  if (counts.unknown_link_type > 0)
    row("not read", fmt::format("{} frames of an unknown link type", counts.unknown_link_type));
  for (const auto& [number, lines] : details_) text += lines;
  if (connections_ > details_.size())
    fmt::format_to(out, "  and {} more connections\n", connections_ - details_.size());
  if (forgotten > 0)
    fmt::format_to(out, "  {} connections were forgotten to bound memory: what came of them later counts as new ones\n",
                   forgotten);
  return text;
}

std::vector<std::string> Summary::key_notes() const {
  std::vector<std::string> notes;
  if (!missing_ids_.empty())
    notes.push_back(fmt::format("{} packets are shown without their frames; missing in the key log: {}{}", no_key_,
                                fmt::join(missing_ids_, ", "), missing_ids_.size() == kMaxIds ? ", …" : ""));
  if (!misfit_ids_.empty())
    notes.push_back(fmt::format("the secrets of these ids fit no packet (a key log of another run?): {}",
                                fmt::join(misfit_ids_, ", ")));
  return notes;
}

}  // namespace mxp::dump
