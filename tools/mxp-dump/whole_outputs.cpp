#include "mxp-dump/whole_outputs.h"

#include <fmt/format.h>

#include "common/counted.h"
#include "common/escape.h"

namespace mxp::dump {

tools::Result<void> WholeOutputs::open(const Options& options, std::vector<tools::UsedFile> used) {
  const tools::IfExists if_exists = options.force ? tools::IfExists::replace : tools::IfExists::refuse;
  if (!options.qlog_folder.empty()) {
    auto files = QlogFiles::open(options.qlog_folder, if_exists, used);
    if (!files) return std::unexpected(files.error());
    qlog_.emplace(std::move(*files), options.qlog_flavour);
  }
  if (options.html_path.empty()) return {};
  capture_ = tools::escape(options.read_path);
  // It shows who talked to whom.
  auto page = PageWriter::open(options.html_path, {.if_exists = if_exists, .used = used, .owner_only = true});
  if (!page) return std::unexpected(page.error());
  page_ = std::move(*page);
  return {};
}

void WholeOutputs::survey(const Connection& connection) {
  if (qlog_) qlog_->survey(connection);
  if (page_ != nullptr) page_->survey(connection);
}

void WholeOutputs::add(const PacketRecord& record) {
  if (qlog_ && !failure_) note(qlog_->add(record));
  if (page_ != nullptr) page_->add(record);
}

tools::Result<void> WholeOutputs::finish(const nlohmann::json& summary, tools::Output& output) {
  if (qlog_) {
    if (!failure_) note(qlog_->finish());
    for (const std::string& text : qlog_->warnings()) output.warning(text);
    output.verbose(fmt::format("qlog: {}", tools::counted(qlog_->files(), "file")));
  }
  if (page_ != nullptr) note(page_->finish(capture_, summary));
  if (failure_) return std::unexpected(*failure_);
  return {};
}

}  // namespace mxp::dump
