#include "mxp-netem/record_file.h"

#include <span>
#include <utility>

#include "common/write_all.h"
#include "netem/recording.h"

namespace mxp::tools {
namespace {

constexpr std::size_t kRecordBuffer = 64u << 10;  // our choice

}  // namespace

Result<RecordFile> RecordFile::open(UniqueFd file, std::string path) {
  RecordFile record(std::move(file), std::move(path));
  record.add(netem::recording_header());
  record.flush();
  if (!record.status_) return std::unexpected(record.status_.error());
  return record;
}

void RecordFile::add(std::string_view line) {
  buffer_ += line;
  if (buffer_.size() >= kRecordBuffer) flush();
}

void RecordFile::flush() {
  if (status_ && !buffer_.empty()) status_ = write_all(file_.get(), buffer_, path_);
  buffer_.clear();
}

}  // namespace mxp::tools
