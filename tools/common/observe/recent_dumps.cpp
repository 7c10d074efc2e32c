#include "common/observe/recent_dumps.h"

#include <fmt/format.h>

#include <utility>

#include "common/counted.h"
#include "common/units.h"

namespace mxp::tools {
namespace {

constexpr std::size_t kMostWaiting = std::size_t{1} << 20;  // some hundred dumps. Our choice

}  // namespace

std::optional<std::uint64_t> DumpRate::admit(Time now) {
  if (!second_ || now - *second_ >= std::chrono::seconds(1)) {
    second_ = now;
    in_second_ = 0;
  }
  if (in_second_ == kMostPerSecond) {
    ++left_out_;
    return std::nullopt;
  }
  ++in_second_;
  return std::exchange(left_out_, 0);
}

RecentDumps::RecentDumps(UniqueFd file, std::uint64_t most_bytes)
    : file_(std::move(file)),
      writer_(kMostWaiting),
      id_(writer_.add({.open = file_.get(), .of_lines = true})),
      bytes_left_(most_bytes) {}

void RecentDumps::write(std::string_view dump) {
  if (dump.size() > bytes_left_) full_ = true;
  if (full_ || !writer_.append(id_, dump)) {
    ++left_out_;
    return;
  }
  bytes_left_ -= dump.size();
}

void RecentDumps::finish() {
  writer_.flush();
  finished_ = true;
}

std::optional<std::string> RecentDumps::complaint() {
  if (const auto error = writer_.take_error())
    return fmt::format("cannot {} (--recent): no more is written", error->message);
  if (full_ && !std::exchange(full_told_, true))
    return "--recent: this run has written as much as it may, and writes no more";
  if (finished_ && left_out_ > 0)
    return fmt::format("--recent: {} not written", counted(std::exchange(left_out_, 0), "dump was", "dumps were"));
  return std::nullopt;
}

}  // namespace mxp::tools
