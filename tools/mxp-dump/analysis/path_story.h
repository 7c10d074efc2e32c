// Where the client was. A client that moves by itself knows it and changes its connection id with the address
// (docs/protocol.md §3.2); one whose address changed under it does not.
#pragma once

#include <cstdint>
#include <vector>

#include "mxp-dump/analysis/finding.h"
#include "mxp-dump/dissect/record.h"

namespace mxp::dump {

struct PathStory {
  static constexpr std::size_t kMaxMoves = 16;  // our choice: that are described

  struct Move {
    std::uint64_t frame = 0;
    std::int64_t time_ns = 0;
    SocketAddress from, to;
    bool knowingly = false;  // with another connection id
  };
  std::vector<Move> moves;
  std::uint64_t move_count = 0;
  std::uint64_t returns = 0;  // to an address where it was before
  // The server asked, though the client had not moved here: its address changed between here and the server.
  std::uint64_t server_challenges = 0;
  bool client_challenged = false;
  Evidence challenges;

  void add(const PacketRecord& record, std::int64_t time_ns);

 private:
  bool known_ = false;
  SocketAddress client_;
  std::vector<SocketAddress> known_clients_;
  std::optional<ConnectionId> id_;
  std::uint64_t highest_number_ = 0;
};

}  // namespace mxp::dump
