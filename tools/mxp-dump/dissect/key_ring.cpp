#include "mxp-dump/dissect/key_ring.h"

#include <fcntl.h>
#include <openssl/crypto.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <span>
#include <string_view>
#include <utility>

namespace mxp::dump {
namespace {

constexpr std::size_t kMaxLine = 256;  // the longest valid line is 131 bytes

}  // namespace

std::expected<void, std::string> KeyRing::load(const std::string& path) {
  // Opened without waiting: open(2) of a pipe would wait for a writer, and a tool that reads a log again and again
  // would wait for that writer each time.
  UniqueFd file(::open(path.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC | O_NOCTTY));
  if (!file) return std::unexpected(std::string(std::strerror(errno)));
  struct stat info{};
  if (::fstat(file.get(), &info) != 0) return std::unexpected(std::string(std::strerror(errno)));
  if (S_ISDIR(info.st_mode)) return std::unexpected("it is a directory");
  if (!S_ISREG(info.st_mode))
    return std::unexpected("it is not a regular file, and a key log is read more than once: copy it to one");
  source_ = std::move(file);
  line_.reserve(kMaxLine);  // a line that grows would leave copies of itself behind
  if (const int error = read_on(); error != 0) return std::unexpected(std::string(std::strerror(error)));
  if (by_id_.empty() && malformed_ > 0)
    return std::unexpected("it holds no line of an MXP key log (line " + std::to_string(first_malformed_) + ": " +
                           complaint_ + ")");
  return {};
}

const LoggedKeys* KeyRing::find(ConnectionId destination) {
  auto found = by_id_.find(destination.key());
  if ((found == by_id_.end() || found->second.phase_0.empty()) && source_) {
    (void)read_on();
    found = by_id_.find(destination.key());
  }
  return found == by_id_.end() ? nullptr : &found->second;
}

std::uint32_t KeyRing::highest_phase(ConnectionId destination) {
  if (source_) (void)read_on();
  const auto found = by_id_.find(destination.key());
  return found == by_id_.end() ? 0 : found->second.highest_phase;
}

KeyRing::Headless KeyRing::without_phase_0() const {
  Headless result;
  for (const auto& [key, keys] : by_id_) {
    if (!keys.phase_0.empty()) continue;
    // The smallest id is named, so that the same log always names the same one.
    if (result.ids++ == 0 || key < result.example.key()) {
      result.example = keys.destination;
      result.direction = keys.direction;
    }
  }
  return result;
}

// Read without stdio, whose buffer would keep what it has read.
int KeyRing::read_on() {
  std::array<char, 4096> chunk{};
  ssize_t got = 0;
  int error = 0;
  while (true) {
    got = ::read(source_.get(), chunk.data(), chunk.size());
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) error = errno;
    if (got <= 0) break;
    for (const char byte : std::span(chunk).first(static_cast<std::size_t>(got))) {
      if (byte == '\n') {
        take_line();
      } else if (line_.size() < kMaxLine) {
        line_ += byte;
      } else {
        overlong_ = true;
      }
    }
  }
  OPENSSL_cleanse(chunk.data(), chunk.size());
  return error;
}

void KeyRing::take_line() {
  ++lines_;
  if (!line_.empty() && line_.back() == '\r') line_.pop_back();
  if (!line_.empty() && line_.front() != '#') {
    const auto parsed = parse_key_log_line(line_);
    if (!parsed || overlong_) {
      if (malformed_++ == 0) {
        first_malformed_ = lines_;
        complaint_ = overlong_ ? "line too long" : std::string(to_string(parsed.error()));
      }
    } else {
      left_out_ += keep(*parsed, From::log) ? 0 : 1;
    }
  }
  OPENSSL_cleanse(line_.data(), line_.size());
  line_.clear();
  overlong_ = false;
}

void KeyRing::take_embedded(ByteView piece) {
  embedded_line_.reserve(kMaxLine);
  if (piece.empty()) take_embedded_line();
  for (const std::uint8_t byte : piece) {
    if (byte == '\n') take_embedded_line();
    else if (embedded_line_.size() < kMaxLine) embedded_line_ += static_cast<char>(byte);
    else embedded_overlong_ = true;
  }
}

void KeyRing::take_embedded_line() {
  if (!embedded_line_.empty() && embedded_line_.back() == '\r') embedded_line_.pop_back();
  if (!embedded_line_.empty() && embedded_line_.front() != '#') {
    const auto parsed = parse_key_log_line(embedded_line_);
    if (parsed && !embedded_overlong_) left_out_embedded_ += keep(*parsed, From::capture) ? 0 : 1;
    else ++malformed_embedded_;
  }
  OPENSSL_cleanse(embedded_line_.data(), embedded_line_.size());
  embedded_line_.clear();
  embedded_overlong_ = false;
}

bool KeyRing::keep(const KeyLogLine& line, From from) {
  auto found = by_id_.find(line.destination.key());
  if (found == by_id_.end()) {
    if (by_id_.size() == kMaxLoggedIds || (from == From::capture && embedded_ids_ == kMaxEmbeddedIds)) return false;
    embedded_ids_ += from == From::capture ? 1 : 0;
    found = by_id_.emplace(line.destination.key(), LoggedKeys{.destination = line.destination}).first;
  }
  LoggedKeys& keys = found->second;
  // What the user gave is not to be turned about by what lies in a file of somebody else.
  keys.from_log |= from == From::log;
  const bool trusted = from == From::log || !keys.from_log;
  if (trusted) keys.direction = line.direction;
  const bool is_new = std::find(keys.phase_0.begin(), keys.phase_0.end(), line.secret) == keys.phase_0.end();
  if (trusted) keys.highest_phase = std::max(keys.highest_phase, line.phase);
  if (line.phase != 0 || !is_new) return true;
  if (keys.phase_0.size() == kMaxSecretsOfId) return false;
  keys.phase_0.push_back(line.secret);
  return true;
}

}  // namespace mxp::dump
