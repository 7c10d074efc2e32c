#include "mxp-netem/report.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "common/units.h"

namespace mxp::tools {
namespace {

double microseconds(Duration duration) { return static_cast<double>(duration.count()) / 1e3; }

nlohmann::json link_json(const netem::Link& link) {
  const netem::LinkCounters& counters = link.counters();
  const netem::LinkSpec& spec = link.spec();
  nlohmann::json json = {{"spec", netem::to_string(spec)},
                         {"in", counters.in},
                         {"out", counters.out},
                         {"lost", counters.lost},
                         {"tail_dropped", counters.tail_dropped},
                         {"duplicated", counters.duplicated},
                         {"corrupted", counters.corrupted},
                         {"reordered", counters.reordered},
                         {"in_flight", link.queued_packets()},
                         {"bytes_in", counters.bytes_in},
                         {"bytes_out", counters.bytes_out}};
  if (spec.mtu > 0) json["lost_too_big"] = counters.lost_too_big;
  if (spec.outage.every.count() > 0) json["lost_outage"] = counters.lost_outage;
  if (spec.ecn) json["marked"] = counters.marked;
  if (counters.delay.count() > 0) {
    json["delay_us"] = {{"p50", microseconds(counters.delay.quantile(0.5))},
                        {"p99", microseconds(counters.delay.quantile(0.99))},
                        {"max", microseconds(counters.delay.max())}};
  }
  if (!counters.rate().is_zero()) json["rate_bits_per_second"] = counters.rate().bits_per_second();
  return json;
}

std::string link_text(std::string_view name, const netem::Link& link) {
  const netem::LinkCounters& counters = link.counters();
  const std::string asked = netem::to_string(link.spec());
  std::string text = fmt::format("{} asked: {}\n{} got:   in {}, out {}", name,
                                 asked.empty() ? "a perfect link" : asked, name, counters.in, counters.out);
  const auto add = [&](std::uint64_t count, std::string_view what) {
    if (count > 0)
      text += fmt::format(", {} {} ({:.3g}%)", what, count,
                          100.0 * static_cast<double>(count) / static_cast<double>(counters.in));
  };
  add(counters.lost, "lost");
  add(counters.tail_dropped, "tail-dropped");
  add(counters.duplicated, "duplicated");
  add(counters.corrupted, "corrupted");
  add(counters.reordered, "reordered");
  add(counters.marked, "marked");
  add(link.queued_packets(), "in flight");
  if (counters.delay.count() > 0) {
    text += fmt::format(", delay p50 {} p99 {}", format_duration(counters.delay.quantile(0.5)),
                        format_duration(counters.delay.quantile(0.99)));
  }
  if (!counters.rate().is_zero())
    text += fmt::format(", {}", format_bit_rate(static_cast<double>(counters.rate().bits_per_second())));
  if (counters.tail_dropped > 0 && !link.spec().limit.automatic && link.spec().rate.is_zero()) {
    text += fmt::format(
        "\n{} note:  the queue limit of {} packets, not the loss model, dropped {}: raise it or say 'limit auto'", name,
        link.spec().limit.packets, counters.tail_dropped);
  }
  return text;
}

}  // namespace

nlohmann::json report_json(const NetemOptions& options, const Relay& relay) {
  const RelayHealth& health = relay.health();
  nlohmann::json json = {{"schema", "mxp-netem/1"},
                         {"seed", options.seed},
                         {"duration_s", static_cast<double>(relay.running().count()) / 1e9},
                         {"clients", relay.clients()},
                         {"up", link_json(relay.up())},
                         {"down", link_json(relay.down())},
                         {"relay",
                          {{"distorted", health.distorted()},
                           {"socket_drops", health.socket_drops},
                           {"send_failures", health.send_failures},
                           {"refused", health.refused},
                           {"unreachable", health.unreachable}}}};
  if (health.late.count() > 0) {
    json["relay"]["late_us"] = {{"p50", microseconds(health.late.quantile(0.5))},
                                {"p99", microseconds(health.late.quantile(0.99))},
                                {"max", microseconds(health.late.max())}};
  }
  return json;
}

std::string report_text(const NetemOptions& options, const Relay& relay) {
  const RelayHealth& health = relay.health();
  std::string text = fmt::format("{}\n{}\nrelay: seed {}, {} client{}, {}", link_text("up  ", relay.up()),
                                 link_text("down", relay.down()), options.seed, relay.clients(),
                                 relay.clients() == 1 ? "" : "s", format_duration(relay.running()));
  if (health.late.count() > 0) {
    text += fmt::format(", late p50 {} p99 {}", format_duration(health.late.quantile(0.5)),
                        format_duration(health.late.quantile(0.99)));
  }
  if (health.unreachable > 0) text += fmt::format(", {} refused by the network", health.unreachable);
  if (const std::string why = distortion_text(health); !why.empty())
    text += fmt::format("\nrelay: it distorted the link: {}", why);
  return text;
}

std::string distortion_text(const RelayHealth& health) {
  std::string text;
  const auto add = [&text](const std::string& part) { text += (text.empty() ? "" : ", ") + part; };
  if (health.socket_drops > 0) add(fmt::format("{} datagrams lost in full receive buffers", health.socket_drops));
  if (health.send_failures > 0) add(fmt::format("{} datagrams not taken by the kernel", health.send_failures));
  if (health.refused > 0) add(fmt::format("{} datagrams of clients without room", health.refused));
  if (const Duration late = health.late.quantile(0.99); late >= RelayHealth::kLateBound) {
    add(fmt::format("1% of the packets left {} late or more (bound {})", format_duration(late),
                    format_duration(RelayHealth::kLateBound)));
  }
  return text;
}

}  // namespace mxp::tools
