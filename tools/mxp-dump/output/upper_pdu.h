// --to-upper-pdu: the packets of MXP as Wireshark's "exported PDUs" (LINKTYPE_WIRESHARK_UPPER_PDU, 252), in a pcapng
// file. A packet that was opened is there with its frames in the clear, so that Wireshark needs no key and no cipher:
// it is for its dissector "mxp_decrypted" (packaging/wireshark/), as
//   1 byte 1 ‖ direction (0: client to server, 1: server to client) ‖ destination id (8) ‖ packet number (8) ‖ frames
// Any other packet is there as it was captured, for the dissector "mxp".
#pragma once

#include <cstdio>
#include <memory>
#include <string>

#include "common/output_file.h"
#include "common/tool_error.h"
#include "mxp-dump/dissect/record.h"

namespace mxp::dump {

class UpperPduWriter {
 public:
  static tools::Result<UpperPduWriter> open(const std::string& path, const tools::OutputRules& rules);

  // `record.bytes` and `record.plain` are what is written.
  tools::Result<void> write(const PacketRecord& record);
  tools::Result<void> finish();

 private:
  struct CloseUpper {
    void operator()(std::FILE* file) const { std::fclose(file); }
  };
  tools::Result<void> put();
  void tag(std::uint16_t number, ByteView value);

  std::string path_;
  std::unique_ptr<std::FILE, CloseUpper> file_;
  std::string packet_, block_;
};

}  // namespace mxp::dump
