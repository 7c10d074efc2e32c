// What a tool says on stderr: levels, colour and a progress line. Data and reports do not pass here. Nothing here waits
// for a reader of stderr (common/log_writer.h) but line() and the end, for a second at most.
// Threads: one.
#pragma once

#include <cstdio>
#include <string>
#include <string_view>

namespace mxp::tools {

enum class Verbosity : int { quiet = -1, normal = 0, verbose = 1, debug = 2 };

class Output {
 public:
  // `tool` prefixes notes and warnings. Colour and progress need a terminal on stderr; NO_COLOR and TERM=dumb are
  // honoured.
  Output(std::string tool, Verbosity verbosity);
  ~Output();
  Output(const Output&) = delete;
  Output& operator=(const Output&) = delete;

  Verbosity verbosity() const { return verbosity_; }
  bool terminal() const { return terminal_; }
  bool colour() const { return colour_; }

  void line(std::string_view text);  // always, even with --quiet, and without a prefix: contracts such as "listening …"
  void warning(std::string_view text);  // always, even with --quiet
  void note(std::string_view text);     // unless --quiet
  void summary(std::string_view text);  // unless --quiet, without a prefix
  void verbose(std::string_view text);  // -v
  void debug(std::string_view text);    // -vv

  // Keeps warnings and notes back until release(), for a tool whose first line on stderr is promised to scripts.
  void hold() { held_ = true; }
  void release();

  // Overwrites the current line; only on a terminal and unless --quiet. Any other line clears it first.
  void progress(std::string_view text);
  void end_progress();

 private:
  void emit(std::string_view prefix, std::string_view text);

  std::string tool_;
  Verbosity verbosity_;
  bool terminal_ = false;
  bool colour_ = false;
  bool held_ = false;
  bool progress_shown_ = false;
  std::string kept_;
};

}  // namespace mxp::tools
