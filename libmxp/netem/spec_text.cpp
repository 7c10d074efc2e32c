#include <fmt/format.h>

#include "netem/drop_list.h"
#include "netem/spec.h"
#include "netem/spec_units.h"

namespace mxp::netem {
namespace {

class Words {
 public:
  void add(std::string_view word) {
    if (!text_.empty()) text_ += ' ';
    text_ += word;
  }
  template <typename... Args>
  void add_format(fmt::format_string<Args...> format, Args&&... args) {
    add(fmt::format(format, std::forward<Args>(args)...));
  }
  void add_chance(const Chance& chance) {
    add(percent_text(chance.p));
    if (chance.correlation > 0) add(percent_text(chance.correlation));
  }
  std::string take() { return std::move(text_); }

 private:
  std::string text_;
};

std::string_view distribution_word(Distribution distribution, const DelayTable& table) {
  return distribution == Distribution::table ? std::string_view(table.file) : to_string(distribution);
}

void add_delay(Words& words, const LinkSpec::Delay& delay) {
  if (delay.mean.count() == 0 && delay.jitter.count() == 0) return;  // without delay a correlation means nothing
  words.add("delay");
  words.add(time_text(delay.mean));
  if (delay.jitter.count() == 0) return;
  words.add(time_text(delay.jitter));
  if (delay.correlation > 0) words.add(percent_text(delay.correlation));
  if (delay.distribution != Distribution::uniform)
    words.add_format("distribution {}", distribution_word(delay.distribution, delay.table));
}

void add_loss(Words& words, const LossModel& loss) {
  if (const auto* random = std::get_if<RandomLoss>(&loss)) {
    words.add("loss");
    words.add_chance(*random);
  } else if (const auto* ge = std::get_if<GilbertElliott>(&loss)) {
    words.add_format("loss gemodel {} {} {} {}", percent_text(ge->p), percent_text(ge->r),
                     percent_text(ge->loss_in_bad), percent_text(ge->loss_in_good));
  } else if (const auto* four = std::get_if<FourStateLoss>(&loss)) {
    words.add_format("loss state {} {} {} {} {}", percent_text(four->p13), percent_text(four->p31),
                     percent_text(four->p32), percent_text(four->p23), percent_text(four->p14));
  }
}

void add_rate(Words& words, const LinkSpec& spec) {
  if (spec.rate.is_zero()) return;
  words.add_format("rate {}", rate_text(spec.rate));
  if (spec.framing == LinkSpec::Framing{}) return;
  words.add_format("{} {} {}", spec.framing.overhead_bytes, spec.framing.cell_bytes, spec.framing.cell_overhead_bytes);
}

void add_slot(Words& words, const LinkSpec::Slot& slot) {
  if (!slot.enabled()) return;
  if (slot.drawn) {
    words.add_format("slot distribution {} {} {}", distribution_word(slot.distribution, slot.table),
                     time_text(slot.delay), time_text(slot.jitter));
  } else {
    words.add_format("slot {} {}", time_text(slot.min), time_text(slot.max));
  }
  if (slot.packets > 0) words.add_format("packets {}", slot.packets);
  if (slot.bytes > 0) words.add_format("bytes {}", slot.bytes);
}

void add_queue(Words& words, const LinkSpec::Queue& queue) {
  if (queue.discipline == QueueDiscipline::droptail) return;
  const LinkSpec::Queue usual;
  words.add_format("queue {}", to_string(queue.discipline));
  if (queue.discipline == QueueDiscipline::codel) {
    if (queue.target != usual.target) words.add_format("target {}", time_text(queue.target));
    if (queue.interval != usual.interval) words.add_format("interval {}", time_text(queue.interval));
  } else {
    if (queue.min_bytes > 0) words.add_format("min {}", queue.min_bytes);
    if (queue.max_bytes > 0) words.add_format("max {}", queue.max_bytes);
    if (queue.probability != usual.probability) words.add_format("probability {}", percent_text(queue.probability));
    if (queue.packet_bytes != usual.packet_bytes) words.add_format("avpkt {}", queue.packet_bytes);
    if (queue.burst_packets > 0) words.add_format("burst {}", queue.burst_packets);
  }
  if (queue.ecn) words.add("ecn");
  if (queue.harddrop) words.add("harddrop");
}

}  // namespace

std::string_view to_string(Distribution distribution) {
  switch (distribution) {
    case Distribution::uniform: return "uniform";
    case Distribution::normal: return "normal";
    case Distribution::pareto: return "pareto";
    case Distribution::paretonormal: return "paretonormal";
    case Distribution::table: return "table";
  }
  return "uniform";
}

std::string_view to_string(QueueDiscipline discipline) {
  switch (discipline) {
    case QueueDiscipline::droptail: return "droptail";
    case QueueDiscipline::codel: return "codel";
    case QueueDiscipline::red: return "red";
  }
  return "droptail";
}

std::string to_string(const LinkSpec& spec) {
  Words words;
  add_delay(words, spec.delay);
  add_loss(words, spec.loss);
  if (spec.ecn) words.add("ecn");
  if (spec.duplicate.p > 0) {
    words.add("duplicate");
    words.add_chance(spec.duplicate);
  }
  if (spec.corrupt.p > 0) {
    words.add("corrupt");
    words.add_chance(spec.corrupt);
  }
  if (spec.reorder.chance.p > 0) {
    words.add("reorder");
    words.add_chance(spec.reorder.chance);
    if (spec.reorder.gap > 0) words.add_format("gap {}", spec.reorder.gap);
  }
  add_rate(words, spec);
  if (spec.limit.automatic) {
    words.add("limit auto");
  } else if (spec.limit.packets != LinkSpec::Limit::kDefaultPackets) {
    words.add_format("limit {}", spec.limit.packets);
  }
  add_slot(words, spec.slot);
  if (spec.order == Order::time) words.add("order time");
  if (spec.mtu > 0) words.add_format("mtu {}", spec.mtu);
  if (!spec.trace.file.empty()) words.add_format("trace {}", spec.trace.file);
  if (spec.rebind_every.count() > 0) words.add_format("rebind {}", time_text(spec.rebind_every));
  if (spec.outage.every.count() > 0)
    words.add_format("outage {} every {}", time_text(spec.outage.length), time_text(spec.outage.every));
  add_queue(words, spec.queue);
  if (spec.marks == Marks::strip) words.add("marks strip");
  if (!spec.drops.empty()) words.add_format("droplist {}", drop_list_text(spec.drops));
  return words.take();
}

}  // namespace mxp::netem
