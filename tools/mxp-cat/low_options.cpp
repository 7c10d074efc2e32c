#include "mxp-cat/low_options.h"

#include <algorithm>
#include <chrono>

#include "common/command_names.h"
#include "common/congestion_names.h"
#include "common/units.h"

namespace mxp::tools {
namespace {

using namespace std::chrono_literals;

constexpr const char* kExamples = R"(Examples:
  mxp-cat keygen                                    make the default key, print the public one
  mxp-cat listen 9000 > copy                        first line on stderr: listening mxp://KEY@ADDR:PORT
  mxp-cat mxp://KEY@HOST:9000 < original            stdin to the listener, its answer to stdout
  mxp-cat listen 9000 --keep-open --recv inbox      take files from anybody who knows the key
  mxp-cat mxp://KEY@HOST:9000 --send photos notes.txt
  mxp-cat mxp://KEY@HOST:9000 --message Event       each line a message; the listener needs --message, too

Exit codes: 0 done, 1 network or local I/O, 2 usage or input, 3 not allowed, 4 no answer in time,
5 the peer closed with an error, 130 interrupted.
MXPKEYLOGFILE=FILE appends the session secrets to FILE, for mxp-dump. QLOGDIR=DIR is --qlog DIR.)";

constexpr std::string_view kPresent[] = {"keygen", "pubkey", "listen", "connect"};
constexpr std::string_view kAbsent[] = {"forward", "ping", "scan", "probe"};
constexpr CommandNames kCommands{
    .tool = "mxp-cat", .present = kPresent, .absent = kAbsent, .or_else = ", or a URL mxp://KEY@HOST:PORT"};

bool is_url(std::string_view text) { return text.starts_with("mxp://"); }

// A bare URL means connect, wherever it stands among the options.
void insert_connect(std::vector<std::string>& arguments) {
  if (arguments.empty()) return;
  if (!arguments.front().starts_with('-') && !is_url(arguments.front())) return;
  // What has files to send or a folder to receive into is no command without a name, but lacks its URL: connect says
  // so.
  const auto is_transfer = [](const std::string& word) {
    return word.starts_with("--send") || word.starts_with("--recv");
  };
  const auto is_command = [](const std::string& word) {
    return std::find(std::begin(kPresent), std::end(kPresent), word) != std::end(kPresent);
  };
  const bool transfer = std::any_of(arguments.begin(), arguments.end(), is_transfer) &&
                        std::none_of(arguments.begin(), arguments.end(), is_command);
  if (transfer || std::any_of(arguments.begin(), arguments.end(), is_url))
    arguments.insert(arguments.begin(), "connect");
}

void add_session_options(CLI::App& command, LowOptions& low) {
  command.add_option("--send", low.send, "send files, and folders with all below them, one stream each")
      ->type_name("FILE|DIR");
  command.add_flag("--devices", low.devices,
                   "with --send: block devices and pipes too, as files with what can be read from them");
  command.add_option("--recv", low.receive_into, "receive files into DIR; unfinished ones are NAME.part")
      ->type_name("DIR");
  command.add_flag("--force", low.force, "with --recv: replace existing files");
  command
      .add_option("--identity", low.identity, "private key; default $XDG_CONFIG_HOME/mxp/id_25519, made on first use")
      ->type_name("FILE");
  command.add_option("--suite", low.suites, "cipher suites in order of preference: chacha20, aes256")
      ->type_name("LIST");
  command.add_option("--cc", low.congestion_control, "congestion control: bbr (default), cubic, newreno")
      ->check(CLI::IsMember(congestion_names(OfferNone::no)))
      ->type_name("NAME");
  command.add_flag("--datagram", low.datagram,
                   "datagrams in place of a stream: each line is one, and may be lost; the peer needs it, too");
  command
      .add_option("--streams", low.streams,
                  "deal the lines of stdin over N streams, 1 to 256; a listener takes up to N: the peer needs it, too")
      ->check(CLI::Range(1u, 256u))
      ->type_name("N");
  command
      .add_option("--message", low.message,
                  "each line of stdin is one message of this type: Event, Call, ..., or 0x80 to 0xEF")
      ->type_name("TYPE");
  command
      .add_option("--frame", low.frame,
                  "with --message, --datagram or --streams, what is sent as one: line (default), nul (ends with a zero "
                  "byte), len "
                  "(u32 before it), raw (each read; datagrams only)")
      ->check(CLI::IsMember({"raw", "line", "len", "nul"}))
      ->type_name("raw|line|len|nul");
  command
      .add_option("--priority", low.priority,
                  "class of the stream, the files or the messages that we send: critical, control, streaming, "
                  "background")
      ->check(CLI::IsMember({"critical", "control", "streaming", "background"}))
      ->type_name("CLASS");
  command.add_flag("--half-close", low.half_close, "keep a terminal's session open after the peer's end");
  command.add_flag("--end-together", low.end_together, "the peer's end is ours too, even while stdin goes on");
  command.add_flag("--no-stdin", low.no_stdin, "send nothing and end our side at once");
  // An acknowledgement takes a round trip: no wait at all could only fail.
  add_time(command, "-q", low.wait_after_end, "wait at most so long after our own end, then exit 4",
           {.zero = TimeRange::Zero::refused, .least = 1ms});
  add_time(command, "--timeout", low.timeout, "time until connected, 0 for no limit (connect: 10s; listen: none)",
           {.zero = TimeRange::Zero::means_none, .least = 1ms});
  // Whole milliseconds on the wire, where 0 means none (docs/protocol.md §2.2).
  add_time(command, "--idle-timeout", low.idle_timeout,
           "silence after which the peer is taken for gone, 0 for no limit (30s)",
           {.zero = TimeRange::Zero::means_none, .least = 1ms});
  command.add_flag("--progress", low.progress, "show progress, on a terminal");
  command.add_flag("--digest", low.digest, "print the SHA-256 of what was sent and received on stderr");
  add_observe_options(command, low.observe);
  add_json(command, low.json, "events and the result as JSON, one object a line");
  add_verbosity(command, low.verbosity);
}

}  // namespace

