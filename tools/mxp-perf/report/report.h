// report RESULT.json… -o report.html: results as one page that needs nothing beside itself (common/page/page.h).
#pragma once

#include <nlohmann/json.hpp>
#include <span>
#include <string>
#include <vector>

#include "common/tool_error.h"
#include "mxp-perf/options.h"
#include "mxp-perf/report/report_options.h"

namespace CLI {
class App;
}  // namespace CLI

namespace mxp::perf {

const CLI::App* add_report_command(CLI::App& app, ReportOptions& options);

// A document of mxp-perf, and the name of its file without folders and ".json".
struct NamedDocument {
  std::string name;
  nlohmann::json document;
};

// What the page's script draws: results and comparisons, with the percentile curves behind their histograms.
nlohmann::json report_data(const std::vector<NamedDocument>& documents);

tools::Result<void> run_report(const Options& options, std::span<const std::string> arguments);

}  // namespace mxp::perf
