// -T fields: the columns that the user names, separated by tabs. Several values in one column are separated by commas,
// and a column that does not apply is empty.
#pragma once

#include "mxp-dump/filter/field_table.h"
#include "mxp-dump/output/packet_writer.h"

namespace mxp::dump {

class FieldsWriter final : public PacketWriter {
 public:
  // REQUIRES: find_field() knows each.
  explicit FieldsWriter(const std::vector<std::string>& names);
  void write(const PacketRecord& record, std::string& out) override;

 private:
  std::vector<const Field*> columns_;
};

}  // namespace mxp::dump
