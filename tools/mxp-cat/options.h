// What the user means: typed, checked, complete. Everything that can be refused without the network is refused here.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "common/observe/options.h"
#include "common/output.h"
#include "common/tool_error.h"
#include "mxp-cat/file_list.h"
#include "mxp-cat/frame_cutter.h"
#include "mxp-cat/low_options.h"
#include "mxp/address.h"
#include "mxp/config.h"
#include "mxp/keys.h"
#include "mxp/message.h"
#include "mxp/time.h"
#include "mxp/url.h"

namespace mxp::tools {

// What the streams of a connection carry.
enum class Mode : std::uint8_t { pipe, echo, send, receive, datagrams, messages, streams };

// What the peer's end of stream does to our reading of stdin (docs/file-transfer.md §1).
enum class AtPeerEnd : std::uint8_t {
  end_terminal,  // somebody at a keyboard is done; what a program or a file has to say goes over to its end
  read_on,       // --half-close
  end,           // --end-together
};

struct Options {
  Command command = Command::connect;
  Mode mode = Mode::pipe;
  Verbosity verbosity = Verbosity::normal;

  std::filesystem::path key_file;  // empty = the default identity
  bool force = false;

  SocketAddress listen_address;
  Url url;                        // connect: with a key
  std::vector<std::string> send;  // not empty in Mode::send
  Devices devices = Devices::refuse;
  std::string receive_into;                          // Mode::receive
  std::filesystem::path identity;                    // empty = the default, made on first use
  std::optional<std::vector<PublicKey>> authorized;  // nothing = everyone who knows our key
  bool say_that_anyone_may_connect = false;
  bool keep_open = false;
  AtPeerEnd at_peer_end = AtPeerEnd::end_terminal;
  Framing framing = Framing::line;       // Mode::datagrams, Mode::messages, Mode::streams
  std::size_t streams = 1;               // Mode::streams: that we open, or take at most
  std::optional<MessageType> message;    // Mode::messages
  bool echo_messages = false;            // Mode::messages
  std::optional<MessageClass> priority;  // of what we send; nothing = as its kind has it
  bool no_stdin = false;
  bool progress = false;
  bool digest = false;
  std::optional<Duration> timeout;  // until connected; nothing = wait for ever
  Duration idle_timeout{};          // 0 = none
  std::optional<Duration> wait_after_end;
  CongestionControl congestion_control = CongestionControl::bbr;
  std::vector<Suite> suites;  // empty = the library's order
  ObserveOptions observe;
};

bool stdout_carries_data(const LowOptions& low);
// From what was typed to what is meant.
Result<Options> interpret(const LowOptions& low);

}  // namespace mxp::tools
