// What one seed of the random-link simulation draws: a link in each direction, both sides' settings, and what happens
// when. The same seed draws the same plan.
#pragma once

#include <string>
#include <vector>

#include "support/sim_pair.h"

namespace mxp::test {

struct RandomPlan {
  struct Send {  // a stream is opened, and so many bytes are sent on it
    Role sender;
    StreamType type;
    std::uint64_t bytes;
  };
  struct Messages {
    Role sender;
    SimApplication::MessageBurst burst;
  };
  struct Mtu {  // of the link from this side, for the IP packets that are sent from now on
    Role sender;
    std::uint32_t bytes;
  };
  enum class Move : std::uint8_t { stay, new_port, new_address };  // of the client, as a NAT or a new network makes it
  struct Step {
    Duration at;  // since the client called connect()
    std::vector<Send> sends = {};
    std::vector<Mtu> mtus = {};
    Move move = Move::stay;
    std::vector<Messages> messages = {};
  };

  SimConfig config;
  std::uint64_t reply_bytes[2] = {0, 0};     // by the client, by the server, on each two-way stream of the other's
  bool reads_slowly[2] = {false, false};     // takes a part of what arrives, and asks for the rest later
  std::vector<Step> steps;                   // in the order of time
  bool drains[2] = {false, false};           // ends the connection in order, once everything has begun
  std::uint64_t expected_bytes[2] = {0, 0};  // that the client, the server will have received
  std::uint64_t message_count[2] = {0, 0};   // that the client, the server sends
  std::uint64_t message_bytes = 0;           // of all their payloads
  std::string text;                          // of all this, for whoever looks for a fault

  std::uint64_t all_bytes() const { return expected_bytes[0] + expected_bytes[1]; }
};

RandomPlan draw_plan(std::uint64_t seed);

}  // namespace mxp::test
