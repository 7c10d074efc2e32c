#include "mxp-dump/why/why_options.h"

namespace mxp::dump {
namespace {

constexpr const char* kWhyFooter =
    R"(Each finding has a confidence, the frames that show it, what would confirm it, and a page of the runbook. Without keys
only the handshake, sizes, addresses and times can be judged.

Exit: 0 done, also with findings, 1 local failure, 2 wrong usage or an unreadable, truncated or malformed file, 7 no MXP (--exit-nomatch), 130 interrupted)";

std::unexpected<tools::ParseStop> refuse_why(std::string why) {
  return std::unexpected(tools::ParseStop{tools::ExitCode::usage, std::move(why) + " (see mxp-dump why --help)"});
}

}  // namespace

std::expected<WhyOptions, tools::ParseStop> parse_why_options(const std::vector<std::string>& arguments) {
  WhyOptions options;
  std::string key_log, format, server_key;
  CLI::App app("Says what is wrong with each connection in a capture, the likeliest first, and where its time went",
               "mxp-dump why");
  app.option_defaults()->multi_option_policy(CLI::MultiOptionPolicy::Throw);
  app.add_option("FILE", options.path, "a pcap or pcapng file; - is stdin")->required();
  app.add_option("-f,--filter", options.capture_filter, "look only at what this capture filter (BPF) lets through")
      ->type_name("BPF");
  app.add_option("--keylog", key_log, "traffic secrets, as MXPKEYLOGFILE makes the tools log them")->type_name("FILE");
  app.add_option("--server-key", server_key, "the server's public key: tells whether message 1 was made with it")
      ->type_name("KEY");
  app.add_option("--port", options.port, "take UDP on this port for MXP, for connections joined in their middle")
      ->check(CLI::Range(1, 65535))
      ->type_name("PORT");
  app.add_option("-T,--format", format, "what is printed: text (default) or json (one object for each connection)")
      ->check(CLI::IsMember({"text", "json"}))
      ->type_name("FORMAT");
  tools::add_json(app, options.json, "the findings as JSON, one object for each connection; without FILE on stdout");
  app.add_flag("--exit-nomatch", options.exit_nomatch, "exit 7 if there is no MXP");
  tools::add_verbosity(app, options.verbosity);
  tools::add_version(app, "mxp-dump");
  app.footer(kWhyFooter);
  if (auto parsed = tools::parse_command_line(app, arguments); !parsed) return std::unexpected(parsed.error());
  options.arguments = arguments;
  if (options.path.empty()) return refuse_why("why needs the name of a file, or - for stdin");
  options.print_json = format == "json";
  options.key_log = choose_key_log(key_log);
  if (!server_key.empty()) {
    options.server_key = PublicKey::parse(server_key);
    if (!options.server_key)
      return refuse_why("--server-key needs the 43 characters of a public key, as mxp-cat pubkey prints it");
  }
  return options;
}

}  // namespace mxp::dump
