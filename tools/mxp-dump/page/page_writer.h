// --html: one page that shows a capture without a network: what `mxp-dump why` finds, the summary, and plots of the
// busiest connections. Its size and what it costs are bounded, whatever the capture: the other connections are rows of
// a table, and beyond that a count.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "common/output_file.h"
#include "common/tool_error.h"
#include "mxp-dump/analysis/capture_story.h"
#include "mxp-dump/dissect/connection.h"
#include "mxp-dump/page/page_places.h"

namespace mxp::dump {

class PageWriter {
 public:
  // Our choices: a page that a phone can show.
  static constexpr std::size_t kMaxPlots = 12;
  static constexpr std::size_t kMaxRows = 200;

  // Opens the file at once, so that a wrong name costs no time.
  static tools::Result<std::unique_ptr<PageWriter>> open(const std::string& path, const tools::OutputRules& rules);

  // Before the first packet: a connection as the whole capture shows it.
  void survey(const Connection& connection);
  void add(const PacketRecord& record);
  // `capture`: how the user called it; `summary` as --stats summary has it in JSON.
  tools::Result<void> finish(const std::string& capture, const nlohmann::json& summary);

 private:
  struct Shown {
    std::uint64_t packets = 0;
    PagePlaces plots;
    nlohmann::json why;
  };
  PageWriter(std::string path, UniqueFd file);
  void tell(const Story& story, const Surroundings& around);

  std::string path_;
  UniqueFd file_;
  CaptureStory capture_;
  std::map<std::uint64_t, Shown> shown_;  // by connection
  std::vector<nlohmann::json> rows_;      // of the others, at most twice kMaxRows
  std::uint64_t connections_ = 0, with_findings_ = 0;
};

}  // namespace mxp::dump
