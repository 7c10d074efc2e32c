#include "mxp-perf/control.h"

#include <sys/resource.h>

namespace mxp::perf {

namespace {
constexpr int kVersion = 2;  // of these lines
}

bool ControlReader::add(ByteView data) {
  if (buffer_.size() + data.size() > kMaxControlLine) return false;
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
  return {{"perf", kVersion},
          {"test", to_string(workload.test)},
          {"flow", to_string(workload.flow)},
          {"connections", workload.connections},
          {"streams", workload.streams},
          {"size", workload.size},
          {"omit_ns", workload.omit.count()},
          {"duration_ns", workload.duration.count()}};
}

std::optional<Workload> parse_request(const std::string& line) {
  const auto json = nlohmann::json::parse(line, nullptr, false);
  if (!json.is_object()) return std::nullopt;
  try {
    if (json.at("perf") != kVersion) return std::nullopt;
    Workload workload;
    const std::string test = json.at("test"), flow = json.at("flow");
    if (test != "bulk" && test != "rr") return std::nullopt;
    if (flow != "up" && flow != "down" && flow != "both") return std::nullopt;
    workload.test = test == "rr" ? Test::rr : Test::bulk;
    workload.flow = flow == "down" ? LoadDirection::down : flow == "both" ? LoadDirection::both : LoadDirection::up;
    workload.connections = json.at("connections");
    workload.streams = json.at("streams");
    workload.size = json.at("size");
    workload.omit = Duration(json.at("omit_ns").get<std::int64_t>());
    workload.duration = Duration(json.at("duration_ns").get<std::int64_t>());
    // There are bounds to what a stranger may ask of a server.
    if (workload.connections == 0 || workload.connections > kMaxConnections || workload.streams == 0 ||
        workload.streams > kMaxStreams || workload.size == 0 || workload.size > kMaxSize)
      return std::nullopt;
    if (workload.omit < Duration::zero() || workload.omit >= workload.duration || workload.duration > kMaxDuration)
      return std::nullopt;
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
  return {{"bytes", report.bytes},
          {"first_ns", report.first_ns},
          {"last_ns", report.last_ns},
          {"cpu_seconds", report.cpu_seconds}};
}

std::optional<ServerReport> parse_report(const std::string& line) {
  const auto json = nlohmann::json::parse(line, nullptr, false);
  if (!json.is_object()) return std::nullopt;
  try {
    return ServerReport{json.at("bytes"), json.at("first_ns"), json.at("last_ns"), json.at("cpu_seconds")};
  } catch (const nlohmann::json::exception&) {
    return std::nullopt;
  }
}

double cpu_seconds() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  const auto seconds = [](const timeval& t) {
    return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_usec) * 1e-6;
  };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

}  // namespace mxp::perf
