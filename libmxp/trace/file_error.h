// What went wrong with a file that a sink writes: "cannot write x: No space left on device" in the parts of an IoError.
#pragma once

#include <fmt/format.h>

#include <string>
#include <string_view>
#include <system_error>

#include "mxp/error.h"

namespace mxp {

inline IoError file_error(std::string_view what, const std::string& path, int code) {
  return {code, fmt::format("{} {}: {}", what, path, std::generic_category().message(code))};
}

}  // namespace mxp
