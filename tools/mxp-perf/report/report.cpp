#include "mxp-perf/report/report.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cmath>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "common/escape.h"
#include "common/output_file.h"
#include "common/page/page.h"
#include "common/write_all.h"
#include "mxp-perf/compare/result_input.h"
#include "mxp-perf/histograms/hdr_payload.h"
#include "mxp-perf/histograms/hgrm_text.h"
#include "mxp/version.h"

namespace mxp::tools::embedded {
std::string_view report_page();  // report_page.js
}

namespace mxp::perf {

using tools::ErrorKind;

namespace {

// Our choice: more results than that no page can show, nor a browser hold.
constexpr std::size_t kMostFiles = 1000;

// [[value in us, share of the values above it at most], …]
nlohmann::json curve_of(const HdrHistogram& histogram) {
  nlohmann::json points = nlohmann::json::array();
  for (const PercentilePoint& point : percentile_curve(histogram)) {
    // The last one has nothing above it: it stands where the last of so many values is.
    const double above = point.quantile < 1 ? 1 - point.quantile : 1 / static_cast<double>(histogram.count());
    points.push_back({static_cast<double>(point.value) / 1000, above});
  }
  return points;
}

void replace_histograms(nlohmann::json& document) {
  document.erase("curves");  // which is ours to make
  const auto histograms = document.find("histograms");
  if (histograms == document.end()) return;
  nlohmann::json curves = nlohmann::json::object();
  if (histograms->is_object())
    for (const auto& [name, text] : histograms->items()) {
      if (!text.is_string()) continue;
      // One that cannot be read is left out of the chart: the percentiles beside it are there all the same.
      const auto histogram = decode_histogram(text.get_ref<const std::string&>());
      if (histogram && histogram->count() > 0) curves[name] = curve_of(*histogram);
    }
  document.erase("histograms");
  document["curves"] = std::move(curves);
}

// A file's name without folder and ending, as long as that tells it from the others: a chart has each name once.
std::string name_of(const std::string& path, const std::vector<NamedDocument>& others) {
  const auto taken = [&](const std::string& name) {
    return std::ranges::any_of(others, [&](const NamedDocument& other) { return other.name == name; });
  };
  const std::filesystem::path file(path);
  std::string name = tools::escape(file.stem().string());
  if (taken(name)) name = tools::escape((file.parent_path().filename() / file.stem()).string());
  const std::string plain = name;
  for (int number = 2; taken(name); ++number) name = fmt::format("{} ({})", plain, number);
  return name;
}

}  // namespace

const CLI::App* add_report_command(CLI::App& app, ReportOptions& options) {
  CLI::App* report = app.add_subcommand("report", "results and comparisons as one page for a browser");
  report->add_option("files", options.files, "RESULT.json…, also of compare and find-capacity")
      ->required()
      ->expected(1, static_cast<int>(kMostFiles));
  report->add_option("-o,--output", options.output, "the page")->required()->type_name("FILE");
  report->add_option("--title", options.title, "of the page")->type_name("TEXT");
  return report;
}

nlohmann::json report_data(const std::vector<NamedDocument>& documents) {
  nlohmann::json data = {{"tool", fmt::format("mxp-perf {}", kLibraryVersion)},
                         {"results", nlohmann::json::array()},
                         {"comparisons", nlohmann::json::array()},
                         {"capacities", nlohmann::json::array()},
                         {"failures", nlohmann::json::array()}};
  for (const NamedDocument& one : documents) {
    nlohmann::json document = one.document;
    document["name"] = one.name;
    replace_histograms(document);
    const auto has = [&](const char* part) { return document.contains(part) && document[part].is_object(); };
    const char* const kind = has("comparison") ? "comparisons"
                             : has("capacity") ? "capacities"
                             : has("result")   ? "results"
                                               : "failures";
    data[kind].push_back(std::move(document));
  }
  return data;
}

tools::Result<void> run_report(const Options& options, std::span<const std::string> arguments) {
  std::vector<NamedDocument> documents;
  for (const std::string& file : options.report.files) {
    auto document = read_document(file);
    if (!document) return std::unexpected(document.error());
    documents.push_back({name_of(file, documents), *std::move(document)});
  }
  nlohmann::json data = report_data(documents);
  const std::string title = options.report.title.empty() ? "mxp-perf report" : options.report.title;
  data["title"] = title;
  const std::string page = tools::make_page({.title = title, .script = tools::embedded::report_page(), .data = data});
  // Not over a result that was read; -o's own word is no other file.
  std::vector<tools::UsedFile> used = tools::files_named_in(arguments, "--output");
  const auto& read = options.report.files;
  std::erase_if(used, [&](const tools::UsedFile& file) {
    return file.path == options.report.output && std::ranges::find(read, file.path) == read.end();
  });
  auto file = tools::open_output_file(options.report.output, {.if_exists = tools::IfExists::replace, .used = used});
  if (!file) return tools::fail(file.error().kind, fmt::format("-o: {}", file.error().message));
  return tools::write_all(file->get(), page, options.report.output);
}

}  // namespace mxp::perf
