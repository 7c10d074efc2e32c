// How the connections of one side share its memory: what they may hold does not grow with their number.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "mxp/config.h"

namespace mxp::perf {

// Our choices. Data written and not yet acknowledged, and data that arrived out of order: over all connections of a
// side each of the two fills a path of 5 Gbit/s and 100 ms.
inline constexpr std::size_t kSendMemory = 64u << 20;
inline constexpr std::size_t kReceiveMemory = 64u << 20;

// What may be sent ahead by one of so many connections, in bytes. One alone gets what the library gives by itself.
constexpr std::size_t send_share(std::size_t connections) {
  return std::min(FlowControlConfig().connection_send_buffer, kSendMemory / std::max<std::size_t>(connections, 1));
}

// What the datagrams of one of so many connections may hold that wait to be sent, in bytes.
constexpr std::size_t datagram_share(std::size_t connections) {
  return std::min(DatagramConfig().queue_bytes, kSendMemory / std::max<std::size_t>(connections, 1));
}

// The limits of one of so many connections.
constexpr FlowControlConfig shared_flow_control(std::size_t connections) {
  FlowControlConfig config;
  config.connection_send_buffer = send_share(connections);
  const std::uint64_t window = kReceiveMemory / std::max<std::size_t>(connections, 1);
  for (std::uint64_t* limit :
       {&config.connection_window, &config.max_connection_window, &config.stream_window, &config.max_stream_window})
    *limit = std::min(*limit, window);
  return config;
}

}  // namespace mxp::perf
