#include "mxp-perf/compare/alternate.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <random>

#include "common/escape.h"
#include "mxp-perf/compare/result_input.h"
#include "mxp-perf/partner.h"
#include "mxp-perf/schema/input_file.h"
#include "udp/unique_fd.h"

namespace mxp::perf {

using tools::ErrorKind;

namespace {

// A result of other runs, which nobody could tell from those of this one; "" = there is none.
std::string result_in(const std::string& folder) {
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator(folder, error)) {
    const std::string name = entry.path().filename().string();
    if ((name.starts_with("base-") || name.starts_with("new-")) && name.ends_with(".json")) return name;
  }
  return {};
}

// A folder of our own for the results, which goes with it; or the user's, which stays.
class ResultFolder {
 public:
  static tools::Result<ResultFolder> create(const std::string& kept) {
    ResultFolder folder;
    folder.path_ = kept;
    if (!kept.empty()) {
      std::error_code error;
      std::filesystem::create_directories(kept, error);
      if (!std::filesystem::is_directory(kept, error))
        return tools::fail(ErrorKind::usage, fmt::format("--keep: {} is no folder", tools::escape(kept)));
      if (const std::string earlier = result_in(kept); !earlier.empty())
        return tools::fail(ErrorKind::usage, fmt::format("--keep: {} has results of earlier runs, such as {}",
                                                         tools::escape(kept), tools::escape(earlier)));
      return folder;
    }
    std::error_code error;
    std::string made = (std::filesystem::temp_directory_path(error) / "mxp-perf-XXXXXX").string();
    if (mkdtemp(made.data()) == nullptr) return tools::fail_errno(ErrorKind::io, "cannot make a folder", errno);
    folder.path_ = folder.own_ = made;
    return folder;
  }
  ResultFolder(ResultFolder&& other) noexcept
      : path_(std::move(other.path_)), own_(std::exchange(other.own_, std::string())) {}
  ResultFolder& operator=(ResultFolder&&) = delete;
  ~ResultFolder() {
    std::error_code ignored;
    if (!own_.empty()) std::filesystem::remove_all(own_, ignored);
  }
  const std::string& path() const { return path_; }

