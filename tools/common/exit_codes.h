// The classes of failure that scripts rely on: one exit code and one word (`error.kind` in JSON) for each.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace mxp::tools {

enum class ExitCode : int {
  ok = 0,
  failure = 1,    // network, peer or local I/O
  usage = 2,      // wrong usage, unreadable input or key file, existing output
  auth = 3,       // client not allowed, wrong key, a reply that does not verify
  timeout = 4,    // no answer to the handshake, or a time limit that the user set
  peer = 5,       // the peer closed or reset with an application error
  threshold = 6,  // a threshold that the user set was not met
  nomatch = 7,    // nothing matched (with --exit-nomatch)
  interrupted = 130,
};

// Finer than the exit code: `network` and `io` share 1.
enum class ErrorKind : std::uint8_t { network, io, usage, auth, timeout, peer, threshold, nomatch, interrupted };

constexpr ExitCode exit_code(ErrorKind kind) {
  switch (kind) {
    case ErrorKind::network:
    case ErrorKind::io: return ExitCode::failure;
    case ErrorKind::usage: return ExitCode::usage;
    case ErrorKind::auth: return ExitCode::auth;
    case ErrorKind::timeout: return ExitCode::timeout;
    case ErrorKind::peer: return ExitCode::peer;
    case ErrorKind::threshold: return ExitCode::threshold;
    case ErrorKind::nomatch: return ExitCode::nomatch;
    case ErrorKind::interrupted: return ExitCode::interrupted;
  }
  return ExitCode::failure;
}

constexpr std::string_view kind_word(ErrorKind kind) {
  switch (kind) {
    case ErrorKind::network: return "network";
    case ErrorKind::io: return "io";
    case ErrorKind::usage: return "usage";
    case ErrorKind::auth: return "auth";
    case ErrorKind::timeout: return "timeout";
    case ErrorKind::peer: return "peer";
    case ErrorKind::threshold: return "threshold";
    case ErrorKind::nomatch: return "nomatch";
    case ErrorKind::interrupted: return "interrupted";
  }
  return "io";
}

// The inverse; nothing for any other word.
constexpr std::optional<ErrorKind> kind_of_word(std::string_view word) {
  using enum ErrorKind;
  for (const ErrorKind kind : {network, io, usage, auth, timeout, peer, threshold, nomatch, interrupted})
    if (kind_word(kind) == word) return kind;
  return std::nullopt;
}

}  // namespace mxp::tools
