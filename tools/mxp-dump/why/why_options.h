// What the user typed behind `mxp-dump why`, and what is meant by it.
#pragma once

#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <vector>

#include "common/command_line.h"
#include "mxp-dump/dissect/key_log_choice.h"
#include "mxp/keys.h"

namespace mxp::dump {

struct WhyOptions {
  std::string path;  // "-": stdin
  std::string capture_filter;
  KeyLogChoice key_log;
  std::optional<PublicKey> server_key;  // against which message 1 is checked
  std::uint16_t port = 0;
  bool print_json = false;  // -T json: an object for each connection
  std::string json;         // --json: empty = not given, "-" = stdout
  bool exit_nomatch = false;
  std::vector<std::string> arguments;
  int verbosity = 0;
};

// `arguments` without the program's name and "why".
std::expected<WhyOptions, tools::ParseStop> parse_why_options(const std::vector<std::string>& arguments);

}  // namespace mxp::dump
