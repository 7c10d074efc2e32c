// -T text: one line for each packet, in columns. Whatever a peer chose is escaped.
#pragma once

#include "mxp-dump/output/packet_writer.h"

namespace mxp::dump {

class TextWriter final : public PacketWriter {
 public:
  explicit TextWriter(bool colour) : colour_(colour) {}
  void write(const PacketRecord& record, std::string& out) override;
  void pass_over(const PacketRecord& record) override {
    if (!first_ns_) first_ns_ = record.time_ns;
  }

 private:
  bool colour_;
  std::optional<std::uint64_t> first_ns_;  // times are relative to the first packet of MXP, also if it is not shown
};

}  // namespace mxp::dump
