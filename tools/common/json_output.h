// --json: one object a line, or one document, in a file or on stdout.
#pragma once

#include <sys/types.h>

#include <memory>
#include <nlohmann/json_fwd.hpp>
#include <span>
#include <string>
#include <string_view>

#include "common/command_line.h"
#include "common/tool_error.h"
#include "udp/unique_fd.h"

namespace mxp::tools {

enum class StdoutUse : std::uint8_t { free, carries_data };

// `value` as one line, and indented over several lines; each ends with a newline. Text that is not UTF-8, such as a
// file's name, is replaced: nlohmann's own dump() throws there.
std::string json_line(const nlohmann::json& value);
std::string json_document(const nlohmann::json& value);

class JsonOutput {
 public:
  // `target` as the user gave it: "" = not asked for, "-" = stdout (a usage error where stdout carries data), else a
  // file. What an earlier run left in the file goes at once, so that nobody takes it for this run's result;
  // output_file.h has the other rules. `arguments` is the raw command line: the files that it names are not
  // overwritten, nor is anything below `read_folders`.
  static Result<JsonOutput> open(const std::string& target, StdoutUse use, std::span<const std::string> arguments,
                                 std::span<const std::string> read_folders = {});

  explicit operator bool() const { return fd_ >= 0; }

  // Writes `value` compactly and a newline, at once; nothing if it was not asked for. Text that is not UTF-8 is
  // replaced. A file on a full disk ends with the last line that is whole. After a failure nothing more is written, and
  // nothing more fails: see status().
  Result<void> write_line(const nlohmann::json& value);
  // The same, indented and synced to the disk, for a document that people read too.
  Result<void> write_document(const nlohmann::json& value);

  // Whether something was written: an error that comes later must not spoil it.
  bool written() const { return written_; }
  // The first failure to write, if any: then the JSON is not whole. A reader that has gone is none.
  const Result<void>& status() const { return status_; }

 private:
  enum class Sync : std::uint8_t { no, yes };
  Result<void> write_text(std::string_view text, Sync sync);

  UniqueFd owned_;
  int fd_ = -1;
  std::string target_;
  bool regular_ = false;  // a file of our own, which can be cut back
  off_t whole_ = 0;       // bytes of whole texts in it
  bool written_ = false;
  Result<void> status_;
};

// The end of a run that failed before it had opened anything: prints the error, writes it as JSON too where `--json`
// among the raw arguments asks for that, and returns the exit code.
int report_failure(std::string_view tool, const ToolError& error, std::span<const std::string> arguments,
                   StdoutUse use);
// The same where the command line was not understood. 0 and no word for --help and --version.
int report_stop(std::string_view tool, const ParseStop& stop, std::span<const std::string> arguments, StdoutUse use);

}  // namespace mxp::tools
