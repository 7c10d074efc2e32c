// The input of the commands that look at packets: a capture file, which is gone through as often as they need, a pipe,
// or an interface. Its damage is kept for the end, after what is whole.
#pragma once

#include <chrono>
#include <cstdint>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "common/output.h"
#include "common/signals.h"
#include "common/tool_error.h"
#include "mxp-dump/capture/ahead_reader.h"
#include "mxp-dump/capture/capture_reader.h"
#include "mxp-dump/capture/live_capture.h"
#include "mxp-dump/capture/packet_filter.h"
#include "mxp-dump/dissect/dissector.h"

namespace mxp::dump {

// What a reader says of a file, or of what the user named.
tools::ToolError input_error(const std::string& name, const CaptureError& error);

class CaptureInput {
 public:
  struct Source {
    std::string path;            // "-": stdin
    std::string interface;       // if not empty, in place of the file
    std::string capture_filter;  // BPF; empty: all
    bool progress = false;       // how far a file was read is shown, on a terminal
  };
  // Steps back in the time of frames: how many, and why they were not put in order, if they were not.
  struct Disorder {
    std::uint64_t out_of_order = 0;
    bool unsorted = false;
    bool compressed = false;  // the input is
  };

  // Secrets in the capture go to `keys`. All arguments outlive it.
  CaptureInput(Source source, KeyRing& keys, const tools::SignalWatch& signals, tools::Output& output);

  // Before open(): what the thread that reads a file does besides. `work` outlives this.
  void work_ahead(AheadWork* work) { work_ = work; }
  tools::Result<void> open();
  // Whether there is anything to read; a signal during open() leaves nothing.
  bool is_open() const { return reader_ != nullptr; }
  // Whether it can be read again.
  bool is_file() const { return file_start_.has_value(); }
  LiveCapture* live() const { return live_; }

  // Goes through a file once, so that `dissector` knows all handshakes and ids before the first packet is looked at,
  // and puts frames in the order of their times unless one goes back by more than `longest_step_ns`. Then the file
  // begins anew. A pipe and an interface can be read only once, and stay as they are.
  tools::Result<void> survey(Dissector& dissector,
                             std::uint64_t longest_step_ns = std::numeric_limits<std::uint64_t>::max());
  const Disorder& disorder() const { return disorder_; }
  // A file from its start, in its own order.
  tools::Result<void> rewind() { return rewind(Reader::plain); }

  // Calls look(packet), which says whether to go on, for the frames that pass the filter, up to the end or to where the
  // input is damaged. `doing` is what progress is shown as.
  template <typename Look>
  tools::Result<void> each_frame(std::string_view doing, Look look) {
    while (reader_ != nullptr && signals_.received() == 0) {
      const auto packet = next(doing);
      if (!packet) return std::unexpected(packet.error());
      if (!*packet) return {};
      const auto passes = filter_.passes(**packet);
      if (!passes) return std::unexpected(passes.error());
      if (!*passes) continue;
      const tools::Result<bool> more = look(**packet);
      if (!more) return std::unexpected(more.error());
      if (!*more) return {};
    }
    return {};
  }

  // Of the latest pass, whether they pass the filter or not.
  std::uint64_t frames() const { return frames_; }
  // Where the input is damaged: all before it was read.
  const std::optional<tools::ToolError>& damage() const { return damage_; }
  void forget_damage() { damage_.reset(); }  // it is met again

 private:
  // A pass that opens packets shares its work with a thread that reads ahead. A survey does so little with a frame that
  // it would only pay for the copy and for the handover.
  enum class Reader : std::uint8_t { plain, ahead };
  // With a lateness, frames come in the order of their times (time_order.h).
  tools::Result<void> rewind(Reader which, std::optional<std::uint64_t> lateness_ns = {});
  tools::Result<void> start_reading(Reader which, std::optional<std::uint64_t> lateness_ns = {});
  tools::Result<std::optional<CapturedPacket>> next(std::string_view doing);
  void show_progress(std::string_view doing);
  tools::Result<bool> can_be_ordered(std::uint64_t lateness_ns);

  Source source_;
  KeyRing& keys_;
  const tools::SignalWatch& signals_;
  tools::Output& output_;
  AheadWork* work_ = nullptr;
  PacketFilter filter_;
  UniqueFd file_;
  std::optional<std::uint64_t> file_start_;  // of a file that can be read again
  std::unique_ptr<CaptureReader> reader_;
  LiveCapture* live_ = nullptr;  // reader_, where it is one
  Disorder disorder_;
  std::uint64_t frames_ = 0;
  std::uint64_t file_size_ = 0, progress_frames_ = 0;
  std::chrono::steady_clock::time_point progress_at_ = std::chrono::steady_clock::now();
  std::optional<tools::ToolError> damage_;
};

}  // namespace mxp::dump
