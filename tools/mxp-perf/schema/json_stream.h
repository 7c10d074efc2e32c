// --json-stream: what happens during a run, as JSON on stdout, one object a line, each {"event":NAME,"data":{…}}:
//   start     what was asked for, before anything is sent
//   interval  what came through in each interval
//   error     why the run ends without a result, or with less than was asked for
//   end       the whole result, as --json has it, where there is one
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string_view>

#include "common/tool_error.h"

namespace mxp::perf {

enum class StreamUse : std::uint8_t { off, on };

class JsonStream {
 public:
  explicit JsonStream(StreamUse use) : on_(use == StreamUse::on) {}

  explicit operator bool() const { return on_; }
  // Writes one line at once; nothing if it was not asked for. After a failure nothing more is written: see status().
  void tell(std::string_view event, const nlohmann::json& data);
  // The first failure to write, if any.
  const tools::Result<void>& status() const { return status_; }

 private:
  bool on_;
  tools::Result<void> status_;
};

}  // namespace mxp::perf