std::expected<void, ParseStop> parse_arguments(std::vector<std::string> arguments, LowOptions& low) {
  CLI::App app("Ad-hoc sessions over MXP: pipes, files and keys between two machines", "mxp-cat");
  app.footer(kExamples);
  app.require_subcommand(1);
  add_version(app, "mxp-cat");

  CLI::App* keygen = app.add_subcommand("keygen", "make a private key; the public key goes to stdout");
  keygen->add_option("-o", low.key_file, "where to write it (default: the default identity)")->type_name("FILE");
  keygen->add_option("--suite", low.suites, "kind of key: 25519")->type_name("25519");
  keygen->add_flag("--force", low.force, "replace an existing file");

  CLI::App* pubkey = app.add_subcommand("pubkey", "print the public key of a private key file");
  pubkey->add_option("FILE", low.key_file, "default: the default identity");

  CLI::App* listen = app.add_subcommand("listen", "wait for a connection: its first stream to stdout, stdin to it");
  listen->add_option("[ADDR:]PORT", low.address, "port 0 picks one")->required();
  listen->add_option("--authorized-keys", low.authorized_keys, "accept only these clients: a line KEY [name] for each")
      ->type_name("FILE");
  listen->add_flag("--allow-any", low.allow_any, "accept every client that knows our key, without saying so");
  listen->add_flag("--echo", low.echo, "send back what comes, on every stream; with --message, each message");
  listen->add_flag("--once", low.once, "one connection, then exit with its code (the default)");
  listen->add_flag("--keep-open", low.keep_open, "serve until interrupted");
  add_session_options(*listen, low);

  CLI::App* connect = app.add_subcommand("connect", "connect to a listener: stdin to a stream, the stream to stdout");
  connect->add_option("URL", low.url, "mxp://KEY@HOST[:PORT]");
  add_session_options(*connect, low);
  for (CLI::App* command : {keygen, pubkey, listen, connect}) command->footer(kExamples);

  insert_connect(arguments);
  if (auto known = check_command(kCommands, arguments); !known) return known;
  if (auto parsed = parse_command_line(app, std::move(arguments)); !parsed) return parsed;

  if (keygen->parsed()) low.command = Command::keygen;
  if (pubkey->parsed()) low.command = Command::pubkey;
  if (listen->parsed()) low.command = Command::listen;
  if (connect->parsed()) low.command = Command::connect;
  // "--send a b URL": the list of files takes the URL with it.
  if (low.command == Command::connect && low.url.empty()) {
    const auto url = std::find_if(low.send.begin(), low.send.end(), is_url);
    if (url == low.send.end()) {
      return std::unexpected(ParseStop{
          ExitCode::usage, "connect needs the listener's URL: mxp://KEY@HOST:PORT, as `mxp-cat listen` prints it"});
    }
    low.url = *url;
    low.send.erase(url);
  }
  return {};
}

}  // namespace mxp::tools
