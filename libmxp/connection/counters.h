// What a connection counts as it goes. Everything else in ConnectionStats is known to some part, and is asked there
// when somebody wants to know (api.cpp), so that a connection that waits does not keep it twice. The names are those
// of mxp/stats.h.
#pragma once

#include <array>
#include <cstdint>

#include "mxp/error.h"
#include "mxp/stats.h"
#include "mxp/time.h"

namespace mxp {

struct ConnectionCounters {
  std::uint64_t packets_sent = 0;
  std::uint64_t packets_received = 0;
  Timestamp last_received{};
  std::uint64_t packets_lost = 0;
  std::uint64_t packets_spuriously_lost = 0;
  std::uint64_t bytes_sent = 0;
  std::uint64_t bytes_received = 0;
  std::uint64_t datagrams_received = 0;  // DatagramStats::received
  std::uint64_t tail_repairs = 0;
  std::uint64_t probes_sent = 0;
  std::uint64_t persistent_congestion = 0;
  Duration handshake_time{};
  std::uint64_t path_changes = 0;
  std::uint64_t handshake_packets_sent = 0;
  std::uint64_t datagrams_too_large = 0;
  std::uint64_t key_updates = 0;
  std::array<std::uint64_t, kDropReasonCount> dropped{};

  void copy_to(ConnectionStats& stats) const {
    stats.packets_sent = packets_sent;
    stats.packets_received = packets_received;
    stats.last_received = last_received;
    stats.packets_lost = packets_lost;
    stats.packets_spuriously_lost = packets_spuriously_lost;
    stats.bytes_sent = bytes_sent;
    stats.bytes_received = bytes_received;
    stats.datagrams.received = datagrams_received;
    stats.tail_repairs = tail_repairs;
    stats.probes_sent = probes_sent;
    stats.persistent_congestion = persistent_congestion;
    stats.handshake_time = handshake_time;
    stats.path_changes = path_changes;
    stats.handshake_packets_sent = handshake_packets_sent;
    stats.datagrams_too_large = datagrams_too_large;
    stats.key_updates = key_updates;
    stats.dropped = dropped;
  }
};

}  // namespace mxp
