// What the targets of option parsers share: arguments out of an input, and what every answer must be.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "common/command_line.h"
#include "require.h"

namespace mxp::fuzz {

inline void check(const tools::ParseStop& stop) {
  require(stop.error.empty() == (stop.code == tools::ExitCode::ok), "only help and version end well");
  for (const char c : stop.error)
    require(c == '\n' || static_cast<unsigned char>(c) >= 0x20, "an error does not steer a terminal");
}

// One argument for each line.
inline std::vector<std::string> lines_of(std::string_view text) {
  std::vector<std::string> lines;
  while (!text.empty() && lines.size() < 64) {
    const auto end = text.find('\n');
    // A C string of a real command line ends at its first zero.
    lines.emplace_back(text.substr(0, end).substr(0, text.substr(0, end).find('\0')));
    if (end == std::string_view::npos) break;
    text.remove_prefix(end + 1);
  }
  return lines;
}

}  // namespace mxp::fuzz
