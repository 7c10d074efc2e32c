// What became of each packet of a run, so that another run does the same to its packets: what chance decided, and also
// what followed from timing (queues, rates, outages). A text, one line for each packet that was lost or departure:
//
//   mxp-netem-record 1
//   up 0 17 lost                      direction, flow, packet of the flow
//   up 0 18 20480000                  … left so many nanoseconds after it came
//   up 0 18 21000000 copy             … and so did its copy
//   down 3 0 5000000 ahead corrupt 57 ce      sent ahead; bit 57 flipped; marked "congestion experienced"
//
// A packet without a line, before the last one of its flow, was lost in a queue.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <expected>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "mxp/time.h"

namespace mxp::netem {

enum class Direction : std::uint8_t { up, down };
// Flows are numbered by whoever offers, in the order of their first packet, so that a run can be repeated.
using FlowId = std::uint64_t;

struct RecordedDeparture {
  Duration delay{};
  bool copy = false;
  bool ahead = false;
  bool marked = false;
  std::optional<std::uint64_t> flipped_bit;  // of the payload, modulo its size
  bool operator==(const RecordedDeparture&) const = default;
};

std::string recording_header();
std::string recorded_loss(Direction direction, FlowId flow, std::uint64_t packet);
std::string recorded_departure(Direction direction, FlowId flow, std::uint64_t packet,
                               const RecordedDeparture& departure);

class Recording {
 public:
  // The error names the line at fault.
  static std::expected<Recording, std::string> parse(std::string_view text);

  // What became of a packet: its departures, of which there are none if it was lost; nothing if the recording had
  // ended.
  std::optional<std::span<const RecordedDeparture>> of(Direction direction, FlowId flow, std::uint64_t packet) const;

 private:
  struct Entry {
    std::uint64_t packet;
    std::vector<RecordedDeparture> departures;
  };
  std::string read_line(std::string_view line);

  std::array<std::map<FlowId, std::vector<Entry>>, 2> flows_;  // by packet
};

}  // namespace mxp::netem