 private:
  ResultFolder() = default;
  std::string path_, own_;
};

// A program gets the command "run" unless the arguments name one; anything else is a command for the shell.
std::vector<std::string> words_of(const std::string& what, const CompareOptions& options, const std::string& result) {
  std::vector<std::string> words;
  struct stat status{};
  const bool is_program =
      ::stat(what.c_str(), &status) == 0 && S_ISREG(status.st_mode) && ::access(what.c_str(), X_OK) == 0;
  if (is_program) {
    words.push_back(what);
    if (options.arguments.empty() || options.arguments.front().starts_with('-')) words.emplace_back("run");
  } else {
    words = {"/bin/sh", "-c", what + " \"$@\"", "sh"};
  }
  words.insert(words.end(), options.arguments.begin(), options.arguments.end());
  words.push_back("--json=" + result);
  return words;
}

// In the child. Does not return.
[[noreturn]] void become(const std::vector<std::string>& words, int said) {
  // A group of its own, so that a signal reaches all that a command of the shell starts.
  setpgid(0, 0);
  // A partner of ours ignores them; this is a program of its own, and they are how it is asked to end.
  signal(SIGINT, SIG_DFL);
  signal(SIGTERM, SIG_DFL);
  const int nothing = ::open("/dev/null", O_RDWR | O_CLOEXEC);
  if (nothing >= 0) {
    dup2(nothing, STDIN_FILENO);
    dup2(nothing, STDOUT_FILENO);
  }
  dup2(said, STDERR_FILENO);
  std::vector<char*> arguments;
  arguments.reserve(words.size() + 1);
  // exec does not change what the arguments point to; its type is older than const.
  for (const std::string& word : words) arguments.push_back(const_cast<char*>(word.c_str()));
  arguments.push_back(nullptr);
  execv(arguments[0], arguments.data());
  const std::string why = fmt::format("cannot be run: {}\n", std::strerror(errno));
  [[maybe_unused]] const ssize_t written = write(STDERR_FILENO, why.data(), why.size());
  _exit(127);
}

// Until the child has ended; a signal to us ends it and all that it started first. Its wait status.
int wait_for(pid_t child, int said, const tools::SignalWatch& signals, std::string& text) {
  using Clock = std::chrono::steady_clock;
  constexpr std::chrono::seconds kPatience{5};  // a run that is told to end has that long to write what it has
  Clock::time_point told_at;
  bool told = false, open = true;
  for (;;) {
    pollfd waits[] = {{.fd = said, .events = POLLIN, .revents = 0},
                      {.fd = signals.fd(), .events = POLLIN, .revents = 0}};
    if (!open) waits[0].fd = -1;
    if (told) waits[1].fd = -1;
    (void)::poll(waits, 2, open && !told ? -1 : 10);
    if (signals.received() != 0 && !std::exchange(told, true)) {
      kill(-child, SIGTERM);
      told_at = Clock::now();
    }
    if (told && Clock::now() - told_at > kPatience) kill(-child, SIGKILL);
    if (open && (waits[0].revents & (POLLIN | POLLHUP)) != 0) {
      char block[4096];
      const ssize_t got = read(said, block, sizeof block);
      if (got <= 0) open = false;
      else if (text.size() < 4096) text.append(block, static_cast<std::size_t>(got));
    }
    int status = 0;
    if ((!open || told) && waitpid(child, &status, WNOHANG) == child) return status;
  }
}

// Why a program of ours ended like this: its own word, if it left one that fits, since two kinds have the code 1.
ErrorKind kind_of(int code, const std::string& result) {
  using enum ErrorKind;
  const auto document = read_document(result);
  for (const ErrorKind kind : {network, io, usage, auth, timeout, peer, interrupted}) {
    if (static_cast<int>(tools::exit_code(kind)) != code) continue;
    if (kind != network || !document || !document->contains("error")) return kind;
    const nlohmann::json& error = document->at("error");
    return error.is_object() && error.value("kind", nlohmann::json()) == tools::kind_word(io) ? io : network;
  }
  return code == 126 || code == 127 ? usage : io;  // the shell's codes for what cannot be run
}

tools::Result<nlohmann::json> run_once(const std::string& what, std::string_view name, const CompareOptions& options,
                                       const std::string& result, const tools::SignalWatch& signals) {
  int said[2];
  if (pipe2(said, O_CLOEXEC) != 0) return tools::fail_errno(ErrorKind::io, "pipe", errno);
  UniqueFd read_end(said[0]), write_end(said[1]);
  std::error_code ignored;
  std::filesystem::remove(result, ignored);  // what is there afterwards is of this run
  const std::vector<std::string> words = words_of(what, options, result);
  const pid_t child = fork_partner();
  if (child < 0) return tools::fail_errno(ErrorKind::io, "fork", errno);
  if (child == 0) become(words, write_end.get());
  setpgid(child, child);  // whoever comes first: a signal to the group may be due at once
  write_end.reset();
  std::string text;
  const int status = wait_for(child, read_end.get(), signals, text);
  if (signals.received() != 0) return tools::fail(ErrorKind::interrupted, "interrupted");
  const int code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  // Where a bound of the run's own did not hold, its result is whole.
  if (code != 0 && code != static_cast<int>(tools::ExitCode::threshold))
    return tools::fail(kind_of(code, result), fmt::format("{} failed with exit code {}: {}", name, code,
                                                          tools::escape(text.substr(0, text.find('\n')))));
  auto document = read_result(result);
  if (!document)
    return tools::fail(ErrorKind::usage, fmt::format("{} wrote no result: {}", name, document.error().message));
  return document;
}

}  // namespace

AlternatedRuns run_in_turn(const CompareOptions& options, const tools::SignalWatch& signals, tools::Output& output) {
  AlternatedRuns runs;
  const auto folder = ResultFolder::create(options.keep);
  if (!folder) return runs.ended = std::unexpected(folder.error()), runs;
  std::random_device lot;
  for (unsigned i = 0; i != *options.runs; ++i) {
    const unsigned first = lot() % 2;
    nlohmann::json pair[2];
    for (const unsigned turn : {0u, 1u}) {
      const unsigned side = turn ^ first;
      const char* const name = side == 0 ? "BASE" : "NEW";
      const std::string path = fmt::format("{}/{}-{:03}.json", folder->path(), side == 0 ? "base" : "new", i + 1);
      output.progress(fmt::format("pair {} of {}: {}", i + 1, *options.runs, name));
      auto document = run_once(side == 0 ? options.base : options.next, name, options, path, signals);
      if (!document) return runs.ended = std::unexpected(document.error()), runs;
      pair[side] = *std::move(document);
    }
    runs.base.push_back(std::move(pair[0]));
    runs.next.push_back(std::move(pair[1]));
  }
  output.end_progress();
  return runs;
}

}  // namespace mxp::perf
