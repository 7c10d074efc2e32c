// What follows each keyword of a link's text.
#include "netem/drop_list.h"
#include "netem/spec_parser.h"

namespace mxp::netem {
namespace {

std::optional<std::string> table_name(std::string_view word) { return std::string(word); }

}  // namespace

void SpecParser::read_delay() {
  spec_.delay = {};
  spec_.delay.mean = time("delay 40ms");
  if (at_number()) {
    spec_.delay.jitter = time("delay 40ms 5ms");
    percent_if_any(spec_.delay.correlation, "delay 40ms 5ms 25%");
  }
  if (accept_keyword("distribution")) read_distribution();
}

// tc also takes it as a keyword of its own, after others.
void SpecParser::read_distribution() {
  spec_.delay.table = {};
  spec_.delay.distribution = distribution(spec_.delay.table);
  distribution_given_ = true;
}

// Any other word than the four shapes is the name of a table, as in tc.
Distribution SpecParser::distribution(DelayTable& table) {
  const auto name =
      value(table_name, "a distribution (uniform, normal, pareto, paretonormal or a file)", "distribution normal");
  for (const Distribution shape :
       {Distribution::uniform, Distribution::normal, Distribution::pareto, Distribution::paretonormal}) {
    if (name == to_string(shape)) return shape;
  }
  table.file = name;
  return Distribution::table;
}

void SpecParser::read_loss() {
  if (accept("gemodel")) return read_gemodel();
  if (accept("state")) return read_states();
  accept("random");
  spec_.loss = chance("loss 1%");
}

void SpecParser::read_gemodel() {
  GilbertElliott model;
  model.p = percent("loss gemodel 1% 25%");
  model.r = 1 - model.p;
  percent_if_any(model.r, "loss gemodel 1% 25%");
  percent_if_any(model.loss_in_bad, "loss gemodel 1% 25% 90%");
  percent_if_any(model.loss_in_good, "loss gemodel 1% 25% 90% 0.1%");
  spec_.loss = model;
}

void SpecParser::read_states() {
  FourStateLoss model;
  model.p13 = percent("loss state 1% 25%");
  model.p31 = 1 - model.p13;
  percent_if_any(model.p31, "loss state 1% 25%");
  percent_if_any(model.p32, "loss state 1% 25% 10%");
  percent_if_any(model.p23, "loss state 1% 25% 10% 50%");
  percent_if_any(model.p14, "loss state 1% 25% 10% 50% 0.1%");
  constexpr double kRounding = 1e-9;
  if (model.p13 + model.p14 > 1 + kRounding)
    return fail("'loss state': P13 and P14 leave the same state, so together at most 100%");
  if (model.p31 + model.p32 > 1 + kRounding)
    return fail("'loss state': P31 and P32 leave the same state, so together at most 100%");
  spec_.loss = model;
}

void SpecParser::read_ecn() { spec_.ecn = true; }
void SpecParser::read_duplicate() { spec_.duplicate = chance("duplicate 1%"); }
void SpecParser::read_corrupt() { spec_.corrupt = chance("corrupt 0.1%"); }

void SpecParser::read_reorder() {
  spec_.reorder.chance = chance("reorder 25% 50%");
  reorder_given_ = true;
  if (accept_keyword("gap") && comes_once("gap", "gap")) read_gap();
}

void SpecParser::read_gap() { spec_.reorder.gap = count("reorder 25% gap 5"); }

void SpecParser::read_rate() {
  spec_.framing = {};
  spec_.rate = value(parse_rate, "a rate (8bit to 1tbit; kbit = 1000 bit/s, kbps = 1000 byte/s)", "rate 10mbit");
  if (at_number()) spec_.framing.overhead_bytes = value(parse_signed, "an overhead in bytes", "rate 10mbit 18");
  if (at_number()) spec_.framing.cell_bytes = count("rate 10mbit 0 48 5");
  if (at_number())
    spec_.framing.cell_overhead_bytes = value(parse_signed, "a cell overhead in bytes", "rate 10mbit 0 48 5");
  constexpr std::int32_t kLargestFraming = 65535;
  const auto& framing = spec_.framing;
  if (framing.overhead_bytes > kLargestFraming || framing.overhead_bytes < -kLargestFraming ||
      framing.cell_bytes > kLargestFraming || framing.cell_overhead_bytes > kLargestFraming ||
      framing.cell_overhead_bytes < -kLargestFraming) {
    fail("'rate': overheads and cells are at most {} bytes", kLargestFraming);
  }
}

void SpecParser::read_limit() {
  spec_.limit = {};
  if (accept("auto")) {
    spec_.limit.automatic = true;
    return;
  }
  spec_.limit.packets = value(parse_count, "a number of packets or 'auto'", "limit 1000");
  if (error_.empty() && spec_.limit.packets == 0)
    fail("'limit 0' would drop everything: use 'limit auto' or a number above 0");
}

void SpecParser::read_slot() {
  spec_.slot = {};
  if (accept("distribution")) {
    spec_.slot.drawn = true;
    spec_.slot.distribution = distribution(spec_.slot.table);
    spec_.slot.delay = time("slot distribution normal 20ms 5ms");
    spec_.slot.jitter = time("slot distribution normal 20ms 5ms");
  } else {
    spec_.slot.min = time("slot 10ms 20ms");
    spec_.slot.max = spec_.slot.min;
    if (at_number()) spec_.slot.max = time("slot 10ms 20ms");
    if (error_.empty() && spec_.slot.max < spec_.slot.min)
      return fail("'slot': the second time must not be less than the first");
  }
  if (error_.empty() && !spec_.slot.enabled()) return fail("'slot' needs a time above 0, such as 'slot 10ms'");
  for (;;) {
    if (accept_abbreviated("packets")) {
      spec_.slot.packets = count("slot 10ms packets 8");
    } else if (accept_abbreviated("bytes")) {
      spec_.slot.bytes = value(parse_size, "a number of bytes", "slot 10ms bytes 16k");
    } else {
      return;
    }
  }
}

void SpecParser::read_order() {
  if (accept("keep")) {
    spec_.order = Order::keep;
  } else if (accept("time")) {
    spec_.order = Order::time;
  } else {
    fail("'order' is 'keep' (jitter alone does not reorder) or 'time' (it does)");
  }
}

void SpecParser::read_mtu() {
  spec_.mtu = count("mtu 1400");
  constexpr std::uint32_t kLeast = 68;  // RFC 791: every module must forward 68 octets
  if (error_.empty() && spec_.mtu < kLeast)
    fail("'mtu': at least {} bytes, the smallest IP packet that every link takes", kLeast);
}

void SpecParser::read_trace() {
  if (position_ >= words_.size()) return fail("'trace' needs a file with one millisecond number a line");
  spec_.trace = {.file = std::string(words_[position_++]), .opportunities_ms = {}};
}

void SpecParser::read_rebind() {
  spec_.rebind_every = time("rebind 30s");
  constexpr Duration kLeast = std::chrono::milliseconds(10);  // each opens sockets, one for each client
  if (error_.empty() && spec_.rebind_every < kLeast) fail("'rebind' needs 10ms or more, such as 'rebind 30s'");
}

void SpecParser::read_outage() {
  spec_.outage.length = time("outage 2s every 30s");
  if (!error_.empty()) return;
  if (!accept("every")) return fail("'outage' needs its period, such as 'outage 2s every 30s'");
  spec_.outage.every = time("outage 2s every 30s");
  if (!error_.empty()) return;
  if (spec_.outage.length.count() == 0) return fail("'outage' needs a time above 0, such as 'outage 2s every 30s'");
  if (spec_.outage.every <= spec_.outage.length) fail("'outage': the period must be longer than the outage");
}

void SpecParser::read_queue() {
  spec_.queue = {};
  if (accept("droptail")) return;
  if (accept("codel")) return read_codel();
  if (accept("red")) return read_red();
  fail("'queue' is 'droptail', 'codel' or 'red'");
}

void SpecParser::read_codel() {
  spec_.queue.discipline = QueueDiscipline::codel;
  for (;;) {
    if (accept("target")) {
      spec_.queue.target = time("queue codel target 5ms");
    } else if (accept("interval")) {
      spec_.queue.interval = time("queue codel interval 100ms");
    } else if (accept("ecn")) {
      spec_.queue.ecn = true;
    } else {
      break;
    }
  }
  if (error_.empty() && spec_.queue.interval.count() == 0) fail("'queue codel': the interval must be above 0");
}

void SpecParser::read_red() {
  auto& queue = spec_.queue;
  queue.discipline = QueueDiscipline::red;
  const auto bytes = [this](std::string_view example) { return value(parse_size, "a number of bytes", example); };
  for (;;) {
    if (accept("min")) {
      queue.min_bytes = bytes("queue red min 30k");
    } else if (accept("max")) {
      queue.max_bytes = bytes("queue red max 90k");
    } else if (accept("probability")) {
      queue.probability = percent("queue red probability 2%");
    } else if (accept("avpkt")) {
      queue.packet_bytes = bytes("queue red avpkt 1000");
    } else if (accept("burst")) {
      queue.burst_packets = count("queue red burst 55");
    } else if (accept("ecn")) {
      queue.ecn = true;
    } else if (accept("harddrop")) {
      queue.harddrop = true;
    } else {
      break;
    }
  }
  if (!error_.empty()) return;
  if (queue.packet_bytes == 0) return fail("'queue red': avpkt must be above 0");
  if (queue.max_bytes > 0 && queue.min_bytes >= queue.max_bytes) fail("'queue red': min must be below max");
}

void SpecParser::read_marks() {
  if (accept("keep")) {
    spec_.marks = Marks::keep;
  } else if (accept("strip")) {
    spec_.marks = Marks::strip;
  } else {
    fail("'marks' is 'keep' (ECN passes) or 'strip' (it is cleared)");
  }
}

void SpecParser::read_droplist() { spec_.drops = value(parse_drop_list, "a list of packets", "droplist 1-3,7,h2"); }

}  // namespace mxp::netem
