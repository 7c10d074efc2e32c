#include "mxp-dump/capture_input.h"

#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>

#include "common/counted.h"
#include "mxp-dump/time_order.h"

namespace mxp::dump {

using tools::ErrorKind;
using tools::Result;

Result<void> load_key_log(KeyRing& keys, const std::string& path, bool required, tools::Output& output) {
  if (path.empty()) return {};
  if (auto loaded = keys.load(path); !loaded) {
    if (required)
      return tools::fail(ErrorKind::usage, fmt::format("cannot use the key log {}: {}", path, loaded.error()));
    output.note(fmt::format("MXPKEYLOGFILE is not used: {}: {}", path, loaded.error()));
  }
  if (keys.malformed_lines() > 0)
    output.warning(fmt::format("{}: {} not of an MXP key log, the first is line {}: {}", path,
                               tools::counted(keys.malformed_lines(), "line is", "lines are"),
                               keys.first_malformed_line(), keys.first_complaint()));
  return {};
}

Result<void> CaptureInput::open() {
  auto file = open_input(source_.path);
  if (!file) return tools::fail(ErrorKind::usage, fmt::format("cannot read {}: {}", source_.path, file.error()));
  file_ = std::move(*file);
  file_start_ = start_of_file(file_.get());
  return start_reading();
}

Result<void> CaptureInput::start_reading() {
  auto reader = open_capture(ByteSource(::dup(file_.get()), signals_.fd()));
  if (reader) {
    reader_ = std::move(*reader);
    return {};
  }
  reader_.reset();
  if (signals_.received() != 0) return {};
  const bool unreadable = reader.error().kind == CaptureError::Kind::unreadable;
  return tools::fail(unreadable ? ErrorKind::io : ErrorKind::usage,
                     fmt::format("{} {}", source_.path == "-" ? "stdin" : source_.path, reader.error().to_string()));
}

Result<void> CaptureInput::rewind() {
  if (::lseek(file_.get(), static_cast<off_t>(*file_start_), SEEK_SET) < 0)
    return tools::fail_errno(ErrorKind::io, fmt::format("cannot read {} again", source_.path), errno);
  damage_.reset();  // met again
  return start_reading();
}

template <typename Do>
Result<void> CaptureInput::each_frame(Do what) {
  while (reader_ != nullptr && signals_.received() == 0) {
    const auto packet = reader_->next();
    if (!packet) {
      const bool unreadable = packet.error().kind == CaptureError::Kind::unreadable;
      if (signals_.received() == 0)
        damage_ = tools::ToolError{
            unreadable ? ErrorKind::io : ErrorKind::usage,
            fmt::format("{} {}", source_.path == "-" ? "stdin" : source_.path, packet.error().to_string())};
      return {};
    }
    if (!*packet) return {};
    const auto passes = filter_.passes(**packet);
    if (!passes) return std::unexpected(passes.error());
    if (*passes) what(**packet);
  }
  return {};
}

Result<void> CaptureInput::survey(Dissector& dissector) {
  if (!file_start_ || reader_ == nullptr) return {};
  UdpFinder finder;
  const auto note = [&](const CapturedPacket& packet, const FoundUdp& found) {
    if (found) dissector.survey(packet, *found);
  };
  std::uint64_t latest_ns = 0, frames = 0, out_of_order = 0, farthest_back = 0;
  const auto noted = each_frame([&](const CapturedPacket& packet) {
    ++frames;
    const std::uint64_t time = packet.time_ns.value_or(latest_ns);
    if (time < latest_ns) {
      ++out_of_order;
      farthest_back = std::max(farthest_back, latest_ns - time);
    }
    latest_ns = time;
    finder.find(packet, note);
  });
  if (!noted) return noted;
  finder.finish(note);
  dissector.end_survey();
  const bool compressed = reader_ != nullptr && !reader_->compression().empty();
  if (auto done = rewind(); !done) return done;
  if (out_of_order == 0 || compressed || frames > TimeOrder::kMaxFrames || farthest_back > kClockStepNs) return {};
  TimeOrder order;
  bool all = true;
  const auto ordered = each_frame([&](const CapturedPacket& packet) { all = all && order.add(packet); });
  if (!ordered) return ordered;
  if (auto done = rewind(); !done || !all) return done;
  reader_ = std::move(order).reader(UniqueFd(::dup(file_.get())), *file_start_);
  return {};
}

Result<void> CaptureInput::each(const Look& look) {
  const auto hand_over = [&](const CapturedPacket& packet, const FoundUdp& found) {
    if (found) look(packet, *found);
  };
  auto read = each_frame([&](const CapturedPacket& packet) {
    ++frames_;
    finder_.find(packet, hand_over);
  });
  if (read) finder_.finish(hand_over);
  return read;
}

}  // namespace mxp::dump
