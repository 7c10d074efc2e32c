#include "mxp-perf/emulated_link.h"

#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <string_view>
#include <system_error>

namespace mxp::perf {

using tools::ErrorKind;

namespace {

constexpr std::string_view kRelay = "mxp-netem";

// Of this program's folder; empty if the system does not say.
std::string relay_beside_us() {
  std::error_code error;
  const auto program = std::filesystem::read_symlink("/proc/self/exe", error);
  return error ? std::string() : (program.parent_path() / kRelay).string();
}

// In the child. Does not return.
[[noreturn]] void become_relay(const std::string& beside_us, const std::string& spec, const std::string& target,
                               int said) {
  setpgid(0, 0);  // Ctrl-C is for the client, which still needs the link for the server's report
  dup2(said, STDERR_FILENO);
  const char* const arguments[] = {kRelay.data(), "--quiet",      "-l",         "127.0.0.1:0",
                                   "-t",          target.c_str(), spec.c_str(), nullptr};
  // exec does not change what the arguments point to; its type is older than const.
  char* const* const changeable = const_cast<char* const*>(arguments);
  if (!beside_us.empty()) execv(beside_us.c_str(), changeable);
  execvp(kRelay.data(), changeable);
  const std::string_view why = "cannot be run: is it installed?\n";
  [[maybe_unused]] const ssize_t written = write(STDERR_FILENO, why.data(), why.size());
  _exit(127);
}

}  // namespace

tools::Result<EmulatedLink> EmulatedLink::start(const std::string& spec, const std::string& target) {
  const std::string beside_us = relay_beside_us();
  auto relay = Partner::start([&](int said) -> int { become_relay(beside_us, spec, target, said); });
  if (!relay) return std::unexpected(relay.error());
  EmulatedLink link(*std::move(relay));
  if (auto ready = link.wait_until_ready(); !ready) return std::unexpected(ready.error());
  return link;
}

// Its first line is "relaying ADDRESS:PORT -> ...".
tools::Result<void> EmulatedLink::wait_until_ready() {
  constexpr std::size_t kLongestLine = 4096;
  std::string line;
  for (char byte = 0; line.size() < kLongestLine && !line.ends_with('\n');) {
    const ssize_t got = read(relay_.from_it(), &byte, 1);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) break;
    line += byte;
  }
  constexpr std::string_view kBegin = "relaying ";
  const std::string_view text(line);
  if (text.starts_with(kBegin)) {
    const auto address =
        SocketAddress::parse(text.substr(kBegin.size(), text.find(' ', kBegin.size()) - kBegin.size()));
    if (address) return address_ = *address, tools::Result<void>();
  }
  std::string_view why = text.substr(0, text.find('\n'));
  if (why.starts_with("mxp-netem: ")) why.remove_prefix(std::string_view("mxp-netem: ").size());
  return tools::fail(ErrorKind::network, fmt::format("--link: mxp-netem: {}", why.empty() ? "says nothing" : why));
}

}  // namespace mxp::perf
