// What happened on one connection: fed with each of its packets, kept small, and told to the judges in the end.
#pragma once

#include <array>
#include <cstdint>
#include <string>

#include "mxp-dump/analysis/call_story.h"
#include "mxp-dump/analysis/close_story.h"
#include "mxp-dump/analysis/direction_story.h"
#include "mxp-dump/analysis/handshake_story.h"
#include "mxp-dump/analysis/path_story.h"
#include "mxp-dump/analysis/silence_story.h"

namespace mxp::dump {

// Where the capture was made, by the two halves of the round trip.
enum class Vantage : std::uint8_t { unknown, near_client, near_server, between };

struct Story {
  std::uint64_t connection = 0;
  std::string client_id;  // hex, if it is known
  SocketAddress client, server;
  std::int64_t first_ns = 0, last_ns = 0;
  std::uint64_t first_frame = 0, last_frame = 0;
  std::uint64_t packets = 0, opened = 0;
  std::array<DirectionStory, 2> directions;
  HandshakeStory handshake;
  PathStory path;
  CloseStory close;
  SilenceStory silence;
  CallStory calls;

  void add(const PacketRecord& record, std::int64_t time_ns);
  void finish();

  const DirectionStory& direction(TrafficDirection which) const { return directions[index(which)]; }
  std::int64_t length_ns() const { return last_ns - first_ns; }
  // Whether packets could be opened: nearly all that is said of losses and limits needs that.
  bool readable() const { return opened > 0; }
  // The shortest whole round trip that was seen; 0 if none was.
  std::int64_t round_trip_ns() const;
  std::int64_t smoothed_round_trip_ns() const;
  // The part of the round trip that lies on the side of the sender of this direction; 0 if it is not known.
  std::int64_t sender_round_trip_ns(TrafficDirection which) const;
  // Whether the capture was made at the end to which this direction goes.
  bool at_receiver(TrafficDirection which) const;
  Vantage vantage() const;
  // The direction that carries more data.
  TrafficDirection main_direction() const;
  bool joined_in_its_middle() const { return handshake.initials == 0 && handshake.responses == 0; }
  TimeAccount::Sums time_sums() const;

 private:
  std::array<std::int64_t, 2> last_answer_ns_{};  // by the direction that was answered
};

std::string_view direction_phrase(TrafficDirection direction);  // "client to server"

}  // namespace mxp::dump
