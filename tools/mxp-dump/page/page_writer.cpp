#include "mxp-dump/page/page_writer.h"

#include <algorithm>

#include "common/page/page.h"
#include "common/write_all.h"
#include "mxp-dump/why/why_output.h"
#include "mxp/version.h"

namespace mxp::tools::embedded {
std::string_view capture_page();  // capture_page.js
}

namespace mxp::dump {
namespace {

// The busiest first, and of equal ones the earliest.
void keep_busiest(std::vector<nlohmann::json>& rows, std::size_t count) {
  const auto rank = [](const nlohmann::json& row) {
    return std::pair(~row["packets"].get<std::uint64_t>(), row["connection"].get<std::uint64_t>());
  };
  std::ranges::sort(rows, [&](const auto& a, const auto& b) { return rank(a) < rank(b); });
  rows.resize(std::min(rows.size(), count));
}

}  // namespace

PageWriter::PageWriter(std::string path, UniqueFd file)
    : path_(std::move(path)),
      file_(std::move(file)),
      capture_([this](const Story& story, const Surroundings& around) { tell(story, around); }) {}

tools::Result<std::unique_ptr<PageWriter>> PageWriter::open(const std::string& path, const tools::OutputRules& rules) {
  auto file = tools::open_output_file(path, rules);
  if (!file) return std::unexpected(file.error());
  return std::unique_ptr<PageWriter>(new PageWriter(path, std::move(*file)));
}

void PageWriter::survey(const Connection& connection) {
  if (connection.packets() == 0) return;
  shown_[connection.number].packets = connection.packets();
  if (shown_.size() <= kMaxPlots) return;
  shown_.erase(std::ranges::min_element(
      shown_, [](const auto& a, const auto& b) { return a.second.packets < b.second.packets; }));
}

void PageWriter::add(const PacketRecord& record) {
  capture_.add(record);
  if (const auto shown = shown_.find(record.connection); shown != shown_.end()) shown->second.plots.add(record);
}

void PageWriter::tell(const Story& story, const Surroundings& around) {
  nlohmann::json why = why_json(story, judge(story, around));
  ++connections_;
  if (!why["findings"].empty()) ++with_findings_;
  if (const auto shown = shown_.find(story.connection); shown != shown_.end()) {
    shown->second.why = std::move(why);
    return;
  }
  nlohmann::json row{{"connection", story.connection},
                     {"client", why["client"]},
                     {"server", why["server"]},
                     {"packets", story.packets},
                     {"findings", why["findings"].size()}};
  if (!why["findings"].empty()) row["first"] = why["findings"][0]["title"];
  rows_.push_back(std::move(row));
  if (rows_.size() == 2 * kMaxRows) keep_busiest(rows_, kMaxRows);
}

tools::Result<void> PageWriter::finish(const std::string& capture, const nlohmann::json& summary) {
  capture_.finish();
  keep_busiest(rows_, kMaxRows);
  std::vector<nlohmann::json> shown;
  for (auto& [number, one] : shown_) {
    if (one.why.is_null()) continue;  // no packet of it was looked at
    one.why.update(one.plots.to_json());
    shown.push_back(std::move(one.why));
  }
  keep_busiest(shown, kMaxPlots);
  const std::size_t not_listed = connections_ - shown.size() - rows_.size();
  const nlohmann::json data{{"tool", "mxp-dump " + std::string(kLibraryVersion)},
                            {"capture", capture},
                            {"summary", summary},
                            {"connections", connections_},
                            {"with_findings", with_findings_},
                            {"shown", shown},
                            {"others", rows_},
                            {"not_listed", not_listed}};
  const std::string title = capture + " – mxp-dump";
  return tools::write_all(
      file_.get(), tools::make_page({.title = title, .script = tools::embedded::capture_page(), .data = data}), path_);
}

}  // namespace mxp::dump
