// -T json: one object in each line, `{frame,time,src,dst,length,type,packet_number,frames:[{type,…}]}` and more.
// Numbers are numbers, and a key that does not apply is absent.
#pragma once

#include "mxp-dump/output/packet_writer.h"

namespace mxp::dump {

class JsonWriter final : public PacketWriter {
 public:
  void write(const PacketRecord& record, std::string& out) override;
};

}  // namespace mxp::dump
