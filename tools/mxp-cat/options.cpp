#include "mxp-cat/options.h"

#include <fmt/format.h>

#include <chrono>

#include "common/congestion_names.h"
#include "common/escape.h"
#include "common/key_files.h"
#include "common/message_names.h"
#include "common/resolve.h"
#include "common/suite_list.h"

namespace mxp::tools {
namespace {

using std::chrono_literals::operator""s;

Framing framing(std::string_view name) {
  return name == "raw" ? Framing::raw : name == "len" ? Framing::len : name == "nul" ? Framing::nul : Framing::line;
}

Result<void> check_combination(const LowOptions& low) {
  const int modes =
      static_cast<int>(low.echo) + static_cast<int>(!low.send.empty()) + static_cast<int>(!low.receive_into.empty());
  if (modes > 0 && low.datagram)
    return fail(ErrorKind::usage, "--datagram excludes --echo, --send and --recv: a connection does one of them");
  if (low.datagram && low.message)
    return fail(ErrorKind::usage, "--datagram and --message exclude each other: a connection does one of them");
  if (low.streams && (modes > 0 || low.datagram || low.message))
    return fail(ErrorKind::usage,
                "--streams excludes --datagram, --message, --echo, --send and --recv: a connection does one of them");
  if (low.streams && low.digest)
    return fail(ErrorKind::usage, "--digest excludes --streams: what comes on several has no order of its own");
  if (low.streams && low.frame == "raw")
    return fail(ErrorKind::usage,
                "--frame raw cannot be put together again from several streams: use line, len or nul with --streams");
  if (low.datagram && low.digest)
    return fail(ErrorKind::usage, "--digest excludes --datagram: what is lost on the way has no part in it");
  if (low.message && (!low.send.empty() || !low.receive_into.empty()))
    return fail(ErrorKind::usage, "--message excludes --send and --recv: a connection does one of them");
  if (low.message && low.digest) return fail(ErrorKind::usage, "--digest is of a stream or files: --message has none");
  if (low.message && low.frame == "raw")
    return fail(ErrorKind::usage, "--frame raw has no messages: use line, len or nul with --message");
  if (low.frame && low.frame != "raw" && !low.message && !low.datagram && !low.streams)
    return fail(ErrorKind::usage,
                fmt::format("--frame {} needs --message, --datagram or --streams: a stream has no frames", *low.frame));
  if (low.priority && low.datagram)
    return fail(ErrorKind::usage, "--priority is of a stream, files or messages: datagrams have a place of their own");
  if (low.priority && !low.message && (low.echo || !low.receive_into.empty()))
    return fail(ErrorKind::usage, "--priority is of what we send: --echo and --recv send only answers");
  if (modes > 1)
    return fail(ErrorKind::usage, "--echo, --send and --recv exclude each other: a connection does one of them");
  if (low.once && low.keep_open) return fail(ErrorKind::usage, "--once and --keep-open exclude each other");
  if (low.allow_any && !low.authorized_keys.empty()) {
    return fail(ErrorKind::usage, "--allow-any and --authorized-keys exclude each other");
  }
  if (low.devices && low.send.empty()) return fail(ErrorKind::usage, "--devices needs --send");
  if (low.force && low.receive_into.empty())
    return fail(ErrorKind::usage, "--force needs --recv: it replaces existing files");
  if (modes > 0 && (low.half_close || low.end_together || low.no_stdin || low.wait_after_end)) {
    return fail(ErrorKind::usage,
                "--half-close, --end-together, --no-stdin and -q are about stdin, which --echo, --send and --recv do "
                "not read");
  }
  if (static_cast<int>(low.half_close) + static_cast<int>(low.end_together) + static_cast<int>(low.no_stdin) > 1)
    return fail(ErrorKind::usage, "--half-close, --end-together and --no-stdin exclude each other");
  return {};
}

Result<void> read_listen(const LowOptions& low, Options& options) {
  const auto address = parse_listen_address(low.address, Families::both);
  if (!address) return std::unexpected(address.error());
  options.listen_address = *address;
  options.keep_open = low.keep_open;
  options.timeout = low.timeout;
  if (options.timeout == Duration::zero()) options.timeout.reset();
  options.say_that_anyone_may_connect = low.authorized_keys.empty() && !low.allow_any;
  if (low.authorized_keys.empty()) return {};
  const auto keys = load_authorized_keys(low.authorized_keys);
  if (!keys) return std::unexpected(keys.error());
  auto& authorized = options.authorized.emplace();
  for (const AuthorizedKey& entry : *keys) authorized.push_back(entry.key);
  return {};
}

Result<void> read_connect(const LowOptions& low, Options& options) {
  auto url = parse_url(low.url);
  if (!url) return fail(ErrorKind::usage, url.error());
  if (!url->key) {
    return fail(
        ErrorKind::usage,
        fmt::format("{}: the server's key is missing: expected mxp://KEY@HOST:PORT, as `mxp-cat listen` prints it",
                    escape(low.url)));
  }
  if (url->port == 0) return fail(ErrorKind::usage, fmt::format("{}: port 0 cannot be dialled", escape(low.url)));
  options.url = *std::move(url);
  options.timeout = low.timeout.value_or(10s);
  if (options.timeout == Duration::zero()) options.timeout.reset();
  return {};
}

}  // namespace

bool stdout_carries_data(const LowOptions& low) { return !low.echo && low.send.empty() && low.receive_into.empty(); }

Result<Options> interpret(const LowOptions& low) {
  Options options;
  options.command = low.command;
  options.verbosity = static_cast<Verbosity>(low.verbosity);
  options.key_file = low.key_file;
  options.force = low.force;
  if (low.command == Command::keygen || low.command == Command::pubkey) {
    if (low.suites && *low.suites != "25519")
      return fail(ErrorKind::usage, fmt::format("--suite: no keys of kind '{}': use 25519", escape(*low.suites)));
    return options;
  }

  if (auto good = check_combination(low); !good) return std::unexpected(good.error());
  if (low.echo) options.mode = Mode::echo;
  if (!low.send.empty()) options.mode = Mode::send;
  if (!low.receive_into.empty()) options.mode = Mode::receive;
  if (low.datagram) options.mode = Mode::datagrams;
  if (low.streams) {
    options.mode = Mode::streams;
    options.streams = *low.streams;
  }
  if (low.frame) options.framing = framing(*low.frame);
  if (low.message) {
    options.message = message_type_of(*low.message);
    if (!options.message)
      return fail(
          ErrorKind::usage,
          fmt::format("--message '{}': no type of messages: Event, Call, Response, ... (docs/protocol.md §1), or "
                      "0x80 to 0xEF",
                      escape(*low.message)));
    options.mode = Mode::messages;
    options.echo_messages = low.echo;
  }
  if (low.priority) options.priority = message_class_of(*low.priority);
  options.send = low.send;
  options.devices = low.devices ? Devices::send : Devices::refuse;
  options.receive_into = low.receive_into;
  options.identity = low.identity;
  if (low.half_close) options.at_peer_end = AtPeerEnd::read_on;
  if (low.end_together) options.at_peer_end = AtPeerEnd::end;
  options.no_stdin = low.no_stdin;
  options.progress = low.progress;
  options.digest = low.digest;
  options.idle_timeout = low.idle_timeout.value_or(30s);
  options.wait_after_end = low.wait_after_end;
  options.observe = low.observe;
  if (low.congestion_control) options.congestion_control = congestion_control(*low.congestion_control);
  if (low.suites) {
    auto suites = parse_suites(*low.suites);
    if (!suites) return std::unexpected(suites.error());
    options.suites = *std::move(suites);
  }

  const auto read = low.command == Command::listen ? read_listen(low, options) : read_connect(low, options);
  if (!read) return std::unexpected(read.error());
  return options;
}

}  // namespace mxp::tools
