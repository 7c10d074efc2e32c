#include "mxp-dump/output/summary.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <iterator>
#include <nlohmann/json.hpp>

#include "common/counted.h"
#include "mxp-dump/capture/time_order.h"
#include "mxp-dump/dissect/words.h"

namespace mxp::dump {
namespace {

// Our choices: enough for a median, for a screen, and for a message.
constexpr std::size_t kMaxHandshakes = 65536, kMaxDetails = 64, kMaxIds = 32;

double milliseconds(std::uint64_t ns) { return static_cast<double>(ns) / 1e6; }

using tools::counted;

std::string path_text(const Connection& connection) {
  if (connection.paths.empty()) return "?";
  const Path& path = connection.paths.front();
  std::string text = fmt::format("{} > {}", path.client.to_string(), path.server.to_string());
  const std::size_t others = connection.paths.size() - 1;
  if (connection.paths_forgotten) text += fmt::format(" and more than {} other paths", others);
  else if (others > 0) text += fmt::format(" and {}", counted(others, "more path"));
  return text;
}

std::string describe_handshake(const Connection& connection) {
  if (connection.initials == 0 && connection.responses == 0) return "; joined in its middle";
  if (connection.initials == 0) return "; message 1 was not captured";
  if (connection.unanswered())
    return fmt::format("; message 1 sent {}, no answer in the capture", counted(connection.initials, "time"));
  std::string text;
  const auto out = std::back_inserter(text);
  if (const auto time = connection.handshake_ns()) fmt::format_to(out, "; handshake {:.3f} ms", milliseconds(*time));
  else if (connection.responses == 0) text += "; message 2 was not captured";
  if (const auto time = connection.confirmation_ns())
    fmt::format_to(out, "; confirmed by the client {:.3f} ms after message 1", milliseconds(*time));
  if (connection.not_verifying > 0)
    text += "; " + counted(connection.not_verifying, "message 2 that does not verify", "messages 2 that do not verify");
  return text;
}

std::string describe_side(const Connection& connection, TrafficDirection direction) {
  const Side& side = connection.side(direction);
  std::string text = fmt::format(
      "     {}: ", direction == TrafficDirection::client_to_server ? "client to server" : "server to client");
  const auto out = std::back_inserter(text);
  if (side.packets == 0) return text += "nothing was captured\n";
  fmt::format_to(out, "{}, {}", counted(side.packets, "packet"), counted(side.bytes, "byte"));
  const auto add = [&](std::uint64_t count, std::string_view what) {
    if (count > 0) fmt::format_to(out, ", {} {}", count, what);
  };
  const auto add_counted = [&](std::uint64_t count, std::string_view one, std::string_view several) {
    if (count > 0) text += ", " + counted(count, one, several);
  };
  if (const auto count = connection.retransmitted(direction)) fmt::format_to(out, ", {} retransmitted", *count);
  else
    add_counted(connection.handshake_repeats(direction), "handshake message repeated", "handshake messages repeated");
  if (const auto fates = connection.fates(direction)) {
    if (fates->lost) fmt::format_to(out, ", {} lost", *fates->lost);
    add(fates->not_captured, "not captured");
    add_counted(fates->unknown, "number of unknown fate", "numbers of unknown fate");
  }
  add_counted(side.duplicates, "duplicate", "duplicates");
  add(side.damaged + side.not_verified(), "damaged or forged");
  add(side.cut, "cut by the snap length");
  add(side.no_key, "without a key");
  if (side.opened == 0) add(side.not_opened, "that the key does not fit");
  return text += '\n';
}

std::string describe(const Connection& connection) {
  std::string text = fmt::format("  #{} {}\n", connection.number, path_text(connection));
  const auto out = std::back_inserter(text);
  fmt::format_to(out, "     ids: server {}, client {}", connection.server_id() ? hex(*connection.server_id()) : "?",
                 connection.client_id() ? hex(*connection.client_id()) : "?");
  const auto suite = connection.suite ? connection.suite : connection.handshake.suite();
  if (suite) fmt::format_to(out, "; suite {}", suite_word(*suite));
  text += describe_handshake(connection) + "\n";
  for (const TrafficDirection direction : kDirections) text += describe_side(connection, direction);
  return text;
}

std::optional<double> median_ms(const std::vector<std::uint64_t>& times_ns) {
  if (times_ns.empty()) return std::nullopt;
  std::vector<std::uint64_t> sorted = times_ns;
  const auto middle = sorted.begin() + static_cast<std::ptrdiff_t>((sorted.size() - 1) / 2);
  std::nth_element(sorted.begin(), middle, sorted.end());
  return milliseconds(*middle);
}

}  // namespace

std::uint64_t CaptureCounts::not_looked_into_total() const {
  std::uint64_t total = 0;
  for (const auto& [name, count] : not_looked_into) total += count;
  return total;
}

std::string CaptureCounts::not_looked_into_text() const {
  std::string text;
  for (const auto& [name, count] : not_looked_into)
    text +=
        text.empty() ? fmt::format("{} of {}", counted(count, "frame"), name) : fmt::format(", {} of {}", count, name);
  return text;
}

void Summary::add(const Connection& connection) {
  if (connection.packets() == 0) return;  // only surveyed
  ++connections_;
  for (const TrafficDirection direction : kDirections) add_side(connection, direction);
  not_verifying_ += connection.not_verifying;
  if (connection.unanswered()) ++unanswered_;
  const Side& server = connection.side(TrafficDirection::server_to_client);
  server_packets_ += server.packets;
  if (server.packets == 0 && connection.side(TrafficDirection::client_to_server).short_packets > 0)
    confirmed_without_answer_ = true;
  const auto keep = [](std::vector<std::uint64_t>& times, std::optional<std::uint64_t> time) {
    if (time && times.size() < kMaxHandshakes) times.push_back(*time);
  };
  keep(handshakes_ns_, connection.handshake_ns());
  keep(confirmations_ns_, connection.confirmation_ns());
  if (details_.size() < kMaxDetails) details_.emplace(connection.number, describe(connection));
}

void Summary::add_side(const Connection& connection, TrafficDirection direction) {
  const Side& side = connection.side(direction);
  packets_ += side.packets;
  bytes_ += side.bytes;
  duplicates_ += side.duplicates;
  damaged_ += side.damaged + side.not_verified();
  cut_ += side.cut;
  opened_ += side.opened;
  no_key_ += side.no_key;
  if (side.opened == 0) not_opened_ += side.not_opened;
  handshake_repeats_ += connection.handshake_repeats(direction);

  const auto add = [](Figure& figure, std::optional<std::uint64_t> value) {
    figure.known = figure.known && value;
    figure.sum += value.value_or(0);
  };
  add(retransmitted_, connection.retransmitted(direction));
  if (const auto fates = connection.fates(direction)) {
    any_lost_known_ = any_lost_known_ || fates->lost;
    add(lost_, fates->lost.value_or(0));
    add(not_captured_, fates->not_captured);
    add(unknown_, fates->unknown);
  } else if (side.short_packets > 0) {
    lost_.known = not_captured_.known = unknown_.known = false;
  }

  if (!side.destination) return;
  const std::string label =
      fmt::format("MXP_{}_TRAFFIC_SECRET_0 {}", direction == TrafficDirection::client_to_server ? "C2S" : "S2C",
                  hex(*side.destination));
  if (side.no_key > 0 && side.opened == 0 && missing_ids_.size() < kMaxIds) missing_ids_.push_back(label);
  if (side.not_opened > 0 && side.opened == 0 && misfit_ids_.size() < kMaxIds) misfit_ids_.push_back(label);
}

std::optional<std::uint64_t> Summary::lost() const { return any_lost_known_ ? lost_.value() : std::nullopt; }

nlohmann::json Summary::to_json(const CaptureCounts& counts, std::uint64_t forgotten) const {
  nlohmann::json json{{"connections", connections_},
                      {"packets", packets_ + counts.cut_headers},
                      {"bytes", bytes_},
                      {"duplicates", duplicates_},
                      {"damaged", damaged_},
                      {"cut", cut_ + counts.cut_headers},
                      {"frames", counts.frames},
                      {"other_udp", counts.other_udp}};
  const auto put = [&](const char* name, const auto& value) {
    if (value) json[name] = *value;
  };
  const auto put_count = [&](const char* name, std::uint64_t count) {
    if (count > 0) json[name] = count;
  };
  put("retransmitted", retransmitted_.value());
  if (!retransmitted_.known) put_count("handshake_messages_repeated", handshake_repeats_);
  put("lost", lost());
  if (opened_ > 0) {
    put("not_captured", not_captured_.value());
    put("unknown", unknown_.value());
  }
  put("handshake_ms", median_ms(handshakes_ns_));
  put("confirmation_ms", median_ms(confirmations_ns_));
  if (packets_ > 0) json["decrypted"] = opened_;
  put_count("unanswered", unanswered());
  put_count("not_verifying", not_verifying_);
  put_count("without_key", no_key_);
  put_count("key_misfit", not_opened_);
  if (!missing_ids_.empty()) json["missing_keys"] = missing_ids_;
  put_count("fragments", counts.fragments.unmatched);
  put_count("fragments_overlapping", counts.fragments.overlapping);
  put_count("fragment_copies", counts.fragments.copies);
  put_count("reassembled", counts.fragments.reassembled);
  put_count("malformed", counts.malformed);
  put_count("unknown_link_type", counts.unknown_link_type);
  if (!counts.not_looked_into.empty()) json["not_looked_into"] = counts.not_looked_into;
  put_count("out_of_order", counts.out_of_order);
  if (counts.unsorted) json["unsorted"] = true;
  put_count("evicted_connections", forgotten);
  return json;
}

std::string Summary::to_text(const CaptureCounts& counts, std::uint64_t forgotten) const {
  std::string text;
  const auto out = std::back_inserter(text);
  const auto row = [&](std::string_view name, const auto& value) { fmt::format_to(out, "{:<15}{}\n", name, value); };
  const auto row_count = [&](std::string_view name, std::uint64_t count, std::string_view one, std::string_view several,
                             std::string_view rest = {}) {
    if (count > 0) row(name, fmt::format("{}{}", counted(count, one, several), rest));
  };
  const std::string unread = no_key_ > 0                      ? "unknown without keys"
                             : opened_ > 0 || not_opened_ > 0 ? "unknown: not every packet could be read"
                                                              : "unknown: no packet could be read";
  row("connections", connections_);
  row("packets", packets_ + counts.cut_headers);
  row("bytes", bytes_);
  if (const auto count = lost()) row("lost", *count);
  else if (packets_ > 0) row("lost", lost_.known ? "unknown: no acknowledgement was captured" : unread);
  if (opened_ > 0 && not_captured_.known) {
    row("not captured", not_captured_.sum);
    row_count("unknown", unknown_.sum, "packet number", "packet numbers",
              ": left out on purpose, lost before this capture, or acknowledged in what it lacks");
  }
  if (const auto count = retransmitted_.value()) row("retransmitted", *count);
  else if (packets_ > 0)
    row("retransmitted", handshake_repeats_ == 0 ? unread
                                                 : fmt::format("{}; {} repeated", unread,
                                                               counted(handshake_repeats_, "handshake message was",
                                                                       "handshake messages were")));
  if (duplicates_ > 0) row("duplicates", duplicates_);
  row_count("damaged", damaged_, "packet", "packets", ", on the way or by forgery");
  row_count("cut", cut_ + counts.cut_headers, "packet", "packets", ", by the snap length of the capture");
  const std::string_view median = connections_ > 1 ? " (median)" : "";
  if (const auto time = median_ms(handshakes_ns_))
    row("handshake", fmt::format("{:.3f} ms{}, message 1 to message 2", *time, median));
  if (const auto time = median_ms(confirmations_ns_))
    row("confirmation", fmt::format("{:.3f} ms{}, message 1 to the client's first packet after it", *time, median));
  row_count("unanswered", unanswered(), "handshake", "handshakes");
  row_count("not verifying", not_verifying_, "message 2", "messages 2");
  row("capture", fmt::format("{}, {} not MXP", counted(counts.frames, "frame"),
                             counted(counts.other_udp, "UDP datagram that is", "UDP datagrams that are")));
  row_count("reassembled", counts.fragments.reassembled, "datagram", "datagrams", " from IP fragments");
  row_count("fragments", counts.fragments.unmatched, "IP fragment", "IP fragments",
            " of datagrams that are not all in the capture");
  row_count("overlapping", counts.fragments.overlapping, "IP fragment", "IP fragments", ", which are not put together");
  row_count("copies", counts.fragments.copies, "IP fragment", "IP fragments", " that was there already");
  row_count("malformed", counts.malformed, "frame", "frames",
            " with headers that are cut off or contradict themselves");
  if (!counts.not_looked_into.empty()) row("not looked at", counts.not_looked_into_text());
  row_count("out of order", counts.out_of_order, "frame is", "frames are",
            !counts.unsorted    ? " older than the frame before"
            : counts.compressed ? " older than the frame before, in a compressed file, which is not sorted"
                                : " older than the frame before, in a file too long to be sorted");
  for (const auto& [number, lines] : details_) text += lines;
  if (connections_ > details_.size())
    fmt::format_to(out, "  and {}\n", counted(connections_ - details_.size(), "more connection"));
  if (forgotten > 0)
    fmt::format_to(out, "  {} forgotten to bound memory: what came later of such a one counts as another\n",
                   counted(forgotten, "connection was", "connections were"));
  return text;
}

std::vector<std::string> Summary::notes(const CaptureCounts& counts) const {
  std::vector<std::string> notes;
  if (!missing_ids_.empty())
    notes.push_back(fmt::format("{} not be opened; missing in the key log: {}{}",
                                counted(no_key_, "packet could", "packets could"), fmt::join(missing_ids_, ", "),
                                missing_ids_.size() == kMaxIds ? ", …" : ""));
  if (!misfit_ids_.empty())
    notes.push_back(fmt::format("the secrets of these ids fit no packet (a key log of another run?): {}",
                                fmt::join(misfit_ids_, ", ")));
  const std::uint64_t cut = cut_ + counts.cut_headers;
  if (cut > 0)
    notes.push_back(
        fmt::format("{} cut by the snap length of the capture, and what was cut off is not shown "
                    "or counted; tcpdump -s 0 captures whole packets",
                    counted(cut, "packet is", "packets are")));
  if (not_verifying_ > 0)
    notes.push_back(fmt::format("{} verify: forged, or damaged on the way",
                                counted(not_verifying_, "message 2 does not", "messages 2 do not")));
  if (counts.unsorted)
    notes.push_back(
        fmt::format("the frames are not in the order of their times, and {} are not sorted: what depends on the order "
                    "(who began, what was repeated, times) may be wrong; {}reordercap(1) sorts a file",
                    counts.compressed ? std::string("those of a compressed file")
                                      : fmt::format("more than {} of them at a time", TimeOrder::kMaxHeld),
                    counts.compressed ? "decompress it, or " : ""));
  return notes;
}

}  // namespace mxp::dump
