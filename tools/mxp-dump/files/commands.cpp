#include "mxp-dump/files/commands.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "common/command_line.h"
#include "common/json_output.h"

namespace mxp::dump {
namespace {

constexpr std::string_view describe_command(std::string_view command) {
  if (command == "join") return "hold the captures of both ends against each other";
  if (command == "redact") return "make a capture that can be given away";
  if (command == "inject-keys") return "put the secrets of a key log into a capture";
  return "take all secrets out of a capture";
}

constexpr const char* kJoinFooter = R"(Examples:
  mxp-dump join client.pcap server.pcapng              where packets were lost, one-way delays, clock offset
  mxp-dump join client.pcap server.pcap --keylog k     with packet numbers: lost is told from not captured

Packets are matched by their content, so that addresses may differ between the captures (NAT). The clocks of the two
machines need not agree: offset and drift are estimated, with the bound of their error.)";

void add_output(CLI::App& app, FileCommandOptions& options) {
  app.add_option("-o,--output", options.output, "the new file (pcapng)")->required()->type_name("FILE");
  app.add_flag("--force", options.force, "replace an existing file of -o");
}

std::expected<FileCommandOptions, tools::ParseStop> parse(std::vector<std::string> arguments) {
  FileCommandOptions options;
  options.arguments = arguments;
  options.command = arguments.front();
  arguments.erase(arguments.begin());
  const std::string name = "mxp-dump " + options.command;
  CLI::App app(std::string(describe_command(options.command)), name);
  app.option_defaults()->multi_option_policy(CLI::MultiOptionPolicy::Throw);
  std::string client, server, key_log;
  if (options.command == "join") {
    app.add_option("CLIENT", client, "what was captured at the client")->required();
    app.add_option("SERVER", server, "what was captured at the server")->required();
    app.add_option("--keylog", key_log, "traffic secrets of the connections")->type_name("FILE");
    app.add_option("--port", options.port, "take UDP on this port for MXP")
        ->check(CLI::Range(1, 65535))
        ->type_name("PORT");
    tools::add_json(app, options.json, "the result as JSON; without FILE on stdout");
    app.add_flag("--exit-nomatch", options.exit_nomatch, "exit 7 if the captures share no packet");
    app.footer(kJoinFooter);
  } else {
    app.add_option("FILE", client, "a pcap or pcapng file, also compressed")->required();
    add_output(app, options);
  }
  if (options.command == "inject-keys") {
    app.add_option("--keylog", key_log, "the key log (default: that of MXPKEYLOGFILE)")->type_name("FILE");
    app.add_flag("--all", options.all, "also the secrets of connections that are not in the capture");
  }
  if (options.command == "redact") {
    app.add_option("--key", options.pseudonym_key,
                   "a file whose bytes choose the pseudonyms: the same in every capture")
        ->type_name("FILE");
    app.add_option("--port", options.port, "take UDP on this port for MXP")
        ->check(CLI::Range(1, 65535))
        ->type_name("PORT");
  }
  tools::add_verbosity(app, options.verbosity);
  if (auto parsed = tools::parse_command_line(app, arguments); !parsed) return std::unexpected(parsed.error());
  options.inputs = {client};
  if (options.command == "join") options.inputs.push_back(server);
  for (const std::string& input : options.inputs) {
    if (input == "-")
      return std::unexpected(tools::ParseStop{
          tools::ExitCode::usage, options.command + " reads its input twice, and stdin can be read once: name a file"});
  }
  if (options.output == "-")
    return std::unexpected(tools::ParseStop{tools::ExitCode::usage, "-o needs the name of a file"});
  options.key_log = choose_key_log(key_log);
  if (options.command == "inject-keys" && options.key_log.path.empty())
    return std::unexpected(tools::ParseStop{tools::ExitCode::usage, "inject-keys needs --keylog FILE"});
  return options;
}

}  // namespace

tools::Result<ReplacementFile> open_new_file(const FileCommandOptions& options, Readers readers) {
  std::vector<tools::UsedFile> used{{.called = "the input", .path = options.inputs.front()}};
  if (!options.key_log.path.empty()) used.push_back({.called = "the key log", .path = options.key_log.path});
  if (!options.pseudonym_key.empty()) used.push_back({.called = "--key", .path = options.pseudonym_key});
  return ReplacementFile::create(
      options.output, {.if_exists = options.force ? tools::IfExists::replace : tools::IfExists::refuse, .used = used},
      readers);
}

tools::Result<tools::ExitCode> finish_file(ReplacementFile& out, const std::optional<tools::ToolError>& damage) {
  if (auto done = out.commit(); !done) return std::unexpected(done.error());
  if (damage) return std::unexpected(*damage);
  return tools::ExitCode::ok;
}

bool is_file_command(std::string_view word) { return std::ranges::find(kFileCommands, word) != kFileCommands.end(); }

void list_file_commands(CLI::App& app) {
  for (const std::string_view command : kFileCommands)
    app.add_subcommand(std::string(command), std::string(describe_command(command)));
}

int run_file_command(int argc, char** argv) {
  const std::vector<std::string> arguments(argv + 1, argv + argc);
  const auto options = parse(arguments);
  if (!options) return tools::report_stop("mxp-dump", options.error(), arguments, tools::StdoutUse::free);
  tools::Output output("mxp-dump", static_cast<tools::Verbosity>(options->verbosity));
  const auto done = options->command == "join"          ? join(*options, output)
                    : options->command == "redact"      ? redact(*options, output)
                    : options->command == "inject-keys" ? inject_keys(*options, output)
                                                        : strip_keys(*options, output);
  if (done) return static_cast<int>(*done);
  tools::print_error("mxp-dump", done.error());
  if (auto json = tools::JsonOutput::open(options->json, tools::StdoutUse::free, options->arguments); json)
    static_cast<void>(json->write_line(tools::to_json(done.error())));
  return static_cast<int>(done.error().exit_code());
}

}  // namespace mxp::dump
