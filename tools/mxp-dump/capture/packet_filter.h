// -f for the packets of a file: the capture filter language of libpcap, compiled once for each link type.
#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "common/tool_error.h"
#include "mxp-dump/capture/captured_packet.h"

struct bpf_program;

namespace mxp::dump {

// libpcap knows some link types of files by another number.
std::uint32_t dlt_of(std::uint32_t link_type);

class PacketFilter {
 public:
  explicit PacketFilter(std::string expression) : expression_(std::move(expression)) {}
  ~PacketFilter();
  PacketFilter(const PacketFilter&) = delete;
  PacketFilter& operator=(const PacketFilter&) = delete;

  // Error: the expression does not compile for this link type.
  tools::Result<bool> passes(const CapturedPacket& packet);

 private:
  std::string expression_;
  std::map<std::uint32_t, bpf_program*> programs_;  // by link type, of which a file has 65,536 at most
};

}  // namespace mxp::dump
