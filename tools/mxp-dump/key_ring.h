// The traffic secrets of a key log (docs/protocol.md §8), found by the destination id that stands in the clear in every
// 1-RTT packet.
#pragma once

#include <cstdint>
#include <cstdio>
#include <expected>
#include <memory>
#include <string>
#include <unordered_map>

#include "crypto/key_log.h"

namespace mxp::dump {

// Secrets kept. Our choice: 100 bytes each; a log this long is a service's of many days, and its oldest lines are not
// needed.
inline constexpr std::size_t kMaxSecrets = 1'000'000;

class KeyRing {
 public:
  // Reads what the file holds now. A later look for an id that is not there reads on, so that a capture finds the keys
  // of connections that began after it. The error is a clause without the file's name.
  std::expected<void, std::string> load(const std::string& path);

  // Valid until the next call; null: not in the log (yet).
  const KeyLogLine* find(ConnectionId destination);

  bool loaded() const { return source_ != nullptr; }
  std::size_t size() const { return secrets_.size(); }
  std::uint64_t malformed_lines() const { return malformed_; }
  std::uint64_t first_malformed_line() const { return first_malformed_; }
  const std::string& first_complaint() const { return complaint_; }

 private:
  void read_on();
  void take_line();

  struct Close {
    void operator()(std::FILE* file) const { std::fclose(file); }
  };
  std::unique_ptr<std::FILE, Close> source_;
  std::string line_;       // what is there of the last line
  bool overlong_ = false;  // the rest of this line is thrown away
  std::uint64_t lines_ = 0;
  std::uint64_t malformed_ = 0;
  std::uint64_t first_malformed_ = 0;
  std::string complaint_;
  std::unordered_map<std::uint64_t, KeyLogLine> secrets_;
};

}  // namespace mxp::dump
