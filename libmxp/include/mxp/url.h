// mxp://[KEY@]host[:port][/agent-id] (docs/protocol.md §1).
#pragma once

#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <string_view>

#include "mxp/keys.h"

#pragma GCC visibility push(default)
namespace mxp {

inline constexpr std::uint16_t kDefaultPort = 9000;

struct Url {
  std::optional<PublicKey> key;  // the server's static public key
  std::string host;              // a name or a numeric address; IPv6 without its brackets
  std::uint16_t port = kDefaultPort;
  std::string agent_id;  // empty if absent
  std::string to_string() const;
};

// The error is one sentence that says what is wrong and what is expected.
std::expected<Url, std::string> parse_url(std::string_view text);

}  // namespace mxp
#pragma GCC visibility pop
