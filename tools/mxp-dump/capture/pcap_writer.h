// -w: a pcap file with nanoseconds, through libpcap.
#pragma once

#include <pcap/pcap.h>

#include <cstdint>
#include <memory>
#include <string>

#include "common/output_file.h"
#include "common/tool_error.h"
#include "mxp-dump/capture/captured_packet.h"

namespace mxp::dump {

class PcapWriter {
 public:
  // `path` "-" is stdout. A file is opened by `rules`.
  static tools::Result<PcapWriter> open(const std::string& path, const tools::OutputRules& rules);

  // All packets must have one link type, as the format has room for one only.
  tools::Result<void> write(const CapturedPacket& packet);
  // Writes out what is buffered, and the header if there was no packet yet.
  tools::Result<void> finish();
  tools::Result<void> flush();

 private:
  struct CloseFile {
    void operator()(std::FILE* file) const { std::fclose(file); }
  };
  struct CloseHandle {
    void operator()(pcap_t* handle) const { ::pcap_close(handle); }
  };
  struct CloseDump {
    void operator()(pcap_dumper_t* dump) const { ::pcap_dump_close(dump); }
  };

  tools::Result<void> start(std::uint32_t link_type);
  std::unexpected<tools::ToolError> cannot_write(int error) const;

  std::string path_;
  std::unique_ptr<std::FILE, CloseFile> file_;  // until start() gives it to dump_
  std::unique_ptr<pcap_t, CloseHandle> handle_;
  std::unique_ptr<pcap_dumper_t, CloseDump> dump_;  // before handle_ in destruction
  std::uint32_t link_type_ = 0;
};

}  // namespace mxp::dump
