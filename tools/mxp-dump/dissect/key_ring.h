// The traffic secrets of a key log (docs/protocol.md §8), found by the destination id that stands in the clear in every
// 1-RTT packet. For each id it keeps the secret of phase 0, from which all others follow, and how far the lines of the
// log go. A later secret alone opens nothing, because the header protection of every phase is that of phase 0 (§3.1).
#pragma once

#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "crypto/key_log.h"
#include "udp/unique_fd.h"

namespace mxp::dump {

// Our choice: each entry takes 100 bytes, and a log with this many is that of a service over many days.
inline constexpr std::size_t kMaxLoggedIds = 1'000'000;
// How many of them may come from the capture itself, which is a stranger's: 20 MB with all that belongs to them. Our
// choice: both directions of more connections than are followed at a time.
inline constexpr std::size_t kMaxEmbeddedIds = 100'000;
// How many different secrets of phase 0 are kept for one id. Our choice: each is a trial for every packet until one
// fits.
inline constexpr std::size_t kMaxSecretsOfId = 4;

// What the log says of the packets to one id.
struct LoggedKeys {
  ConnectionId destination;
  KeyLogLine::TrafficDirection direction = KeyLogLine::TrafficDirection::client_to_server;
  // None if the log has only lines of later phases. More than one if lines contradict each other; each is worth a
  // trial.
  std::vector<TrafficSecret> phase_0;
  std::uint32_t highest_phase = 0;  // of its lines
  bool from_log = false;            // and not only from the capture, which others may have made
};

class KeyRing {
 public:
  // Reads what the file holds now. A later look-up of an id that is not there reads on, so that a capture finds the
  // keys of connections that began after it. The error is a clause without the name of the file.
  std::expected<void, std::string> load(const std::string& path);

  // Lines that stand in the capture itself, in pieces that may end anywhere; an empty piece ends the last line.
  void take_embedded(ByteView piece);
  void begin_embedded() { malformed_embedded_ = left_out_embedded_ = 0; }  // the capture is read again from its start
  std::uint64_t malformed_embedded_lines() const { return malformed_embedded_; }
  // Lines for which there was no room: of further ids, or of further secrets of one. What they would have opened stays
  // closed.
  std::uint64_t left_out_embedded_lines() const { return left_out_embedded_; }
  std::uint64_t left_out_lines() const { return left_out_; }

  // Valid until the next call; null if the id is not in the log (yet).
  const LoggedKeys* find(ConnectionId destination);
  // The latest phase in the log for this id, after reading on, since lines come while connections run. 0 if there is
  // none.
  std::uint32_t highest_phase(ConnectionId destination);

  bool loaded() const { return source_.valid(); }
  // How many ids have a line in the log: two for each connection.
  std::size_t ids() const { return by_id_.size(); }
  // How many of them lack phase 0, and one of these.
  struct Headless {
    std::uint64_t ids = 0;
    ConnectionId example;
    KeyLogLine::TrafficDirection direction = KeyLogLine::TrafficDirection::client_to_server;
  };
  Headless without_phase_0() const;
  std::uint64_t malformed_lines() const { return malformed_; }
  std::uint64_t first_malformed_line() const { return first_malformed_; }
  const std::string& first_complaint() const { return complaint_; }

 private:
  int read_on();  // 0, or errno
  void take_line();
  enum class From : std::uint8_t { log, capture };
  bool keep(const KeyLogLine& line, From from);  // false: no room
  void take_embedded_line();

  UniqueFd source_;
  std::string line_;       // what is there of the last line
  bool overlong_ = false;  // the rest of this line is thrown away
  std::string embedded_line_;
  bool embedded_overlong_ = false;
  std::uint64_t malformed_embedded_ = 0, left_out_embedded_ = 0, left_out_ = 0;
  std::size_t embedded_ids_ = 0;
  std::uint64_t lines_ = 0;
  std::uint64_t malformed_ = 0;
  std::uint64_t first_malformed_ = 0;
  std::string complaint_;
  std::unordered_map<std::uint64_t, LoggedKeys> by_id_;
};

}  // namespace mxp::dump
