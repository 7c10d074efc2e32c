// -w with --rotate-size, --rotate-time and --rotate-files: NAME-00001.pcap, NAME-00002.pcap, …, each
// a capture by itself. Without rotation it is one file of the name that was given.
//
// Stretches of time begin at multiples of --rotate-time after the first packet, by the packets' own times, so that they
// do not drift, however idle the network is: the packet that begins the next stretch closes the file before. A stretch
// without packets has no file.
#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <vector>

#include "mxp-dump/capture/pcap_writer.h"
#include "mxp/time.h"

namespace mxp::dump {

struct Rotation {
  std::uint64_t max_bytes = 0;  // of a file; 0: any. A packet that is larger by itself gets a file of its own
  Duration span{};              // of a file; 0: any
  std::uint32_t max_files = 0;  // the oldest of this run are deleted; 0: none is
  bool any() const { return max_bytes > 0 || span > Duration::zero(); }
};

class RotatingWriter {
 public:
  // Opens the first file. `used` as in tools::OutputRules, for all files.
  static tools::Result<RotatingWriter> open(const std::string& path, tools::IfExists if_exists,
                                            std::vector<tools::UsedFile> used, const Rotation& rotation);

  tools::Result<void> write(const CapturedPacket& packet);
  tools::Result<void> flush() { return writer_->flush(); }
  tools::Result<void> finish() { return writer_->finish(); }

 private:
  RotatingWriter() = default;
  std::string name(std::uint64_t number) const;
  tools::Result<void> refuse_leftovers() const;
  tools::Result<void> open_next();
  bool due(const CapturedPacket& packet);

  std::string path_;
  tools::IfExists if_exists_ = tools::IfExists::refuse;
  std::vector<tools::UsedFile> used_;
  Rotation rotation_;
  std::optional<PcapWriter> writer_;
  std::uint64_t number_ = 0, bytes_ = 0;
  std::optional<std::uint64_t> first_ns_;
  std::uint64_t stretch_ = 0;
  std::deque<std::string> names_;
};

}  // namespace mxp::dump
