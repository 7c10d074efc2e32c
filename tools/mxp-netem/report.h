// What was asked of the link and what it achieved: for people on stderr, for programs as JSON.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>

#include "mxp-netem/options.h"
#include "mxp-netem/relay.h"

namespace mxp::tools {

// {schema, seed, duration_s, clients, up:{…}, down:{…}, relay:{…}}; see mxp-netem(1). Keys that do not apply are
// absent. `up.expected` and `down.expected` hold the shares (0..1) that the spec comes to in the long run.
inline constexpr const char* kReportSchema = "mxp-netem/1";

nlohmann::json report_json(const Options& options, const Relay& relay);

// Says with which probability the correlated chances of the spec really come true; empty if there are none.
std::string correlation_note(std::string_view name, const netem::LinkSpec& spec);

// Three lines: up, down, the relay itself.
std::string report_text(const Options& options, const Relay& relay);

// Why --strict fails, or empty.
std::string distortion_text(const RelayHealth& health);

}  // namespace mxp::tools
