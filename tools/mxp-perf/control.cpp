#include "mxp-perf/control.h"

#include <fmt/format.h>

#include <chrono>
#include <utility>

#include "common/units.h"
#include "mxp-perf/histograms/hdr_payload.h"
#include "mxp-perf/json_numbers.h"

namespace mxp::perf {

namespace {
constexpr int kVersion = 4;  // of these lines

}  // namespace

bool ControlReader::add(ByteView data) {
  if (buffer_.size() + data.size() > longest_line_) return false;
  buffer_.append(data.begin(), data.end());
  return true;
}

std::optional<std::string> ControlReader::poll_line() {
  const std::size_t end = buffer_.find('\n');
  if (end == std::string::npos) return std::nullopt;
  std::string line = buffer_.substr(0, end);
  buffer_.erase(0, end + 1);
  return line;
}

std::size_t send_line(Connection& connection, StreamId id, const nlohmann::json& json) {
  const std::string line = json.dump() + "\n";
  (void)connection.write(id, ByteView(reinterpret_cast<const std::uint8_t*>(line.data()), line.size()));
  return line.size();
}

nlohmann::json request_of(const Workload& workload) {
  nlohmann::json json = {{"perf", kVersion},
                         {"run", workload.run},
                         {"test", to_string(workload.test)},
                         {"flow", to_string(workload.flow)},
                         {"connections", workload.connections},
                         {"streams", workload.streams},
                         {"size", workload.size},
                         {"per_second", workload.calls_per_second},
                         {"omit_ns", workload.omit.count()},
                         {"duration_ns", workload.duration.count()}};
  if (workload.wait > Duration::zero()) json["wait_ns"] = workload.wait.count();
  return json;
}

std::optional<Workload> parse_request(const std::string& line) {
  const auto json = nlohmann::json::parse(line, nullptr, false);
  if (!json.is_object()) return std::nullopt;
  try {
    if (json.at("perf") != kVersion) return std::nullopt;
    Workload workload;
    const std::string name = json.at("test"), flow = json.at("flow");
    const auto test = test_of(name);
    if (!test) return std::nullopt;
    if (flow != "up" && flow != "down" && flow != "both") return std::nullopt;
    workload.test = *test;
    workload.flow = flow == "down" ? LoadDirection::down : flow == "both" ? LoadDirection::both : LoadDirection::up;
    workload.run = whole_number<std::uint64_t>(json, "run");
    workload.calls_per_second = time_number(json, "per_second");
    workload.connections = whole_number<decltype(workload.connections)>(json, "connections");
    workload.streams = whole_number<decltype(workload.streams)>(json, "streams");
    workload.size = whole_number<decltype(workload.size)>(json, "size");
    workload.omit = Duration(whole_number<std::int64_t>(json, "omit_ns"));
    workload.duration = Duration(whole_number<std::int64_t>(json, "duration_ns"));
    if (json.contains("wait_ns")) workload.wait = Duration(whole_number<std::int64_t>(json, "wait_ns"));
    // There are bounds to what a stranger may ask of a server.
    if (workload.connections == 0 || workload.connections > kMaxConnections || workload.streams == 0 ||
        workload.streams > kMaxStreams || workload.size == 0 || workload.size > kMaxSize)
      return std::nullopt;
    if (workload.test == Test::datagrams && (workload.size < kLeastDatagram || workload.size > kLargestDatagram))
      return std::nullopt;
    if (workload.omit < Duration::zero() || workload.omit >= workload.duration || workload.duration > kMaxDuration)
      return std::nullopt;
    if (workload.wait < Duration::zero() || workload.wait > kMaxDuration) return std::nullopt;
    return workload;
  } catch (const nlohmann::json::exception&) {
    return std::nullopt;
  }
}

nlohmann::json to_json(Mark mark) {
  return {{mark == Mark::ready ? "ready" : mark == Mark::begin ? "begin" : "end", true}};
}

bool is_mark(const std::string& line, Mark mark) { return line == to_json(mark).dump(); }

nlohmann::json to_json(const ServerReport& report) {
  nlohmann::json json = {
      {"bytes", report.bytes},         {"first_ns", report.first_ns},         {"last_ns", report.last_ns},
      {"datagrams", report.datagrams}, {"overtaken", report.overtaken},       {"handshakes", report.handshakes},
      {"answers", report.answers},     {"held_seconds", report.held_seconds}, {"process", to_json(report.process)}};
  if (report.sender) json["sender"] = to_json(*report.sender);
  if (report.messages) {
    json["messages"] = {{"received", report.messages->received},
                        {"counted", report.messages->counted},
                        {"kept", report.messages->kept}};
    if (report.messages->latencies) json["messages"]["latencies"] = encode_histogram(*report.messages->latencies);
  }
  return json;
}

nlohmann::json to_json(const SenderReport& sender) {
  nlohmann::json blocked = nlohmann::json::array();
  for (const Duration time : sender.blocked) blocked.push_back(time.count());
  return {{"packets_sent", sender.packets_sent},
          {"packets_lost", sender.packets_lost},
          {"retransmitted", sender.bytes_retransmitted},
          {"window", sender.congestion_window},
          {"rtt_ns", sender.smoothed_rtt.count()},
          {"min_rtt_ns", sender.min_rtt.count()},
          {"blocked_ns", std::move(blocked)}};
}

namespace {

SenderReport parse_sender(const nlohmann::json& json) {
  SenderReport sender{.packets_sent = whole_number<std::uint64_t>(json, "packets_sent"),
                      .packets_lost = whole_number<std::uint64_t>(json, "packets_lost"),
                      .bytes_retransmitted = whole_number<std::uint64_t>(json, "retransmitted"),
                      .congestion_window = whole_number<std::uint64_t>(json, "window"),
                      .smoothed_rtt = Duration(whole_number<std::int64_t>(json, "rtt_ns")),
                      .min_rtt = Duration(whole_number<std::int64_t>(json, "min_rtt_ns")),
                      .blocked = {}};
  const nlohmann::json& blocked = json.at("blocked_ns");
  if (!blocked.is_array() || blocked.size() != kBlockedReasons)
    throw nlohmann::json::out_of_range::create(401, "blocked_ns", &json);
  for (std::size_t i = 0; i != kBlockedReasons; ++i) {
    // No connection is older than that, and sums of many must not overflow.
    constexpr std::uint64_t kMostBlockedNs = 1'000'000'000'000'000;
    if (!blocked[i].is_number_unsigned() || blocked[i].get<std::uint64_t>() > kMostBlockedNs)
      throw nlohmann::json::out_of_range::create(401, "blocked_ns", &blocked);
    sender.blocked[i] = Duration(blocked[i].get<std::int64_t>());
  }
  return sender;
}

}  // namespace

std::optional<ServerReport> parse_report(const std::string& line) {
  const auto json = nlohmann::json::parse(line, nullptr, false);
  if (!json.is_object()) return std::nullopt;
  try {
    ServerReport report{.bytes = whole_number<std::uint64_t>(json, "bytes"),
                        .first_ns = whole_number<std::int64_t>(json, "first_ns"),
                        .last_ns = whole_number<std::int64_t>(json, "last_ns"),
                        .datagrams = whole_number<std::uint64_t>(json, "datagrams"),
                        .overtaken = whole_number<std::uint64_t>(json, "overtaken"),
                        .handshakes = whole_number<std::uint64_t>(json, "handshakes"),
                        .answers = whole_number<std::uint64_t>(json, "answers"),
                        .held_seconds = time_number(json, "held_seconds"),
                        .process = parse_figures(json.at("process"))};
    if (report.last_ns < report.first_ns) return std::nullopt;
    if (json.contains("sender")) report.sender = parse_sender(json.at("sender"));
    if (!json.contains("messages")) return report;
    const nlohmann::json& messages = json.at("messages");
    report.messages = MessageReport{.received = whole_number<std::uint64_t>(messages, "received"),
                                    .counted = whole_number<std::uint64_t>(messages, "counted"),
                                    .kept = whole_number<std::uint64_t>(messages, "kept"),
                                    .latencies = {}};
    if (report.messages->counted > report.messages->received) return std::nullopt;
    if (!messages.contains("latencies")) return report;
    const HdrHistogram empty(kReportFigures);
    auto latencies = decode_histogram(messages.at("latencies").get<std::string>(), empty.most_bins());
    if (!latencies || !HdrHistogram(empty).add(*latencies) || latencies->count() == 0 ||
        latencies->count() > report.messages->received)
      return std::nullopt;
    report.messages->latencies = *std::move(latencies);
    return report;
  } catch (const nlohmann::json::exception&) {
    return std::nullopt;
  }
}

std::optional<std::string> why_impossible(const ServerReport& report, const ReportBounds& bounds) {
  if (report.bytes > bounds.sent)
    return fmt::format("{} bytes arrived, of {} that were sent", report.bytes, bounds.sent);
  if (report.datagrams > bounds.datagrams || report.overtaken > report.datagrams)
    return fmt::format("{} datagrams arrived and {} were overtaken, of {} that were sent", report.datagrams,
                       report.overtaken, bounds.datagrams);
  if (report.messages && (report.messages->received > bounds.messages || report.messages->kept > bounds.messages))
    return fmt::format("{} messages arrived and {} wait, of {} that were sent", report.messages->received,
                       report.messages->kept, bounds.messages);
  if (const Duration counted(report.last_ns - report.first_ns); counted > bounds.counted)
    return fmt::format("they arrived within {}, and {} were counted", tools::format_duration(counted),
                       tools::format_duration(bounds.counted));
  // The server is one thread. The kernel counts processor time in ticks, and two machines' clocks differ a little.
  constexpr double kTolerance = 1.0;
  if (const double passed = std::chrono::duration<double>(bounds.passed).count();
      report.process.cpu_seconds > passed + kTolerance)
    return fmt::format("it took {:.1f} s of processor time within {:.1f} s", report.process.cpu_seconds, passed);
  return std::nullopt;
}

}  // namespace mxp::perf
