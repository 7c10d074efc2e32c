// The command line: what the user typed is checked and turned into what is meant.
#pragma once

#include <cstdint>
#include <expected>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "common/command_line.h"
#include "common/output.h"
#include "common/output_file.h"
#include "common/tool_error.h"
#include "mxp-netem/link_plan.h"
#include "mxp/address.h"
#include "mxp/time.h"
#include "netem/recording.h"
#include "netem/spec.h"

namespace mxp::tools {

struct Options {
  SocketAddress listen;
  SocketAddress target;
  std::vector<LinkPlan> plans;        // the last one is for all clients that no other is for
  std::vector<std::string> scenario;  // the file of --scenario and those that it names
  bool relays = true;                 // false: with --http alone, which makes the relays later
  std::optional<SocketAddress> http;
  std::uint64_t seed = 0;
  std::optional<Duration> duration;
  std::string stats;   // "" = not asked for, "-" = stdout
  std::string pcap;    // "" = not asked for
  std::string record;  // "" = not asked for
  std::string replay;  // the file, "" = not asked for, and what it holds:
  std::shared_ptr<const netem::Recording> recording;
  IfExists if_exists = IfExists::refuse;  // for stats, pcap and record
  bool tcp = false;
  bool strict = false;
  bool spin = false;
  bool realtime = false;
  Verbosity verbosity = Verbosity::normal;

  const netem::LinkSpec& up() const { return plans.back().timeline.up; }      // client to target
  const netem::LinkSpec& down() const { return plans.back().timeline.down; }  // target to client
};

// Resolves names and reads the files that specs and the scenario name. A ParseStop with an empty error is --help or
// --version, already answered.
std::expected<Options, ParseStop> parse_options(std::vector<std::string> arguments);

}  // namespace mxp::tools
