#include "mxp-dump/output/packet_writer.h"

#include <unistd.h>

#include <cerrno>

#include "common/write_all.h"
#include "mxp-dump/output/fields_output.h"
#include "mxp-dump/output/json_output.h"
#include "mxp-dump/output/text_output.h"

namespace mxp::dump {
namespace {

constexpr std::size_t kFlushSize = 64 * 1024;

}  // namespace

void StdoutBuffer::append(std::string_view text) {
  pending_ += text;
  if (pending_.size() >= kFlushSize) flush();
}

void StdoutBuffer::flush() {
  if (!closed_ && !failure_) {
    const int error = tools::write_all_or_errno(STDOUT_FILENO, pending_);
    if (error == EPIPE) closed_ = true;
    else if (error != 0) failure_ = tools::write_error("stdout", error);
  }
  pending_.clear();
}

std::unique_ptr<PacketWriter> make_packet_writer(const Options& options, bool colour) {
  if (!options.packets) return nullptr;
  switch (*options.packets) {
    case Format::text: return std::make_unique<TextWriter>(colour);
    case Format::json: return std::make_unique<JsonWriter>();
    case Format::fields: return std::make_unique<FieldsWriter>(options.fields);
  }
  return nullptr;
}

}  // namespace mxp::dump
