// The messages of the handshake as the capture holds them: who sent them how often, from where, and what came after.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "mxp-dump/analysis/finding.h"
#include "mxp-dump/dissect/record.h"

namespace mxp::dump {

struct HandshakeStory {
  static constexpr std::size_t kMaxSources = 16;  // our choice: that are told apart

  std::uint64_t initials = 0, responses = 0;
  std::optional<std::int64_t> first_initial_ns, last_initial_ns, first_response_ns, last_response_ns, confirmed_ns;
  std::uint64_t initials_after_response = 0;  // the client repeated itself though the answer had passed here
  std::uint64_t initials_after_confirmation = 0;
  std::uint64_t from_other_sources = 0;  // message 1, not from where the first one came from
  std::vector<SocketAddress> sources;
  SocketAddress server;     // to which the first one went
  bool fragmented = false;  // by IP
  std::uint64_t server_short_packets = 0;
  Evidence initial_frames, response_frames, copies;

  void add(const PacketRecord& record, std::int64_t time_ns);
};

}  // namespace mxp::dump
