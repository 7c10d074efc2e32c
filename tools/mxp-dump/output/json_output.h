// -T json: one object in each line, `{frame,time,src,dst,length,type,packet_number,frames:[{type,…}]}` and more.
// Numbers are numbers, and a key that does not apply is absent.
#pragma once

#include <span>

#include "mxp-dump/output/packet_writer.h"

namespace mxp::dump {

class JsonWriter final : public PacketWriter {
 public:
  void write(const PacketRecord& record, std::string& out) override;
};

// The name of a frame's type in JSON and in fields, such as "stream" or "max_data".
std::string_view frame_word(const Frame& frame);
// All of them.
std::span<const std::string_view> frame_words();
// "begins"
std::string_view state_word(DrainFrame::State state);

}  // namespace mxp::dump
