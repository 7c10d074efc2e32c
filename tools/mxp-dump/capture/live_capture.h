// -i: packets of a network interface, through libpcap.
#pragma once

#include <memory>
#include <string>

#include "common/tool_error.h"
#include "mxp-dump/capture/capture_reader.h"

namespace mxp::dump {

class LiveCapture final : public CaptureReader {
 public:
  // `wake`: a descriptor that ends the capture when it becomes readable.
  static tools::Result<std::unique_ptr<LiveCapture>> open(const std::string& interface, const std::string& filter,
                                                          int wake);
  ~LiveCapture() override;

  // Waits for a packet; nullopt once `wake` is readable.
  std::expected<std::optional<CapturedPacket>, CaptureError> next() override;

  // Packets that the kernel dropped because we were too slow.
  std::uint64_t dropped() const;

 private:
  struct Handle;
  explicit LiveCapture(std::unique_ptr<Handle> handle, int wake);

  std::unique_ptr<Handle> handle_;
  int wake_;
  std::uint32_t link_type_ = 0;
  std::uint64_t frames_ = 0;
};

}  // namespace mxp::dump
