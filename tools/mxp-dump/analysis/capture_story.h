// All connections of a capture, and what they say of each other: whether a server answers others, which sizes pass
// between two machines, whether the clock of the capture jumped.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <unordered_map>
#include <vector>

#include "mxp-dump/analysis/story.h"

namespace mxp::dump {

// What one judge needs besides the story of the connection.
struct Surroundings {
  std::int64_t capture_end_ns = 0;
  // This server answered another handshake, in this time or later.
  bool server_answers_others = false;
  // Small packets passed between the two machines in both directions while this handshake waited, and none of the size
  // of a handshake message came from the server.
  bool only_small_pass = false;
  enum class Mac : std::uint8_t { not_checked, fits, does_not_fit } mac = Mac::not_checked;
  std::int64_t clock_jump_ns = 0;  // the largest step back between two frames of the file; 0: none
  std::uint64_t clock_jumps = 0, clock_jump_frame = 0;
  std::uint64_t server_packets = 0;  // in the whole capture: with none, silence says nothing
};

class CaptureStory {
 public:
  // Our choices: connections that are followed at a time (some 100 KiB each at worst), and pairs of machines.
  static constexpr std::size_t kMaxStories = 512;
  static constexpr std::size_t kMaxHosts = 1024;
  // A step back in time by less than this is the disorder of several interfaces, and is sorted. A greater one is a clock
  // that was set: sorting would mix what was before with what was after.
  static constexpr std::int64_t kLeastJumpNs = 500'000'000;

  // Called with each story that has come to its end.
  using Told = std::function<void(const Story&, const Surroundings&)>;
  explicit CaptureStory(Told told) : told_(std::move(told)) {}

  void add(const PacketRecord& record);
  // Whether the mac1 of this client's message 1 is made with the server's key.
  void mac_checked(ConnectionId client_id, bool fits);
  void finish();

  std::uint64_t not_followed() const { return not_followed_; }

 private:
  struct Hosts {
    std::int64_t small_up_ns = 0, small_down_ns = 0, large_down_ns = 0;
  };
  struct Server {
    std::int64_t last_answer_ns = 0;
    std::uint64_t last_answered = 0, answered = 0;  // connections
  };
  std::int64_t straighten(const PacketRecord& record);
  void note_hosts(const PacketRecord& record, std::int64_t time_ns);
  Surroundings surroundings(const Story& story) const;
  void tell(std::uint64_t number);
  void make_room();

  Told told_;
  std::unordered_map<std::uint64_t, std::unique_ptr<Story>> stories_;
  std::set<std::uint64_t> done_;
  std::map<std::pair<SocketAddress, SocketAddress>, Hosts> hosts_;  // client and server, without ports
  std::map<SocketAddress, Server> servers_;
  std::map<std::string, bool> macs_;  // by client id, in hex
  std::uint64_t not_followed_ = 0, server_packets_ = 0;
  std::int64_t offset_ns_ = 0, last_raw_ns_ = 0, last_ns_ = 0;
  bool any_time_ = false;
  std::int64_t jump_ns_ = 0;
  std::uint64_t jumps_ = 0, jump_frame_ = 0;
};

}  // namespace mxp::dump
