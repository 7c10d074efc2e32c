// Goes through a capture file from its start to its end, as often as it is asked to.
#pragma once

#include <fmt/format.h>
#include <unistd.h>

#include <optional>
#include <string>

#include "common/signals.h"
#include "common/tool_error.h"
#include "mxp-dump/capture/capture_input.h"
#include "mxp-dump/capture/capture_reader.h"
#include "mxp-dump/link/udp_finder.h"

namespace mxp::dump {

class FilePass {
 public:
  FilePass(std::string path, const tools::SignalWatch& signals) : path_(std::move(path)), signals_(signals) {}

  // The file from its start. An error here means that there is nothing at all to read.
  tools::Result<ByteSource> source() const {
    auto file = open_input(path_);
    if (!file) return tools::fail(tools::ErrorKind::usage, fmt::format("cannot read {}: {}", path_, file.error()));
    if (!start_of_file(file->get()))
      return tools::fail(tools::ErrorKind::usage,
                         fmt::format("{} is not a file, and it is read more than once", path_));
    return ByteSource(file->release(), signals_.fd());
  }

  // Calls look(packet, found) for each packet, up to the end or to where the file is damaged: then that is the error in
  // damage(), and what was before it counts.
  template <typename Look>
  tools::Result<void> each(TakeSecrets secrets, Look look) {
    auto bytes = source();
    if (!bytes) return std::unexpected(bytes.error());
    auto reader = open_capture(std::move(*bytes), std::move(secrets));
    if (!reader) return std::unexpected(input_error(path_, reader.error()));
    UdpFinder finder;
    damage_.reset();
    while (signals_.received() == 0) {
      const auto packet = (*reader)->next();
      if (!packet) {
        if (signals_.received() == 0) damage_ = input_error(path_, packet.error());
        break;
      }
      if (!*packet) break;
      finder.find(**packet, look);
    }
    finder.finish(look);
    if (signals_.received() != 0)
      return tools::fail(tools::ErrorKind::interrupted, fmt::format("interrupted while reading {}", path_));
    return {};
  }

  const std::optional<tools::ToolError>& damage() const { return damage_; }
  const std::string& path() const { return path_; }

 private:
  std::string path_;
  const tools::SignalWatch& signals_;
  std::optional<tools::ToolError> damage_;
};

}  // namespace mxp::dump
