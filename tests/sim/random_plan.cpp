#include "sim/random_plan.h"

#include <fmt/format.h>

#include <algorithm>

#include "scheduler/message_receiver.h"

namespace mxp::test {

namespace {

constexpr std::size_t index_of(Role role) { return role == Role::server ? 1 : 0; }

// One number out of a range, small ones and large ones alike: as many from 10 to 100 as from 100 to 1000.
std::uint64_t over_magnitudes(SeededRandom& random, std::uint64_t lowest, std::uint64_t highest) {
  unsigned doublings = 0;
  while ((lowest << (doublings + 1)) <= highest) ++doublings;
  const std::uint64_t base = lowest << random.below(doublings + 1);
  return std::min(highest, base + random.below(base));
}

struct DrawnLink {
  std::string text;
  std::uint64_t rate_kbit;
  Duration delay;
};

// Loss up to 20 %, bursts, reorder, copies, corruption, delays from none to 300 ms, rates from 128 kbit to 1 gbit,
// queues from 10 packets upwards.
DrawnLink draw_link(SeededRandom& random) {
  const std::uint64_t rate_kbit = over_magnitudes(random, 128, 1'000'000);
  const std::uint64_t delay_ms = random.below(4) == 0 ? 0 : random.below(301);
  std::string text = fmt::format("rate {}kbit delay {}ms", rate_kbit, delay_ms);
  if (delay_ms > 0 && random.below(2) == 0) text += fmt::format(" {}ms", random.below(delay_ms / 4 + 1));
  switch (random.below(4)) {
    case 0: break;
    case 1: text += fmt::format(" loss {}%", random.below(21)); break;
    case 2: text += fmt::format(" loss 0.{}%", random.below(10)); break;
    case 3: text += fmt::format(" loss gemodel {}% {}%", 1 + random.below(5), 20 + random.below(60)); break;
  }
  if (text.contains("loss") && random.below(4) == 0) text += " ecn";
  if (delay_ms > 0 && random.below(2) == 0) text += fmt::format(" reorder {}%", random.below(20));
  if (random.below(3) == 0) text += fmt::format(" duplicate {}%", random.below(10));
  if (random.below(3) == 0) text += fmt::format(" corrupt {}%", random.below(5));
  if (random.below(3) == 0) text += " order time";
  if (random.below(3) == 0) text += fmt::format(" limit {}", over_magnitudes(random, 10, 2000));
  if (random.below(12) == 0) text += fmt::format(" slot {}ms {}ms", 1 + random.below(5), 5 + random.below(20));
  if (random.below(12) == 0)
    text += fmt::format(" outage {}ms every {}ms", 20 + random.below(1000), 2000 + random.below(4000));
  return {text, rate_kbit, std::chrono::milliseconds(delay_ms)};
}

CongestionControl draw_controller(SeededRandom& random) {
  switch (random.below(4)) {
    case 0: return CongestionControl::cubic;
    case 1: return CongestionControl::newreno;
    default: return CongestionControl::bbr;
  }
}

std::string_view name_of(CongestionControl algorithm) {
  switch (algorithm) {
    case CongestionControl::bbr: return "bbr";
    case CongestionControl::cubic: return "cubic";
    case CongestionControl::newreno: return "newreno";
    case CongestionControl::none: return "none";
  }
  return "";
}

void draw_settings(SeededRandom& random, TransportConfig& transport) {
  transport.handshake_timeout = 60s;
  transport.recovery.congestion_control = draw_controller(random);
  transport.recovery.ecn = random.below(8) != 0;
  if (random.below(4) == 0) transport.recovery.max_ack_delay = std::chrono::milliseconds(random.below(100));
  if (random.below(8) == 0) transport.max_udp_payload = kMinInitialSize;
  if (random.below(8) == 0) transport.max_receive_udp_payload = kMinInitialSize + random.below(10'000);
  if (random.below(4) == 0) {
    // Windows and buffers that a transfer of this size feels.
    FlowControlConfig& flow = transport.flow_control;
    flow.connection_window = over_magnitudes(random, 4'000, 100'000);
    flow.stream_window = over_magnitudes(random, 2'000, 100'000);
    flow.max_connection_window = flow.connection_window * (1 + random.below(4));
    flow.max_stream_window = flow.stream_window * (1 + random.below(4));
    flow.max_streams_bidirectional = 1 + random.below(4);
    flow.max_streams_unidirectional = 1 + random.below(4);
    flow.stream_send_buffer = over_magnitudes(random, 2'000, 100'000);
    flow.connection_send_buffer = over_magnitudes(random, 4'000, 200'000);
    MessageConfig& messages = transport.messages;
    messages.window = over_magnitudes(random, 1, 1000);
    messages.receive_window = over_magnitudes(random, 2048, 100'000);
    messages.max_receive_window = messages.receive_window * (1 + random.below(4));
    messages.send_buffer = over_magnitudes(random, 2'048, 100'000);
    messages.compaction = random.below(2) == 0;
  }
}

std::uint32_t draw_mtu(SeededRandom& random) {
  switch (random.below(4)) {
    case 0: return 1228;
    case 1: return 1500;
    default: return static_cast<std::uint32_t>(over_magnitudes(random, 1228, 65'535));
  }
}

std::uint64_t draw_size(SeededRandom& random) {
  if (random.below(3) == 0) return random.below(2000);
  return random.below(random.below(24) == 0 ? 1'000'000 : 80'000);
}

// One side, or both.
std::vector<RandomPlan::Send> draw_sends(SeededRandom& random, std::uint64_t most) {
  std::vector<RandomPlan::Send> sends;
  const std::uint64_t shape = random.below(3);
  for (std::uint64_t i = 0, streams = 1 + random.below(most); i < streams; ++i) {
    const Role sender = shape == 0 || (shape == 2 && random.below(2) == 0) ? Role::client : Role::server;
    const StreamType type = random.below(2) == 0 ? StreamType::bidirectional : StreamType::unidirectional;
    sends.push_back({sender, type, draw_size(random)});
  }
  return sends;
}

RandomPlan::Messages draw_messages(SeededRandom& random) {
  constexpr MessageType kTypes[] = {MessageType::call, MessageType::agent_heartbeat, MessageType::stream_chunk,
                                    MessageType::event, MessageType{0x80}};
  RandomPlan::Messages messages{random.below(2) == 0 ? Role::client : Role::server, {}};
  messages.burst.type = kTypes[random.below(std::size(kTypes))];
  messages.burst.count = over_magnitudes(random, 1, 300);
  messages.burst.size = random.below(4) == 0 ? random.below(kMaxShortMessage + 1) : random.below(100);
  if (random.below(3) == 0) messages.burst.lifetime = std::chrono::milliseconds(over_magnitudes(random, 1, 5000));
  return messages;
}

// Some messages are too long for one frame, as long as their receiver takes.
void lengthen(SeededRandom& random, const RandomPlan& plan, RandomPlan::Messages& messages) {
  if (random.below(4) != 0) return;
  const auto& receiver = messages.sender == Role::client ? plan.config.server : plan.config.client;
  const std::uint64_t most = MessageReceiver::largest_payload(receiver.transport.messages);
  messages.burst.size = std::min(most, over_magnitudes(random, kMaxShortMessage + 1, 300'000));
  messages.burst.count = std::min<std::uint64_t>(messages.burst.count, 1 + 200'000 / messages.burst.size);
}

void add_text(RandomPlan& plan) {
  const auto side = [&](Role role) {
    const TransportConfig& transport = (role == Role::client ? plan.config.client : plan.config.server).transport;
    return fmt::format("{}{}", name_of(transport.recovery.congestion_control),
                       transport.recovery.ecn ? "" : " without ECN");
  };
  plan.text = fmt::format("up: {}; down: {}; {}, {}; {} bytes up, {} down", plan.config.up, plan.config.down,
                          side(Role::client), side(Role::server), plan.expected_bytes[1], plan.expected_bytes[0]);
  for (const RandomPlan::Step& step : plan.steps) {
    plan.text += fmt::format("; at {} ms:", step.at / 1ms);
    if (!step.sends.empty()) plan.text += fmt::format(" {} streams", step.sends.size());
    for (const RandomPlan::Messages& messages : step.messages)
      plan.text += fmt::format(" {} messages of {} bytes{}", messages.burst.count, messages.burst.size,
                               messages.burst.order == MessageOrder::in_class ? " in order" : "");
    if (step.move == RandomPlan::Move::new_port) plan.text += " new port";
    if (step.move == RandomPlan::Move::new_address) plan.text += " new address";
    for (const RandomPlan::Mtu& mtu : step.mtus)
      plan.text += fmt::format(" mtu {} {}", mtu.sender == Role::client ? "up" : "down", mtu.bytes);
  }
  if (plan.drains[0]) plan.text += "; the client drains";
  if (plan.drains[1]) plan.text += "; the server drains";
}

}  // namespace

RandomPlan draw_plan(std::uint64_t seed) {
  SeededRandom random(seed);
  RandomPlan plan;
  plan.config.seed = seed;
  const DrawnLink up = draw_link(random);
  const DrawnLink down = draw_link(random);
  plan.config.up = up.text;
  plan.config.down = down.text;
  const Duration ce_threshold = random.below(3) == 0 ? Duration(random.below(20) * 1ms) : Duration::zero();
  const netem::Marks marks = random.below(10) == 0 ? netem::Marks::strip : netem::Marks::keep;
  plan.config.adjust = [=](netem::LinkSpec& link) {
    link.ce_threshold = ce_threshold;
    link.marks = marks;
  };
  for (EndpointConfig* side : {&plan.config.client, &plan.config.server}) {
    draw_settings(random, side->transport);
    // Small, so that keys are updated in the middle of what happens.
    side->transport.key_update.packets = 1 + random.below(side == &plan.config.client ? 100 : 1000);
  }
  for (const std::size_t side : {0u, 1u}) {
    // Never nothing: a stream without an answer would not end, and would keep its place among those that may be open.
    plan.reply_bytes[side] = 1 + (random.below(2) == 0 ? 0 : random.below(20'000));
    plan.reads_slowly[side] = random.below(4) == 0;
  }

  // Some begin with little and go on after a pause, perhaps when all is long over.
  plan.steps.push_back({Duration::zero(), draw_sends(random, 8)});
  std::uint64_t bytes = 0;
  for (const RandomPlan::Send& send : plan.steps.front().sends) bytes += send.bytes;
  const Duration transfer =
      3 * (up.delay + down.delay) + std::chrono::milliseconds(bytes * 8 / std::min(up.rate_kbit, down.rate_kbit) + 20);
  // A pause is shorter than the idle timeout, so that what ends a connection is the link.
  const auto moment = [&] { return std::min<Duration>(transfer * random.below(1500) / 1000, 6s); };
  for (std::uint64_t more = random.below(3); more > 0; --more)
    plan.steps.push_back({moment() * (1 + random.below(4)), draw_sends(random, 3)});
  for (const Role side : {Role::client, Role::server}) {
    plan.steps.front().mtus.push_back({side, draw_mtu(random)});
    if (random.below(2) == 0) continue;
    for (std::uint64_t more = 1 + random.below(3); more > 0; --more)
      plan.steps.push_back({moment(), {}, {{side, draw_mtu(random)}}});
  }
  if (random.below(2) == 0) {
    for (std::uint64_t more = 1 + random.below(3); more > 0; --more)
      // Who only listens is not found after a move: so the client says something.
      plan.steps.push_back({.at = moment(),
                            .sends = {{Role::client, StreamType::unidirectional, 1}},
                            .move = random.below(2) == 0 ? RandomPlan::Move::new_port : RandomPlan::Move::new_address});
  }
  if (random.below(2) == 0) {
    for (std::uint64_t more = 1 + random.below(3); more > 0; --more)
      plan.steps.push_back({.at = moment(), .messages = {draw_messages(random)}});
  }
  std::stable_sort(plan.steps.begin(), plan.steps.end(),
                   [](const RandomPlan::Step& a, const RandomPlan::Step& b) { return a.at < b.at; });

  for (RandomPlan::Step& step : plan.steps) {
    for (RandomPlan::Messages& messages : step.messages) {
      lengthen(random, plan, messages);
      plan.message_count[index_of(messages.sender)] += messages.burst.count;
      plan.message_bytes += messages.burst.count * messages.burst.size;
    }
    for (const RandomPlan::Send& send : step.sends) {
      const Role receiver = peer_of(send.sender);
      plan.expected_bytes[index_of(receiver)] += send.bytes;
      if (send.type == StreamType::bidirectional)
        plan.expected_bytes[index_of(send.sender)] += plan.reply_bytes[index_of(receiver)];
    }
  }
  if (random.below(2) == 0) {
    const std::uint64_t who = random.below(3);
    plan.drains[0] = who != 1;
    plan.drains[1] = who != 0;
  }
  for (RandomPlan::Step& step : plan.steps)
    for (RandomPlan::Messages& messages : step.messages)
      if (random.below(2) == 0) messages.burst.order = MessageOrder::in_class;
  add_text(plan);
  return plan;
}

}  // namespace mxp::test
