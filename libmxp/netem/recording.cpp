#include "netem/recording.h"

#include <fmt/format.h>

#include <algorithm>

#include "netem/words.h"

namespace mxp::netem {
namespace {

constexpr std::string_view kRecordingHeader = "mxp-netem-record 1";
constexpr std::uint64_t kLongestRecordedDelay = 7 * 24 * 3'600'000'000'000u;  // our choice: no sum of times overflows

std::string_view direction_word(Direction direction) { return direction == Direction::up ? "up" : "down"; }

// The words after the delay. False if one of them is unknown.
bool read_flags(std::span<const std::string_view> words, RecordedDeparture& departure) {
  for (std::size_t i = 0; i < words.size(); ++i) {
    if (words[i] == "copy") {
      departure.copy = true;
    } else if (words[i] == "ahead") {
      departure.ahead = true;
    } else if (words[i] == "ce") {
      departure.marked = true;
    } else if (words[i] == "corrupt" && i + 1 < words.size()) {
      departure.flipped_bit = whole_number<std::uint64_t>(words[++i]);
      if (!departure.flipped_bit) return false;
    } else {
      return false;
    }
  }
  return true;
}

}  // namespace

std::string recording_header() { return std::string(kRecordingHeader) + "\n"; }

std::string recorded_loss(Direction direction, FlowId flow, std::uint64_t packet) {
  return fmt::format("{} {} {} lost\n", direction_word(direction), flow, packet);
}

std::string recorded_departure(Direction direction, FlowId flow, std::uint64_t packet,
                               const RecordedDeparture& departure) {
  std::string line = fmt::format("{} {} {} {}", direction_word(direction), flow, packet, departure.delay.count());
  if (departure.copy) line += " copy";
  if (departure.ahead) line += " ahead";
  if (departure.flipped_bit) line += fmt::format(" corrupt {}", *departure.flipped_bit);
  if (departure.marked) line += " ce";
  return line + "\n";
}

std::expected<Recording, std::string> Recording::parse(std::string_view text) {
  Recording recording;
  if (take_line(text) != kRecordingHeader)
    return std::unexpected(fmt::format("line 1: '{}' expected: this is no recording", kRecordingHeader));
  for (std::size_t line_number = 2; !text.empty(); ++line_number) {
    if (const std::string problem = recording.read_line(take_line(text)); !problem.empty())
      return std::unexpected(fmt::format("line {}: {}", line_number, problem));
  }
  for (auto& flows : recording.flows_) {
    for (auto& [flow, entries] : flows) {
      std::stable_sort(entries.begin(), entries.end(),
                       [](const Entry& a, const Entry& b) { return a.packet < b.packet; });
      // Departures of one packet stand on lines of their own.
      std::vector<Entry> merged;
      for (Entry& entry : entries) {
        if (merged.empty() || merged.back().packet != entry.packet) {
          merged.push_back(std::move(entry));
        } else {
          merged.back().departures.insert(merged.back().departures.end(), entry.departures.begin(),
                                          entry.departures.end());
        }
      }
      entries = std::move(merged);
    }
  }
  return recording;
}

// What is wrong with it, or empty.
std::string Recording::read_line(std::string_view line) {
  const auto words = words_of(line);
  if (words.empty()) return {};
  constexpr std::size_t kLeastWords = 4;
  if (words.size() < kLeastWords || (words[0] != "up" && words[0] != "down"))
    return "up or down, flow, packet, and its delay or 'lost' expected";
  const auto flow = whole_number<FlowId>(words[1]);
  const auto packet = whole_number<std::uint64_t>(words[2]);
  if (!flow || !packet) return "flow and packet are whole numbers";
  Entry entry{.packet = *packet, .departures = {}};
  if (words[3] != "lost") {
    RecordedDeparture departure;
    const auto delay = whole_number<std::uint64_t>(words[3]);
    if (!delay || *delay > kLongestRecordedDelay) return "the delay is a number of nanoseconds, up to a week";
    departure.delay = Duration(static_cast<Duration::rep>(*delay));
    if (!read_flags(std::span(words).subspan(kLeastWords), departure)) return "copy, ahead, corrupt BIT or ce expected";
    entry.departures.push_back(departure);
  } else if (words.size() > kLeastWords) {
    return "nothing follows 'lost'";
  }
  flows_[words[0] == "up" ? 0 : 1][*flow].push_back(std::move(entry));
  return {};
}

std::optional<std::span<const RecordedDeparture>> Recording::of(Direction direction, FlowId flow,
                                                                std::uint64_t packet) const {
  const auto& flows = flows_[static_cast<std::size_t>(direction)];
  const auto found = flows.find(flow);
  if (found == flows.end() || found->second.back().packet < packet) return std::nullopt;
  const auto entry = std::lower_bound(found->second.begin(), found->second.end(), packet,
                                      [](const Entry& one, std::uint64_t wanted) { return one.packet < wanted; });
  if (entry->packet != packet) return std::span<const RecordedDeparture>();
  return std::span<const RecordedDeparture>(entry->departures);
}

}  // namespace mxp::netem
