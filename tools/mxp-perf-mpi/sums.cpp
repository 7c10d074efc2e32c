#include "mxp-perf-mpi/sums.h"

#include <algorithm>
#include <nlohmann/json.hpp>

namespace mxp::perf_mpi {

namespace {

using Json = nlohmann::json;

const Json* found(const Outcome& outcome, const std::string& where) {
  const Json::json_pointer pointer(where);
  return outcome.document.contains(pointer) ? &outcome.document.at(pointer) : nullptr;
}

// `read`: number_in or count_in. Nothing where no document has it.
template <typename Number>
std::optional<Number> sum(std::span<const Outcome> outcomes, const std::string& where,
                          std::optional<Number> (*read)(const Outcome&, const std::string&)) {
  std::optional<Number> total;
  for (const Outcome& outcome : outcomes)
    if (const auto one = read(outcome, where)) total = total.value_or(0) + *one;
  return total;
}

// {"pacing":812.4,…}, and of such objects by class.
void add_times(Json& to, const Json& times) {
  for (const auto& [key, value] : times.items()) {
    if (!value.is_object()) {
      to[key] = to.value(key, 0.0) + value.get<double>();
      continue;
    }
    if (!to.contains(key)) to[key] = Json::object();
    add_times(to[key], value);
  }
}

void add_round_trips(std::span<const Outcome> outcomes, const std::string& part, Json& transport) {
  std::optional<double> shortest;
  double handshakes = 0, connections = 0;
  for (const Outcome& outcome : outcomes) {
    // 0 is that of a connection that knows none.
    if (const auto rtt = number_in(outcome, part + "/min_rtt_us"); rtt && *rtt > 0)
      shortest = std::min(shortest.value_or(*rtt), *rtt);
    const auto handshake = number_in(outcome, part + "/handshake_us"), n = number_in(outcome, part + "/connections");
    if (!handshake || !n) continue;
    handshakes += *handshake * *n;
    connections += *n;
  }
  if (shortest) transport["min_rtt_us"] = *shortest;
  if (connections > 0) transport["handshake_us"] = handshakes / connections;
}

}  // namespace

std::optional<double> number_in(const Outcome& outcome, const std::string& where) {
  const Json* value = found(outcome, where);
  return value ? std::optional(value->get<double>()) : std::nullopt;
}

std::optional<std::uint64_t> count_in(const Outcome& outcome, const std::string& where) {
  const Json* value = found(outcome, where);
  if (!value) return std::nullopt;
  if (!value->is_number_unsigned()) throw Json::type_error::create(302, where + " is no count", value);
  return value->get<std::uint64_t>();
}

double seconds_late(const Outcome& outcome) { return number_in(outcome, "/start/late_us").value_or(0) * 1e-6; }

std::optional<double> sum_of(std::span<const Outcome> outcomes, const std::string& where) {
  return sum(outcomes, where, number_in);
}

std::optional<std::uint64_t> count_of(std::span<const Outcome> outcomes, const std::string& where) {
  return sum(outcomes, where, count_in);
}

std::optional<std::uint64_t> count_of_each(std::span<const Outcome> outcomes, const std::string& where) {
  const bool each = std::ranges::all_of(outcomes, [&](const Outcome& one) { return found(one, where) != nullptr; });
  return each ? count_of(outcomes, where) : std::nullopt;
}

std::optional<bool> all_of(std::span<const Outcome> outcomes, const std::string& where) {
  std::optional<bool> all;
  for (const Outcome& outcome : outcomes)
    if (const Json* value = found(outcome, where)) all = all.value_or(true) && value->get<bool>();
  return all;
}

nlohmann::json transport_of(std::span<const Outcome> outcomes, const std::string& part) {
  const std::string where = "/" + part;
  Json transport = Json::object();
  for (const char* name :
       {"connections", "packets_sent", "packets_received", "packets_lost", "bytes_sent", "stream_bytes_retransmitted",
        "messages_retransmitted", "packets_spuriously_lost", "probes_sent", "congestion_window_bytes"})
    if (const auto sum = count_of(outcomes, where + "/" + name)) transport[name] = *sum;
  std::optional<std::uint64_t> datagram;
  for (const Outcome& outcome : outcomes) {
    if (const auto one = count_in(outcome, where + "/datagram_bytes")) datagram = std::max(datagram.value_or(0), *one);
    for (const char* times : {"blocked_ms", "blocked_ms_by_class"})
      if (const Json* value = found(outcome, where + "/" + times)) {
        if (!transport.contains(times)) transport[times] = Json::object();
        add_times(transport[times], *value);
      }
  }
  if (datagram) transport["datagram_bytes"] = *datagram;
  add_round_trips(outcomes, where, transport);
  return transport;
}

}  // namespace mxp::perf_mpi
