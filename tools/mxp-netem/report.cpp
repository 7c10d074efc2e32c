#include "mxp-netem/report.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>
#include <vector>

#include "common/counted.h"
#include "common/escape.h"
#include "common/units.h"
#include "netem/expectation.h"

namespace mxp::tools {
namespace {

double microseconds(Duration duration) { return static_cast<double>(duration.count()) / 1e3; }

// What the spec's chances come to in the long run, under the names of the counters.
struct Expected {
  std::string_view word;     // of the spec
  std::string_view counter;  // of the report
  double share;              // 0..1, of the packets that come in
  bool as_asked;             // the share is the number in the spec
  bool correlated;
};

std::vector<Expected> expected_of(const netem::LinkSpec& spec) {
  std::vector<Expected> all;
  const auto add = [&](std::string_view word, std::string_view counter, const netem::Chance& chance) {
    if (chance.p <= 0) return;
    all.push_back({word, counter, netem::expected_share(chance), chance.correlation <= 0, chance.correlation > 0});
  };
  if (const auto* random = std::get_if<netem::RandomLoss>(&spec.loss)) {
    add("loss", spec.ecn ? "marked" : "lost", *random);
  } else if (!std::holds_alternative<netem::NoLoss>(spec.loss)) {
    all.push_back({"loss", spec.ecn ? "marked" : "lost", netem::expected_loss(spec.loss), false, false});
  }
  add("duplicate", "duplicated", spec.duplicate);
  add("corrupt", "corrupted", spec.corrupt);
  if (const auto share = netem::expected_reordering(spec.reorder); share && spec.reorder.chance.p > 0) {
    all.push_back(
        {"reorder", "reordered", *share, *share == spec.reorder.chance.p, spec.reorder.chance.correlation > 0});
  }
  return all;
}

std::string share_text(double share) {
  return share > 0 && share < 1e-6 ? "less than 0.0001%" : fmt::format("{:.3g}%", share * 100);
}

std::string asked_text(const netem::LinkSpec& spec) {
  std::string text = netem::to_string(spec);
  if (text.empty()) return "a perfect link";
  std::string expected;
  for (const Expected& one : expected_of(spec)) {
    if (one.as_asked) continue;
    expected += fmt::format("{}{} {}", expected.empty() ? "" : ", ", one.word, share_text(one.share));
  }
  if (!expected.empty()) text += fmt::format(" (expected in the long run: {})", expected);
  return text;
}

const netem::LinkSpec& asked_spec(const LinkGroup& group, netem::Direction direction) {
  const netem::Timeline& timeline = group.plan().timeline;
  return direction == netem::Direction::up ? timeline.up : timeline.down;
}

std::string changes_text(const LinkGroup& group) {
  return group.changes() == 0 ? "" : fmt::format(", then {}", counted(group.changes(), "change"));
}

nlohmann::json link_json(const LinkGroup& group, netem::Direction direction) {
  const netem::LinkCounters& counters = group.counters(direction);
  const netem::LinkSpec& spec = asked_spec(group, direction);
  nlohmann::json json = {{"spec", netem::to_string(spec)},
                         {"in", counters.in},
                         {"out", counters.out},
                         {"lost", counters.lost},
                         {"tail_dropped", counters.tail_dropped},
                         {"duplicated", counters.duplicated},
                         {"corrupted", counters.corrupted},
                         {"reordered", counters.reordered},
                         {"in_flight", group.queued_packets(direction)},
                         {"bytes_in", counters.bytes_in},
                         {"bytes_out", counters.bytes_out}};
  // What a link comes to in the long run says nothing of one that did not stay as it was.
  if (group.changes() == 0) {
    for (const Expected& one : expected_of(spec)) json["expected"][one.counter] = one.share;
  }
  if (spec.mtu > 0) json["lost_too_big"] = counters.lost_too_big;
  if (spec.queue.discipline != netem::QueueDiscipline::droptail) json["queue_dropped"] = counters.queue_dropped;
  if (!spec.drops.empty()) json["lost_listed"] = counters.lost_listed;
  if (spec.outage.every.count() > 0) json["lost_outage"] = counters.lost_outage;
  if (spec.ecn || spec.queue.ecn || counters.marked > 0) json["marked"] = counters.marked;
  if (counters.delay.count() > 0) {
    json["delay_us"] = {{"mean", microseconds(counters.delay.mean())},
                        {"p50", microseconds(counters.delay.quantile(0.5))},
                        {"p99", microseconds(counters.delay.quantile(0.99))},
                        {"max", microseconds(counters.delay.max())}};
  }
  if (counters.order_shift.max().count() > 0) {
    json["order_keep_shift_us"] = {{"mean", microseconds(counters.order_shift.mean())},
                                   {"max", microseconds(counters.order_shift.max())}};
  }
  if (!counters.rate().is_zero()) json["rate_bits_per_second"] = counters.rate().bits_per_second();
  return json;
}

std::string link_text(std::string_view name, const LinkGroup& group, netem::Direction direction) {
  const netem::LinkCounters& counters = group.counters(direction);
  const netem::LinkSpec& spec = asked_spec(group, direction);
  std::string text = fmt::format("{} asked: {}\n{} got:   in {}, out {}", name, asked_text(spec) + changes_text(group),
                                 name, counters.in, counters.out);
  const auto add = [&](std::uint64_t count, std::string_view what) {
    if (count > 0)
      text += fmt::format(", {} {} ({:.3g}%)", what, count,
                          100.0 * static_cast<double>(count) / static_cast<double>(counters.in));
  };
  add(counters.lost, "lost");
  add(counters.tail_dropped, "tail-dropped");
  add(counters.queue_dropped, "dropped by the queue");
  add(counters.duplicated, "duplicated");
  add(counters.corrupted, "corrupted");
  add(counters.reordered, "reordered");
  add(counters.marked, "marked");
  add(group.queued_packets(direction), "in flight");
  if (counters.delay.count() > 0) {
    text += fmt::format(", delay p50 {} p99 {}", format_duration(counters.delay.quantile(0.5)),
                        format_duration(counters.delay.quantile(0.99)));
  }
  if (!counters.rate().is_zero())
    text += fmt::format(", {}", format_bit_rate(static_cast<double>(counters.rate().bits_per_second())));
  if (counters.order_shift.max().count() > 0) {
    text += fmt::format(
        "\n{} note:  'order keep' held packets back by {} in the mean, so that the mean delay was {}; with 'order "
        "time' jitter reorders instead",
        name, format_duration(counters.order_shift.mean()), format_duration(counters.delay.mean()));
  }
  if (counters.tail_dropped > 0 && !spec.limit.automatic && spec.rate.is_zero()) {
    text +=
        fmt::format("\n{} note:  the queue limit of {}, not the loss model, dropped {}: raise it or say 'limit auto'",
                    name, counted(spec.limit.packets, "packet"), counters.tail_dropped);
  }
  return text;
}

}  // namespace

std::string correlation_note(std::string_view name, const netem::LinkSpec& spec) {
  std::string text;
  for (const Expected& one : expected_of(spec)) {
    if (one.correlated) text += fmt::format("{}{} {}", text.empty() ? "" : ", ", one.word, share_text(one.share));
  }
  if (text.empty()) return text;
  return fmt::format(
      "{}: the kernel's formula for correlation, which is used here as well, changes how often a chance comes true: "
      "expect {}. For bursts of a known share use 'loss gemodel'",
      name, text);
}

nlohmann::json report_json(const Options& options, const Relay& relay) {
  const RelayHealth& health = relay.health();
  nlohmann::json json = {{"schema", kReportSchema},
                         {"seed", options.seed},
                         {"duration_s", static_cast<double>(relay.running().count()) / 1e9},
                         {"clients", relay.clients()},
                         {"up", link_json(relay.links().main(), netem::Direction::up)},
                         {"down", link_json(relay.links().main(), netem::Direction::down)},
                         {"relay",
                          {{"distorted", health.distorted()},
                           {"socket_drops", health.socket_drops},
                           {"send_failures", health.send_failures},
                           {"refused", health.refused},
                           {"unreachable", health.unreachable}}}};
  if (options.realtime) json["relay"]["realtime"] = true;
  if (const TcpRelay* tcp = relay.tcp()) {
    json["tcp"] = {{"connections", tcp->counters().connections},
                   {"refused", tcp->counters().refused},
                   {"bytes_up", tcp->counters().bytes_up},
                   {"bytes_down", tcp->counters().bytes_down}};
  }
  if (const auto changes = relay.links().main().changes(); changes > 0) json["changes"] = changes;
  for (const LinkGroup& group : relay.links().groups()) {
    if (&group == &relay.links().main()) continue;
    json["groups"].push_back({{"name", group.plan().name},
                              {"clients", group.clients()},
                              {"changes", group.changes()},
                              {"up", link_json(group, netem::Direction::up)},
                              {"down", link_json(group, netem::Direction::down)}});
  }
  if (health.late.count() > 0) {
    json["relay"]["late_us"] = {{"p50", microseconds(health.late.quantile(0.5))},
                                {"p99", microseconds(health.late.quantile(0.99))},
                                {"max", microseconds(health.late.max())}};
  }
  return json;
}

std::string report_text(const Options& options, const Relay& relay) {
  const RelayHealth& health = relay.health();
  const LinkGroup& main = relay.links().main();
  std::string text;
  for (const LinkGroup& group : relay.links().groups()) {
    if (&group == &main) continue;
    text += fmt::format("{}: {}\n{}\n{}\n", escape(group.plan().name), counted(group.clients(), "client"),
                        link_text("  up  ", group, netem::Direction::up),
                        link_text("  down", group, netem::Direction::down));
  }
  text += fmt::format("{}\n{}\nrelay: seed {}, {}, {}", link_text("up  ", main, netem::Direction::up),
                      link_text("down", main, netem::Direction::down), options.seed, counted(relay.clients(), "client"),
                      format_duration(relay.running()));
  if (health.late.count() > 0) {
    text += fmt::format(", late p50 {} p99 {}", format_duration(health.late.quantile(0.5)),
                        format_duration(health.late.quantile(0.99)));
  }
  if (health.unreachable > 0) text += fmt::format(", {} could not reach the target", health.unreachable);
  if (const std::string why = distortion_text(health); !why.empty())
    text += fmt::format("\nrelay: it distorted the link: {}", why);
  return text;
}

std::string distortion_text(const RelayHealth& health) {
  std::string text;
  const auto add = [&text](const std::string& part) { text += (text.empty() ? "" : ", ") + part; };
  if (health.socket_drops > 0)
    add(counted(health.socket_drops, "datagram lost in a full receive buffer",
                "datagrams lost in full receive buffers"));
  if (health.send_failures > 0)
    add(counted(health.send_failures, "datagram not taken by the kernel", "datagrams not taken by the kernel"));
  if (health.refused > 0)
    add(counted(health.refused, "datagram of a client without room", "datagrams of clients without room"));
  if (const Duration late = health.late.quantile(0.99); late >= RelayHealth::kLateBound) {
    add(fmt::format("1% of the packets left {} late or more (bound {})", format_duration(late),
                    format_duration(RelayHealth::kLateBound)));
  }
  return text;
}

}  // namespace mxp::tools
