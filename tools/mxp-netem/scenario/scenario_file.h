// A scenario: links that change over time, and clients with links of their own, as a TOML file.
//
//   repeat = "60s"                     # begins again after this time
//   [link]                             # for everybody; also: up = "…", down = "…", profile = "FILE.csv"
//   spec = "delay 40ms rate 20mbit"
//   per_client = true                  # one such link for each client
//
//   [[step]]                           # at a time, counted from the beginning
//   at = "10s"
//   set = "rate 5mbit"                 # changes what it names; spec = "…" replaces all
//   direction = "up"                   # or "down"; both if it is not given
//   ramp = "3s"                        # over this time
//   blackout = "2s"                    # nothing passes
//   handover = true                    # another path and another source port; rebind = true: only the port
//   client = "NAME"                    # for these clients
//
//   [[drop]]                           # of every flow
//   direction = "down"
//   first = 3                          # or: packets = "1-3,7", handshake = 2
//
//   [[client]]                         # the first that matches counts
//   name = "far"
//   match = "10.0.0.0/8"               # or: nth = 2
//   spec = "delay 200ms"
//   shared = true                      # one link for all that match, in place of one for each
//
// Times are "10s" or a number of seconds; SPEC is that of the command line (netem/spec.h).
#pragma once

#include <string>
#include <vector>

#include "common/tool_error.h"
#include "mxp-netem/link_plan.h"

namespace mxp::tools {

struct Scenario {
  std::vector<LinkPlan> plans;     // those for named clients, then the one for all others
  std::vector<std::string> files;  // that it names, itself included
};

// Paths in it are from the folder of the file, and files named by specs too. Errors are "FILE:LINE: …" (exit 2).
Result<Scenario> read_scenario(const std::string& path);

}  // namespace mxp::tools
