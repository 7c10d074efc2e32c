// The command line: what the user typed is checked and turned into what is meant.
#pragma once

#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <vector>

#include "common/command_line.h"
#include "common/output.h"
#include "common/output_file.h"
#include "common/tool_error.h"
#include "mxp/address.h"
#include "mxp/time.h"
#include "netem/spec.h"

namespace mxp::tools {

struct Options {
  SocketAddress listen;
  SocketAddress target;
  netem::LinkSpec up;    // client to target
  netem::LinkSpec down;  // target to client
  std::uint64_t seed = 0;
  std::optional<Duration> duration;
  std::string stats;                      // "" = not asked for, "-" = stdout
  std::string pcap;                       // "" = not asked for
  IfExists if_exists = IfExists::refuse;  // for stats and pcap
  bool strict = false;
  bool spin = false;
  Verbosity verbosity = Verbosity::normal;
};

// Resolves names and reads trace files. A ParseStop with an empty error is --help or --version, already answered.
std::expected<Options, ParseStop> parse_options(std::vector<std::string> arguments);

}  // namespace mxp::tools
