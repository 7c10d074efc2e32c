// Reads the lines of the key log (docs/protocol.md §8). mxp/key_log_file.h writes them.
#pragma once

#include <cstdint>
#include <expected>
#include <string_view>

#include "crypto/secret.h"
#include "mxp/ids.h"

namespace mxp {

struct KeyLogLine {
  enum class TrafficDirection : std::uint8_t { client_to_server, server_to_client };

  TrafficDirection direction = TrafficDirection::client_to_server;
  std::uint32_t phase = 0;   // key phase, from 0
  ConnectionId destination;  // of the packets that the secret protects
  TrafficSecret secret;
};

enum class KeyLogError : std::uint8_t {
  unknown_label,      // neither MXP_C2S_TRAFFIC_SECRET_<phase> nor MXP_S2C_…
  bad_phase,          // not a decimal number below 2^32, or with leading zeros
  bad_connection_id,  // not 16 hex digits
  bad_secret,         // not 64 hex digits
  wrong_field_count,  // not three fields with one space between them
};
// A phrase that says what is wrong and what is expected.
std::string_view to_string(KeyLogError error);

// `line` comes without its newline; its hex digits may be of either case. The caller skips blank lines and comments
// ('#').
std::expected<KeyLogLine, KeyLogError> parse_key_log_line(std::string_view line);

}  // namespace mxp
