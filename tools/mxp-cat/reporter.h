// What a run tells about itself: the summary on stderr, and the events of --json:
//   {"event":"connected"|"stream_opened"|"fin"|"reset"|"file"|"closed"|"stats",
//    "time":<seconds from the start to when it happened>,"connection":<id>,…}
#pragma once

#include <cstdint>
#include <functional>
#include <nlohmann/json_fwd.hpp>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "common/json_output.h"
#include "common/output.h"
#include "mxp/connection.h"
#include "mxp/error.h"
#include "mxp/time.h"

namespace mxp::tools {

enum class Side : std::uint8_t { local, peer };

class Reporter {
 public:
  Reporter(Output& output, JsonOutput& json) : output_(output), json_(json) {}

  // To be called before the first event. Times in events count from this call; `clock` is read for each of them.
  void start(std::function<Timestamp()> clock);

  void connected(const Connection& connection);
  void stream_opened(const Connection& connection, StreamId id, Side by);
  void fin(const Connection& connection, StreamId id, Side by);
  void reset(const Connection& connection, StreamId id, Side by, AppErrorCode code);
  // The peer has everything that we sent on the stream: what held it back goes into the event `stats`.
  void stream_sent(const Connection& connection, StreamId id);
  // A file is whole at its receiver.
  void file(const Connection& connection, Side sender, std::string_view name, std::uint64_t size,
            std::string_view sha256);
  // The end of a connection: the events `closed` and `stats`, and its summary.
  void closed(const Connection& connection, const CloseInfo& info);
  // The summary of a run that served several connections, or was stopped before it had one.
  void total(const Result<void>& result);

 private:
  nlohmann::json event(std::string_view name, const Connection& connection) const;
  void write(const nlohmann::json& value);

  Output& output_;
  JsonOutput& json_;
  std::function<Timestamp()> clock_;
  Timestamp start_{};
  struct Live {
    Timestamp since;
    std::vector<std::pair<StreamId, StreamStats>> sent;  // streams; the first ones, for `stats`
  };
  std::unordered_map<const Connection*, Live> live_;
  std::uint64_t connections_ = 0;
  std::uint64_t bytes_sent_ = 0;
  std::uint64_t bytes_received_ = 0;
};

}  // namespace mxp::tools
