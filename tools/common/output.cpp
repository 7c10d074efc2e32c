#include "common/output.h"

#include <fmt/format.h>
#include <unistd.h>

#include <cstdlib>

#include "common/log_writer.h"

namespace mxp::tools {
namespace {

constexpr std::string_view kClearLine = "\r\033[K";
constexpr std::string_view kYellow = "\033[33m";
constexpr std::string_view kPlain = "\033[0m";

bool environment_has(const char* name) {
  const char* value = std::getenv(name);
  return value != nullptr && *value != '\0';
}

}  // namespace

Output::Output(std::string tool, Verbosity verbosity) : tool_(std::move(tool)), verbosity_(verbosity) {
  const char* term = std::getenv("TERM");
  terminal_ = ::isatty(STDERR_FILENO) == 1;
  colour_ = terminal_ && !environment_has("NO_COLOR") && (term == nullptr || std::string_view(term) != "dumb");
}

Output::~Output() { stderr_log().flush(kLastWordPatience); }

void Output::line(std::string_view text) {
  end_progress();
  stderr_log().write(fmt::format("{}\n", text));
  stderr_log().flush(kLastWordPatience);
}

void Output::warning(std::string_view text) {
  emit(colour_ ? fmt::format("{}{}: warning:{} ", kYellow, tool_, kPlain) : fmt::format("{}: warning: ", tool_), text);
}

void Output::note(std::string_view text) {
  if (verbosity_ >= Verbosity::normal) emit(fmt::format("{}: ", tool_), text);
}

void Output::summary(std::string_view text) {
  if (verbosity_ >= Verbosity::normal) emit("", text);
}

void Output::verbose(std::string_view text) {
  if (verbosity_ >= Verbosity::verbose) emit(fmt::format("{}: ", tool_), text);
}

void Output::debug(std::string_view text) {
  if (verbosity_ >= Verbosity::debug) emit(fmt::format("{}: ", tool_), text);
}

void Output::emit(std::string_view prefix, std::string_view text) {
  const std::string whole = fmt::format("{}{}\n", prefix, text);
  if (held_) {
    kept_ += whole;
    return;
  }
  end_progress();
  stderr_log().write(whole);
}

void Output::release() {
  held_ = false;
  stderr_log().write(kept_);
  kept_.clear();
}

void Output::progress(std::string_view text) {
  if (!terminal_ || verbosity_ == Verbosity::quiet || held_) return;
  stderr_log().write(fmt::format("{}{}", kClearLine, text));
  progress_shown_ = true;
}

void Output::end_progress() {
  if (!progress_shown_) return;
  stderr_log().write(kClearLine);
  progress_shown_ = false;
}

}  // namespace mxp::tools
