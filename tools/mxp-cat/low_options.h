// The command line as it was typed: text and flags, nothing checked beyond its grammar.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "common/command_line.h"
#include "common/observe/options.h"
#include "mxp/time.h"

namespace mxp::tools {

enum class Command : std::uint8_t { keygen, pubkey, listen, connect };

struct LowOptions {
  Command command = Command::connect;

  std::string key_file;  // keygen -o, pubkey FILE
  std::optional<std::string> congestion_control;
  std::optional<std::string> suites;  // --suite; keygen: a kind of key
  bool force = false;

  std::string address;  // listen
  std::string url;      // connect
  std::vector<std::string> send;
  bool devices = false;
  std::string receive_into;  // --recv
  std::string identity;
  std::string authorized_keys;
  bool allow_any = false;
  bool echo = false;
  bool once = false;
  bool keep_open = false;
  bool half_close = false;
  bool end_together = false;
  bool no_stdin = false;
  bool datagram = false;
  std::optional<unsigned> streams;      // --streams N
  std::optional<std::string> message;   // --message TYPE
  std::optional<std::string> frame;     // --frame
  std::optional<std::string> priority;  // --priority
  bool progress = false;
  bool digest = false;
  std::optional<Duration> timeout;
  std::optional<Duration> idle_timeout;
  std::optional<Duration> wait_after_end;  // -q
  ObserveOptions observe;
  std::string json;  // "" = not asked for
  int verbosity = 0;
};

// Fills `low` from the arguments without the program's name. The error case covers --help and --version too.
std::expected<void, ParseStop> parse_arguments(std::vector<std::string> arguments, LowOptions& low);

}  // namespace mxp::tools
