// What a run tells about itself: the summary on stderr, and the events of --json:
//   {"event":"connected"|"stream_opened"|"fin"|"reset"|"closed"|"stats","time":<seconds since the
//   start>,"connection":<id>,…}
#pragma once

#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <string_view>
#include <unordered_map>

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

  // The clock's reading, before any event and whenever it moved on.
  void set_now(Timestamp now);

  void connected(const Connection& connection);
  void stream_opened(const Connection& connection, StreamId id, Side by);
  void fin(const Connection& connection, StreamId id, Side by);
  void reset(const Connection& connection, StreamId id, Side by, AppErrorCode code);
  // A file is whole at its receiver.
  void file(const Connection& connection, Side sender, std::string_view name, std::uint64_t size,
            std::string_view sha256);
  // The last word of a connection: `closed` and `stats`, and its summary.
  void closed(const Connection& connection, const CloseInfo& info);
  // The summary of a run that had no connection, or served several.
  void total();

 private:
  nlohmann::json event(std::string_view name, const Connection& connection) const;
  void write(const nlohmann::json& value);

  Output& output_;
  JsonOutput& json_;
  Timestamp start_{};
  Timestamp now_{};
  bool started_ = false;
  std::unordered_map<const Connection*, Timestamp> connected_at_;
  std::uint64_t connections_ = 0;
  std::uint64_t bytes_sent_ = 0;
  std::uint64_t bytes_received_ = 0;
};

}  // namespace mxp::tools
