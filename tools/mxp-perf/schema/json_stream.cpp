#include "mxp-perf/schema/json_stream.h"

#include <unistd.h>

#include <nlohmann/json.hpp>

#include "common/json_output.h"
#include "common/write_all.h"

namespace mxp::perf {

void JsonStream::tell(std::string_view event, const nlohmann::json& data) {
  if (!on_ || !status_) return;
  status_ = tools::write_all(STDOUT_FILENO, tools::json_line({{"event", event}, {"data", data}}), "stdout");
}

}  // namespace mxp::perf
