// The commands that take whole files: join, redact, inject-keys, strip-keys. Each has options of its own.
#pragma once

#include <CLI/CLI.hpp>
#include <array>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/output.h"
#include "common/tool_error.h"
#include "mxp-dump/dissect/key_log_choice.h"
#include "mxp-dump/files/replacement_file.h"

namespace mxp::dump {

inline constexpr std::array<std::string_view, 4> kFileCommands = {"join", "redact", "inject-keys", "strip-keys"};

bool is_file_command(std::string_view word);
// Parses, runs, prints one error line if need be, and returns the exit code.
int run_file_command(int argc, char** argv);
// For the help of the tool.
void list_file_commands(CLI::App& app);

struct FileCommandOptions {
  std::string command;
  std::vector<std::string> inputs;  // two for join, else one
  std::string output;               // -o
  bool force = false;
  KeyLogChoice key_log;
  bool all = false;                    // inject-keys: also secrets of connections that are not in the capture
  std::string pseudonym_key;           // redact: a file; empty: a key for this run only
  std::string json;                    // join
  bool exit_nomatch = false;           // join
  std::uint16_t port = 0;              // join, redact
  std::vector<std::string> arguments;  // as typed
  int verbosity = 0;
};

// The file of -o, by the rules that all commands share.
tools::Result<ReplacementFile> open_new_file(const FileCommandOptions& options, Readers readers);
// Gives it its name. What is whole of a damaged input is written, and the damage is the answer.
tools::Result<tools::ExitCode> finish_file(ReplacementFile& out, const std::optional<tools::ToolError>& damage);

// Exit code or error. A damaged input is an error that comes after what is whole was written.
tools::Result<tools::ExitCode> inject_keys(const FileCommandOptions& options, tools::Output& output);
tools::Result<tools::ExitCode> strip_keys(const FileCommandOptions& options, tools::Output& output);
tools::Result<tools::ExitCode> redact(const FileCommandOptions& options, tools::Output& output);
tools::Result<tools::ExitCode> join(const FileCommandOptions& options, tools::Output& output);

}  // namespace mxp::dump
