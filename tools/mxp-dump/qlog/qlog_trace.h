// One trace of qlog: what a capture shows of one connection at one place, packet by packet. The vantage point is the
// network; its flow is the side that sends more, whose packets are the ones "sent", whose losses are packet_lost, and
// whose bytes in flight and round trips recovery_metrics_updated tells, as far as keys show them.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>

#include "mxp-dump/analysis/flight.h"
#include "mxp-dump/dissect/record.h"
#include "mxp/qlog.h"

namespace mxp::dump {

class QlogTrace {
 public:
  // Our choice: lost packets that no acknowledgement has passed by yet.
  static constexpr std::size_t kMaxUntold = 4096;

  // `record` is the first packet of the trace.
  QlogTrace(QlogFlavour flavour, TrafficDirection flow, const PacketRecord& record);

  // Appends what there is to say of the packet, in the order of time.
  void add(const PacketRecord& record, std::string& out);
  // Appends what is still to be said at its end.
  void finish(std::string& out);

 private:
  struct Direction {
    std::map<std::uint64_t, std::uint64_t> untold;  // sizes of lost packets, by packet number
    std::uint32_t phases = 0;
  };

  Duration time() const { return Duration(now_ns_ - zero_ns_); }
  bool is_ours(TrafficDirection direction) const { return direction == flow_; }
  void begin(const PacketRecord& record, std::string& out);
  void add_drop(const PacketRecord& record, std::string& out);
  void add_packet(const PacketRecord& record, std::string& out);
  void add_frames(const PacketRecord& record, std::string& out);
  void add_ack(const AckFrame& frame, std::string& out);
  void add_move(const PacketRecord& record, std::string& out);
  void add_established(const PacketRecord& record, std::string& out);
  void tell_lost(TrafficDirection direction, std::uint64_t before, LossReason reason, std::string& out);
  void event(const TraceEvent& event, std::string& out) const;

  QlogFlavour flavour_;
  TrafficDirection flow_;
  std::uint64_t zero_ns_ = 0, now_ns_ = 0;
  SocketAddress client_, server_;
  bool begun_ = false, established_ = false, closed_ = false;
  std::optional<std::uint64_t> first_initial_ns_, first_response_ns_;
  std::array<Direction, 2> directions_;
  Flight flight_;  // of the flow
  Duration smoothed_rtt_{}, min_rtt_{}, rtt_variation_{};
};

}  // namespace mxp::dump
