// -T fields: the columns that the user names, separated by tabs. Several values in one column are separated by commas,
// and a column that does not apply is empty.
#pragma once

#include "mxp-dump/packet_writer.h"

namespace mxp::dump {

bool is_field(std::string_view name);
// All names of fields, for a message.
std::string field_names();

class FieldsWriter final : public PacketWriter {
 public:
  // REQUIRES: each is_field().
  explicit FieldsWriter(const std::vector<std::string>& names);
  void write(const PacketRecord& record, std::string& out) override;

  using Print = void (*)(const PacketRecord& record, std::string& out);

 private:
  std::vector<Print> columns_;
};

}  // namespace mxp::dump
