// Where the latest events are dumped to, and how often. Who makes connections fail, as any stranger may, is not to hold
// up the loop by that, nor to fill the disk: a thread of its own writes the file, failures are told at a bounded rate,
// and a run writes no more than a bounded number of bytes.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "trace/background_writer.h"
#include "udp/unique_fd.h"

namespace mxp::tools {

// At most so many dumps in a second.
class DumpRate {
 public:
  using Time = std::chrono::steady_clock::time_point;
  static constexpr std::uint64_t kMostPerSecond = 10;  // our choice, as the audit log has it

  // Nothing: not this one. Else how many before it were not admitted, since the last that was.
  std::optional<std::uint64_t> admit(Time now);

 private:
  std::optional<Time> second_;
  std::uint64_t in_second_ = 0;
  std::uint64_t left_out_ = 0;
};

// The file of --recent.
class RecentDumps {
 public:
  static constexpr std::uint64_t kMostBytes = std::uint64_t{64} << 20;  // of a run. Our choice

  explicit RecentDumps(UniqueFd file, std::uint64_t most_bytes = kMostBytes);

  // Does not wait. What finds no room is left out whole, and counted.
  void write(std::string_view dump);
  // At the end: waits for what was written, as long as a background writer has patience.
  void finish();
  // What went wrong since the last call, as a sentence: an error, the bound, or (after finish) dumps that are missing.
  std::optional<std::string> complaint();

 private:
  UniqueFd file_;
  BackgroundWriter writer_;
  BackgroundWriter::FileId id_;
  std::uint64_t bytes_left_;
  std::uint64_t left_out_ = 0;
  bool finished_ = false;
  bool full_ = false, full_told_ = false;
};

}  // namespace mxp::tools
