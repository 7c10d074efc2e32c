#include "mxp-dump/analysis/capture_story.h"

#include <algorithm>

#include "mxp-dump/capture/captured_packet.h"
#include "mxp-dump/dissect/words.h"

namespace mxp::dump {
namespace {

std::pair<SocketAddress, SocketAddress> machines(SocketAddress client, SocketAddress server) {
  client.port = server.port = 0;
  return {client, server};
}

}  // namespace

// Times go on where the clock went back: what lies on both sides of the jump is still in order.
std::int64_t CaptureStory::straighten(const PacketRecord& record) {
  constexpr auto kEnd = static_cast<std::int64_t>(kLatestTimeNs);
  if (!record.time_ns) return last_ns_;
  const auto raw = static_cast<std::int64_t>(*record.time_ns);
  if (any_time_ && raw + kLeastJumpNs < last_raw_ns_) {
    ++jumps_;
    if (last_raw_ns_ - raw > jump_ns_) {
      jump_ns_ = last_raw_ns_ - raw;
      jump_frame_ = record.frame;
    }
    // A clock that goes back again and again comes to the end of the range and stays there.
    offset_ns_ = std::min(offset_ns_ + (last_raw_ns_ - raw), kEnd);
  }
  any_time_ = true;
  last_raw_ns_ = raw;
  const std::int64_t straight = std::min(raw + offset_ns_, kEnd);
  last_ns_ = std::max(last_ns_, straight);
  return straight;
}

void CaptureStory::add(const PacketRecord& record) {
  const std::int64_t time_ns = straighten(record);
  if (record.connection == 0 || done_.contains(record.connection)) return;
  note_hosts(record, time_ns);
  auto& story = stories_[record.connection];
  if (story == nullptr) {
    story = std::make_unique<Story>();
    story->add(record, time_ns);
    if (stories_.size() > kMaxStories) make_room();
    return;
  }
  story->add(record, time_ns);
}

void CaptureStory::note_hosts(const PacketRecord& record, std::int64_t time_ns) {
  constexpr std::uint32_t kSmall = 1000;
  const bool from_client = record.from_client();
  if (!from_client) ++server_packets_;
  const SocketAddress& server = record.server();
  if (record.type == PacketType::response) {
    if (servers_.size() < kMaxHosts || servers_.contains(server)) {
      Server& known = servers_[server];
      known.last_answer_ns = time_ns;
      if (known.last_answered != record.connection) ++known.answered;
      known.last_answered = record.connection;
    }
  }
  const auto key = machines(record.client(), server);
  if (hosts_.size() == kMaxHosts && !hosts_.contains(key)) return;
  Hosts& hosts = hosts_[key];
  if (record.length < kSmall) (from_client ? hosts.small_up_ns : hosts.small_down_ns) = time_ns;
  else if (!from_client) hosts.large_down_ns = time_ns;
}

void CaptureStory::mac_checked(ConnectionId client_id, bool fits) {
  if (macs_.size() < kMaxHosts) macs_[hex(client_id)] = fits;
}

Surroundings CaptureStory::surroundings(const Story& story) const {
  Surroundings around;
  around.capture_end_ns = last_ns_;
  around.clock_jump_ns = jump_ns_;
  around.clock_jumps = jumps_;
  around.clock_jump_frame = jump_frame_;
  around.server_packets = server_packets_;
  if (const auto server = servers_.find(story.server); server != servers_.end()) {
    const bool others = server->second.answered > 1 || server->second.last_answered != story.connection;
    around.server_answers_others =
        others && (story.handshake.responses > 0 || server->second.last_answer_ns >= story.first_ns - 60'000'000'000);
  }
  const auto hosts = hosts_.find(machines(story.client, story.server));
  if (hosts != hosts_.end()) {
    const auto& [up, down, large] = hosts->second;
    around.only_small_pass = up > story.first_ns && down > story.first_ns && large < story.first_ns;
  }
  if (const auto checked = macs_.find(story.client_id); checked != macs_.end())
    around.mac = checked->second ? Surroundings::Mac::fits : Surroundings::Mac::does_not_fit;
  return around;
}

void CaptureStory::tell(std::uint64_t number) {
  const auto it = stories_.find(number);
  Story& story = *it->second;
  story.finish();
  told_(story, surroundings(story));
  stories_.erase(it);
}

// The one that was silent longest is judged by what it has shown so far.
void CaptureStory::make_room() {
  const auto oldest = std::ranges::min_element(
      stories_, [](const auto& a, const auto& b) { return a.second->last_ns < b.second->last_ns; });
  const std::uint64_t number = oldest->first;
  tell(number);
  constexpr std::size_t kMaxDone = 1u << 16;  // our choice; beyond it a connection that goes on is told twice
  if (done_.size() < kMaxDone) done_.insert(number);
  ++not_followed_;
}

void CaptureStory::finish() {
  std::vector<std::uint64_t> numbers;
  numbers.reserve(stories_.size());
  for (const auto& [number, story] : stories_) numbers.push_back(number);
  std::ranges::sort(numbers);
  for (const std::uint64_t number : numbers) tell(number);
}

}  // namespace mxp::dump
