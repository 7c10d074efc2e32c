// A capture as a sequence of UDP datagrams, for commands that read one from its beginning to its end. A file is
// surveyed
// first, so that all handshakes and ids are known before the first packet is looked at, and put in order of time if it
// is not in order; a pipe can be read only once.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "common/output.h"
#include "common/signals.h"
#include "common/tool_error.h"
#include "mxp-dump/capture_reader.h"
#include "mxp-dump/dissector.h"
#include "mxp-dump/link/udp_finder.h"
#include "mxp-dump/packet_filter.h"

namespace mxp::dump {

// Loads a key log and says what is wrong with it. One that the user named must be readable.
tools::Result<void> load_key_log(KeyRing& keys, const std::string& path, bool required, tools::Output& output);

class CaptureInput {
 public:
  struct Source {
    std::string path;            // "-": stdin
    std::string capture_filter;  // BPF; empty: all
  };
  CaptureInput(Source source, tools::SignalWatch& signals)
      : source_(std::move(source)), signals_(signals), filter_(source_.capture_filter) {}

  tools::Result<void> open();
  // Goes through a file once, for `dissector`.
  tools::Result<void> survey(Dissector& dissector);
  using Look = std::function<void(const CapturedPacket&, const UdpDatagram&)>;
  // Calls `look` for each datagram of UDP in the frames that pass the filter.
  tools::Result<void> each(const Look& look);

  std::uint64_t frames() const { return frames_; }
  // Where the file is damaged: all before it was read.
  const std::optional<tools::ToolError>& damage() const { return damage_; }

 private:
  // A step back in time by less than this is the disorder of several interfaces, and is sorted. A greater one is a
  // clock
  // that was set: sorting would mix what was before with what was after.
  static constexpr std::uint64_t kClockStepNs = 500'000'000;

  tools::Result<void> start_reading();
  tools::Result<void> rewind();
  template <typename Do>
  tools::Result<void> each_frame(Do what);

  Source source_;
  tools::SignalWatch& signals_;
  PacketFilter filter_;
  UdpFinder finder_;
  UniqueFd file_;
  std::optional<std::uint64_t> file_start_;  // of a file that can be read twice
  std::unique_ptr<CaptureReader> reader_;
  std::uint64_t frames_ = 0;
  std::optional<tools::ToolError> damage_;
};

}  // namespace mxp::dump
