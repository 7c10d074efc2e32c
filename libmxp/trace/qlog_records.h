// The records of a qlog file: one JSON text for each event, in either flavour.
#pragma once

#include <optional>
#include <string>

#include "mxp/qlog.h"

namespace mxp {

struct QlogHeader {
  QlogFlavour flavour;
  TraceClock clock;  // its `at` is the zero of the records' times
  ConnectionId connection;
  Role role;
  std::string_view program;
  // The trace was made from what a third party saw on the network; `role` is the side whose packets it calls sent.
  bool network = false;
};

// A packet as a third party saw it on its way.
struct QlogSeenPacket {
  enum class Way : std::uint8_t { sent, received };  // as the header's role has it
  enum class Type : std::uint8_t { initial, response, one_rtt };
  Way way;
  Type type;
  std::optional<PacketNumber> number;  // these two: nothing without its key
  std::optional<TraceFrames> frames;
  std::uint64_t size_bytes;
  bool ack_eliciting = false;
  bool repeats = false;  // a message of the handshake, or stream data, that was sent before
};

// Each of these appends one record, with its separators.
void append_qlog_header(std::string& out, const QlogHeader& header);
void append_qlog_dropped(std::string& out, Duration time, std::uint64_t count);
// Nothing for an event that no file tells of. `time` is since the header's zero.
void append_qlog_event(std::string& out, QlogFlavour flavour, Duration time, const TraceEvent& event);
void append_qlog_seen(std::string& out, QlogFlavour flavour, Duration time, const QlogSeenPacket& packet);
// A packet of the other role was lost: packet_lost is for those of the header's.
void append_qlog_peer_loss(std::string& out, QlogFlavour flavour, Duration time, const TracePacketLost& lost);

}  // namespace mxp
