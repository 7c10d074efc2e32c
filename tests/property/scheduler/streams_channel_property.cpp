// Two sides over a path that drops, repeats and reorders packets, with late and missing acknowledgements, partial
// reads, resets and stops: every stream that nobody abandoned arrives complete, in order and once; no packet breaks a
// rule; at the end nothing is held.
#include <rapidcheck.h>

#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <deque>
#include <map>
#include <random>
#include <vector>

#include "unit/scheduler/streams_fixture.h"

namespace mxp::test {
namespace {

class Channel {
 public:
  explicit Channel(std::uint32_t seed) : random_(seed) {}

  std::size_t below(std::size_t bound) { return std::uniform_int_distribution<std::size_t>(0, bound - 1)(random_); }
  bool chance(int percent) { return below(100) < static_cast<std::size_t>(percent); }

  void send(Side& from, Side& to, std::size_t size) {
    Packet packet = write_packet(from.streams, size);
    if (packet.empty()) return;
    under_way_.push_back({&from, &to, std::move(packet)});
  }
  // Something happens to one packet under way, not always the oldest.
  void step(int loss_percent) {
    if (under_way_.empty()) return;
    const std::size_t index = below(std::min<std::size_t>(under_way_.size(), 6));
    Transit transit = std::move(under_way_[index]);
    under_way_.erase(under_way_.begin() + static_cast<std::ptrdiff_t>(index));
    const bool dropped = chance(loss_percent);
    if (!dropped) {
      const auto result = receive_packet(transit.to->streams, transit.packet);
      RC_ASSERT(result.has_value());
      // Packets are not repeated in a transport, but frames are: the same range may come in two packets.
      if (chance(10)) RC_ASSERT(receive_packet(transit.to->streams, transit.packet).has_value());
    }
    // The acknowledgement may be lost too; then the packet is declared lost although it arrived.
    if (dropped || chance(loss_percent / 2)) {
      lose(transit.from->streams, transit.packet);
      if (!dropped && chance(30)) acknowledge(transit.from->streams, transit.packet);  // a spurious loss
    } else {
      acknowledge(transit.from->streams, transit.packet);
    }
  }
  bool empty() const { return under_way_.empty(); }

 private:
  struct Transit {
    Side* from;
    Side* to;
    Packet packet;
  };
  std::mt19937 random_;
  std::deque<Transit> under_way_;
};

// An application that writes `length` bytes to each of its streams, and reads in pieces.
struct Application {
  Side& side;
  Channel& channel;
  struct Writing {
    std::uint64_t written = 0, length = 0;
    bool abandoned = false;
    bool ended = false;
  };
  std::map<std::uint64_t, Writing> writing;
  std::map<std::uint64_t, bool> stopped;
  bool picky = true;  // takes only part of what it is given

  Application(Side& s, Channel& c) : side(s), channel(c) {
    side.events.data_hook = [this](StreamId, ByteView data, bool) {
      return picky && channel.chance(30) ? channel.below(data.size() + 1) : data.size();
    };
    side.events.stop_hook = [this](StreamId id, AppErrorCode) { writing[id.value()].abandoned = true; };
    // Answers on two-way streams of the peer.
    side.events.opened_hook = [this](StreamId id) {
      if (id.type() == StreamType::bidirectional) writing[id.value()].length = channel.below(3000);
    };
    side.events.writable_hook = [this](StreamId id) { go_on(id); };
  }

