// What the page of --html draws of one connection at one place of the capture (see CapturePlace): for each direction how
// much was sent and acknowledged, round trips, bytes in flight and losses, and when which stream was busy. All of it in
// a bounded number of slots of time, which become wider as the connection goes on, so that it is small for a capture of
// any size.
#pragma once

#include <array>
#include <cstdint>
#include <deque>
#include <map>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "mxp-dump/analysis/flight.h"
#include "mxp-dump/dissect/capture_place.h"
#include "mxp-dump/dissect/record.h"
#include "mxp-dump/page/time_slots.h"

namespace mxp::dump {

// What happened in one slot of a direction.
struct PlotSlot {
  std::uint64_t packets = 0;
  std::uint64_t sent = 0, acknowledged = 0;      // bytes of packets, since the beginning; 0: none in this slot
  std::uint64_t flight = 0;                      // most bytes that were under way
  std::optional<std::uint64_t> credit;           // bytes that MAX_DATA still allows, the least
  std::int64_t shortest_ns = 0, longest_ns = 0;  // round trips; 0: none ended here
  double round_trips_ns = 0;                     // their sum, which no capture can make too large
  std::int64_t round_trips = 0;

  PlotSlot& operator+=(const PlotSlot& later);
};

class PagePlot {
 public:
  // Our choices, for a page that a phone can show.
  static constexpr std::size_t kMaxSlots = 512;
  static constexpr std::size_t kMaxStreamSlots = 256;
  static constexpr std::size_t kMaxStreams = 256;  // that are followed; the page shows the busiest kMaxShownStreams
  static constexpr std::size_t kMaxShownStreams = 24;
  static constexpr std::size_t kMaxMarks = 512;  // of losses, for each direction

  // The plot of the place where this packet was seen. Its time begins at `start_ns`, which is the same for all places
  // of a connection, so that their plots can be held against each other.
  PagePlot(const PacketRecord& first, std::int64_t start_ns);

  bool knows(const PacketRecord& record) const { return place_.knows(record); }
  bool follow(const PacketRecord& record) { return place_.follow(record); }

  // REQUIRES of both: it is whole and no copy.
  void add(const PacketRecord& record);
  // A packet of the connection that was seen at another place.
  void add_elsewhere(const PacketRecord& record);
  // Whether a packet could be opened.
  bool readable() const { return opened_ > 0; }
  nlohmann::json to_json() const;

 private:
  struct Mark {
    std::int64_t time_ns = 0;
    std::uint64_t position = 0, number = 0, frame = 0;
  };
  struct Direction {
    TimeSlots<PlotSlot, kMaxSlots> slots;
    std::uint64_t packets = 0, bytes = 0, acknowledged = 0, lost = 0, lost_elsewhere = 0;
    Flight flight;
    std::deque<std::pair<std::uint64_t, std::uint64_t>> positions;  // number and bytes sent by then, not acknowledged
    std::vector<Mark> marks;
    std::size_t every = 1;  // so many losses for each mark
    // Flow control of the connection, while all of it can be told.
    std::unordered_map<std::uint64_t, std::uint64_t> stream_ends;
    std::optional<std::uint64_t> limit;
    std::uint64_t used = 0;
    bool follows_credit = true;
  };
  struct Stream {
    std::string label;
    std::uint64_t bytes = 0;
    TimeSlots<std::uint64_t, kMaxStreamSlots> slots;
  };

  void add_lost(const PacketRecord& record, std::int64_t time_ns);
  void add_opened(const PacketRecord& record, std::int64_t time_ns);
  void add_frame(const Frame& frame, TrafficDirection direction, std::int64_t time_ns);
  void add_ack(const AckFrame& frame, Direction& acknowledged, std::int64_t time_ns);
  void add_stream(TrafficDirection direction, std::uint64_t kind, std::string_view name, std::uint64_t bytes,
                  std::int64_t time_ns);
  static nlohmann::json describe(const Direction& direction);
  nlohmann::json describe_streams() const;

  CapturePlace place_;
  SocketAddress client_, server_;  // of its first packet
  std::int64_t start_ns_, last_ns_;
  std::uint64_t opened_ = 0;
  bool from_its_beginning_;
  std::array<Direction, 2> directions_;
  std::map<std::pair<TrafficDirection, std::uint64_t>, Stream> streams_;
  std::uint64_t streams_left_out_ = 0;  // frames of streams that are not followed
};

}  // namespace mxp::dump
