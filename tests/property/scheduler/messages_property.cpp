// Messages over a path that loses, repeats and reorders packets, with deadlines, cancels and slow readers: each message
// arrives at most once, whole, and what its sender is told of it is true.
#include <rapidcheck.h>

#include <boost/test/unit_test.hpp>
#include <deque>
#include <random>
#include <set>

#include "unit/scheduler/messages_fixture.h"

namespace mxp::test {
namespace {

using namespace std::chrono_literals;

struct Transit {
  MessageSide* from;
  MessageSide* to;
  MessagePacket packet;
};

void run(std::uint32_t seed) {
  std::mt19937 random(seed);
  const auto below = [&](std::uint64_t bound) {
    return std::uniform_int_distribution<std::uint64_t>(0, bound - 1)(random);
  };
  MessageConfig config;
  config.window = 1 + below(100);
  config.receive_window = 2048 + below(8000);
  config.max_receive_window = config.receive_window + below(below(2) == 0 ? 8000 : 60'000);
  if (below(3) == 0) config.max_message = kMaxShortMessage + below(20'000);
  config.send_buffer = 3000 + below(20'000);
  config.compaction = below(2) == 0;
  MessagePair pair(config, config);
  MessageSide& client = pair.client;
  MessageSide& server = pair.server;
  bool picky = true;
  server.app.takes = [&](const Message&) { return !picky || below(4) != 0; };

  std::map<std::uint64_t, MessageTicket> sent;  // by id
  std::map<std::uint64_t, std::size_t> sizes;
  std::set<std::uint64_t> cancelled_unsent, cancelled;
  std::deque<Transit> under_way;
  Timestamp now{};
  std::uint64_t id = 0;
  for (int round = 0;; ++round) {
    RC_ASSERT(round < 50'000);
    now += 1ms;
    const bool ending = round > 200;
    picky = !ending;
    client.messages.on_clock(now, 5ms);
    server.messages.on_clock(now, 5ms);
    for (std::uint64_t i = ending ? 0 : below(6); i > 0; --i) {
      MessageOptions options{.report_outcome = true};
      if (below(3) == 0) options.expires_at = now + std::chrono::milliseconds(1 + below(60));
      const auto type = below(2) == 0 ? MessageType::call : MessageType::event;
      const std::size_t size = below(10) == 0   ? below(kMaxShortMessage + 1)
                               : below(10) == 0 ? below(MessageReceiver::largest_payload(config) + 1)
                                                : below(60);
      const auto ticket = client.send(id, size, options, type);
      if (ticket) sent.emplace(id, *ticket), sizes[id] = size;
      if (ticket) ++id;
    }
    if (!sent.empty() && below(10) == 0) {
      const auto& [which, ticket] = *std::next(sent.begin(), static_cast<std::ptrdiff_t>(below(sent.size())));
      if (const auto outcome = client.messages.cancel(ticket)) {
        cancelled.insert(which);
        if (*outcome == MessageOutcome::not_sent) cancelled_unsent.insert(which);
      }
    }
    if (below(3) == 0 || ending) {
      server.messages.resume();
      server.messages.deliver_resumed();
    }
    for (auto [from, to] : {std::pair{&client, &server}, std::pair{&server, &client}}) {
      MessagePacket packet = from->packet(200 + below(1000) + kMaxShortMessage);
      if (!packet.frames.empty()) under_way.push_back({from, to, std::move(packet)});
    }
    for (std::uint64_t i = ending ? 4 : below(3); i > 0 && !under_way.empty(); --i) {
      const auto at =
          under_way.begin() + static_cast<std::ptrdiff_t>(below(std::min<std::size_t>(under_way.size(), 6)));
      const Transit transit = std::move(*at);
      under_way.erase(at);
      const bool dropped = below(5) == 0;
      if (!dropped) RC_ASSERT(transit.to->receive(transit.packet).has_value());
      if (!dropped && below(10) == 0) RC_ASSERT(transit.to->receive(transit.packet).has_value());
      if (dropped || below(10) == 0) {
        transit.from->lose(transit.packet);
        if (!dropped && below(3) == 0) transit.from->acknowledge(transit.packet);
      } else {
        transit.from->acknowledge(transit.packet);
      }
    }
    RC_ASSERT(server.messages.memory() < 300'000u);
    if (ending && under_way.empty() && !client.has_pending() && !server.has_pending() &&
        (client.messages.deadline() == kNever || client.messages.deadline() <= now))
      break;
  }
  std::map<std::uint64_t, int> times;
  for (const std::uint64_t received : server.app.received) ++times[received];
  for (const auto& [received, count] : times) {
    RC_ASSERT(count == 1);
    RC_ASSERT(sent.contains(received));
    RC_ASSERT(server.app.payloads[received] == std::string(sizes[received], static_cast<char>(received)));
    RC_ASSERT(!cancelled_unsent.contains(received));
  }
  std::uint64_t gone = 0;
  for (const auto& [which, ticket] : sent) {
    const auto outcome = client.app.outcomes.find(ticket.value());
    RC_ASSERT((outcome != client.app.outcomes.end()) != cancelled.contains(which));
    if (times[which] == 0) ++gone;
    if (outcome == client.app.outcomes.end()) continue;
    if (outcome->second == MessageOutcome::delivered) RC_ASSERT(times[which] == 1);
    if (outcome->second == MessageOutcome::not_sent) RC_ASSERT(times[which] == 0);
    RC_ASSERT(outcome->second != MessageOutcome::unknown);
  }
  RC_ASSERT(server.app.expired == gone);  // both sides know of each
  RC_ASSERT(!client.messages.blocked_by_peer());
}

BOOST_AUTO_TEST_SUITE(messages_property)

BOOST_AUTO_TEST_CASE(messages_arrive_once_and_outcomes_are_true) { BOOST_TEST(rc::check("messages", run)); }

BOOST_AUTO_TEST_CASE(the_sequence_window_matches_a_set) {
  BOOST_TEST(rc::check("sequence window", [] {
    const std::uint64_t width = *rc::gen::inRange<std::uint64_t>(1, 300);
    SequenceWindow window(width);
    std::set<std::uint64_t> settled;
    std::uint64_t base = 0;
    for (int i = *rc::gen::inRange(0, 300); i > 0; --i) {
      const std::uint64_t first =
          base - std::min<std::uint64_t>(base, 20) + *rc::gen::inRange<std::uint64_t>(0, width + 40);
      const std::uint64_t count = *rc::gen::inRange<std::uint64_t>(1, 70);
      std::uint64_t fresh = 0;
      const bool beyond = first + count > base + width && first + count > base;
      if (!beyond)
        for (std::uint64_t at = first; at != first + count; ++at)
          if (at >= base && settled.insert(at).second) ++fresh;
      const auto got = window.settle(first, count);
      RC_ASSERT(got.has_value() == !beyond);
      if (got) RC_ASSERT(*got == fresh);
      while (settled.contains(base)) ++base;
      RC_ASSERT(window.base() == base);
      for (std::uint64_t at = base; at != base + width; ++at) RC_ASSERT(window.is_settled(at) == settled.contains(at));
      if (*rc::gen::inRange(0, 10) == 0) window.shrink();
    }
  }));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace mxp::test