  void open() {
    const auto id = side.streams.open(channel.chance(50) ? StreamType::bidirectional : StreamType::unidirectional);
    if (id) writing[id->value()].length = channel.below(5000);
  }
  void go_on(StreamId id) {
    Writing& w = writing[id.value()];
    if (w.abandoned) return;
    while (w.written < w.length) {
      const std::size_t want = std::min<std::size_t>(w.length - w.written, 1 + channel.below(900));
      const auto taken = side.streams.write(id, pattern_bytes(w.written, want));
      if (!taken || *taken == 0) return;
      w.written += *taken;
    }
    std::ignore = side.streams.finish(id);
    w.ended = true;
  }
  // A stream may have been opened by the very last packet, and its answer is still to be written.
  bool has_more_to_write() const {
    return std::ranges::any_of(writing, [](const auto& it) { return !it.second.abandoned && !it.second.ended; });
  }
  void act(bool may_abandon) {
    if (channel.chance(20)) open();
    for (auto& [id, w] : writing) {
      go_on(StreamId(id));
      if (may_abandon && channel.chance(1) && side.streams.reset(StreamId(id), id)) w.abandoned = true;
    }
    for (auto& [id, bytes] : side.events.received) {
      if (may_abandon && channel.chance(1) && side.streams.stop_sending(StreamId(id), id)) stopped[id] = true;
      std::ignore = side.streams.resume(StreamId(id));
    }
  }
};

void check_bounds(const Streams& streams, const FlowControlConfig& config) {
  const StreamUsage usage = streams.usage();
  RC_ASSERT(usage.receive_buffered <= config.max_connection_window);
  RC_ASSERT(usage.open_remote <= config.max_streams_bidirectional + config.max_streams_unidirectional);
  RC_ASSERT(usage.send_buffered <= usage.objects * config.stream_send_buffer);
}

void run(std::uint32_t seed, int loss_percent, bool may_abandon) {
  FlowControlConfig config = small_config();
  config.max_stream_window = 3000;
  config.max_connection_window = 9000;
  config.max_reassembly_spans = 1024;
  StreamPair pair(config, config);
  Channel channel(seed);
  Application client(pair.client, channel), server(pair.server, channel);
  Timestamp now{};
  using namespace std::chrono_literals;
  for (int round = 0;; ++round) {
    RC_ASSERT(round < 20'000);
    now += 1ms;
    const bool ending = round > 150;
    for (Application* app : {&client, &server}) {
      app->picky = !ending;
      app->side.streams.on_clock(now, 5ms);
      app->side.streams.deliver_resumed();
      if (!ending) app->act(may_abandon);
      else
        for (auto& [id, w] : app->writing) app->go_on(StreamId(id));
      if (ending)
        for (auto& [id, bytes] : app->side.events.received) std::ignore = app->side.streams.resume(StreamId(id));
    }
    const std::size_t size = 100 + channel.below(1300);
    channel.send(pair.client, pair.server, size);
    channel.send(pair.server, pair.client, size);
    channel.step(loss_percent);
    if (channel.chance(60)) channel.step(loss_percent);
    if (ending)
      for (int i = 0; i < 4; ++i) channel.step(loss_percent);
    check_bounds(pair.client.streams, config);
    check_bounds(pair.server.streams, config);
    if (ending && channel.empty() && !pair.client.streams.has_pending() && !pair.server.streams.has_pending() &&
        !client.has_more_to_write() && !server.has_more_to_write())
      break;
  }
  // The last thing may have been a resume.
  for (Side* side : {&pair.client, &pair.server}) side->streams.deliver_resumed();
  const std::pair<Application*, Application*> ways[] = {{&client, &server}, {&server, &client}};
  std::size_t whole = 0;
  for (const auto& [from, to] : ways) {
    for (const auto& [id, w] : from->writing) {
      const std::string& got = to->side.events.received[id];
      const auto expected = pattern_bytes(0, got.size());
      RC_ASSERT(got == std::string(expected.begin(), expected.end()));
      RC_ASSERT(got.size() <= w.length);
      if (w.abandoned || to->stopped.contains(id)) continue;
      ++whole;
      RC_ASSERT(got.size() == w.length);
      RC_ASSERT(to->side.events.fins[id] == 1);
    }
  }
  RC_ASSERT(whole > 0u);
  for (Side* side : {&pair.client, &pair.server}) {
    side->streams.collect();
    const StreamUsage usage = side->streams.usage();
    RC_ASSERT(usage.objects == 0u);
    RC_ASSERT(usage.open_local == 0u);
    RC_ASSERT(usage.open_remote == 0u);
    RC_ASSERT(usage.send_buffered + usage.receive_buffered == 0u);
    RC_ASSERT(!side->streams.blocked_by_connection_credit());
    RC_ASSERT(!side->streams.blocked_by_stream_credit());
  }
  RC_ASSERT(pair.client.streams.counters().bytes_acknowledged <= pair.client.streams.counters().bytes_sent);
}

BOOST_AUTO_TEST_SUITE(streams_channel_property)

BOOST_AUTO_TEST_CASE(all_bytes_arrive_once_over_a_perfect_path) {
  BOOST_TEST(rc::check("perfect path", [](std::uint32_t seed) { run(seed, 0, false); }));
}

BOOST_AUTO_TEST_CASE(all_bytes_arrive_once_over_a_lossy_path) {
  BOOST_TEST(rc::check("lossy path", [](std::uint32_t seed) { run(seed, 20, false); }));
}

BOOST_AUTO_TEST_CASE(streams_that_are_not_abandoned_arrive_whole_beside_those_that_are) {
  BOOST_TEST(rc::check("resets and stops", [](std::uint32_t seed) { run(seed, 15, true); }));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace mxp::test
