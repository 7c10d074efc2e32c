#include "mxp-dump/output/fields_output.h"

namespace mxp::dump {

FieldsWriter::FieldsWriter(const std::vector<std::string>& names) {
  for (const std::string& name : names) columns_.push_back(find_field(name));
}

void FieldsWriter::write(const PacketRecord& record, std::string& out) {
  for (std::size_t i = 0; i < columns_.size(); ++i) {
    if (i > 0) out += '\t';
    print_field(*columns_[i], record, out);
  }
  out += '\n';
}

}  // namespace mxp::dump
