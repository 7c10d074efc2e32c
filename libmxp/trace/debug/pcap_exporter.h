// Writes an endpoint's own datagrams to a pcapng file, and beside them the secrets that open them: a decryption secrets
// block of type MXPK, which holds the lines of a key log (docs/protocol.md §8). WHOEVER HAS THE FILE CAN READ THE
// TRAFFIC. It is built with MXP_DEBUG_TOOLS=ON alone, as is what tells of datagrams at all.
#pragma once

#include <string>

#include "mxp/trace.h"
#include "mxp/trace_clock.h"
#include "trace/background_writer.h"

namespace mxp {

class PcapExporter final : public TraceSink {
 public:
  // Takes over the descriptor.
  PcapExporter(int fd, TraceClock clock);
  ~PcapExporter() override;
  PcapExporter(const PcapExporter&) = delete;
  PcapExporter& operator=(const PcapExporter&) = delete;

  void on(Timestamp now, ConnectionId connection, const TraceEvent& event) override;
  std::uint64_t dropped() const { return dropped_; }  // blocks

 private:
  void write_block();
  void add_secrets(const TraceSecrets& secrets);
  void add_datagram(Timestamp now, const TraceDatagram& datagram);

  int fd_;
  TraceClock clock_;
  BackgroundWriter writer_;
  BackgroundWriter::FileId file_;
  std::string block_;
  std::uint64_t dropped_ = 0;
};

}  // namespace mxp
