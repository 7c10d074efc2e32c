// What a process and its socket did during a test, at one end of it: the differences between two readings.
#pragma once

#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <optional>

#include "mxp/event_loop.h"

namespace mxp::perf {

struct ProcessFigures {
  double cpu_seconds = 0;                // user and system
  std::optional<double> waited_seconds;  // ready to run while others had the processors, where the system tells
  bool spins = false;                    // its thread never sleeps: the processor time is that of waiting, too
  std::uint64_t datagrams_sent = 0;
  std::uint64_t send_calls = 0;     // with segmentation offload one sends many
  std::uint64_t sends_blocked = 0;  // the socket was full; nothing was lost
  std::uint64_t datagrams_received = 0;
  std::uint64_t receive_calls = 0;
  std::uint64_t receive_overflows = 0;  // datagrams that the kernel dropped, because our buffer was full

  static ProcessFigures now(const EventLoop& loop);
  ProcessFigures since(const ProcessFigures& before) const;
};

// As they go over the control stream. Throws nlohmann::json::exception for what cannot be such figures.
nlohmann::json to_json(const ProcessFigures& figures);
ProcessFigures parse_figures(const nlohmann::json& json);

// Of a result: without the processor's time, which has a place of its own.
nlohmann::json socket_json(const ProcessFigures& figures);

}  // namespace mxp::perf
