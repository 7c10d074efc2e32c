#include "mxp-perf/histograms/merge.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <nlohmann/json.hpp>

#include "common/counted.h"
#include "common/escape.h"
#include "mxp-perf/histograms/hdr_payload.h"
#include "mxp-perf/schema/input_file.h"
#include "mxp/version.h"

namespace mxp::perf {

using tools::ErrorKind;

const CLI::App* add_merge_command(CLI::App& app, MergeOptions& options, OutputOptions& outputs) {
  CLI::App* merge = app.add_subcommand("merge", "add the histograms of several .hlog files, exactly");
  merge->add_option("files", options.files, "RESULT.hlog…, as --hlog writes them; - is stdin")->required();
  merge->add_option("--tag", options.tags, "only histograms with this tag, such as rr.latency; may be repeated")
      ->type_name("TAG")
      ->allow_extra_args(false)
      ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
  add_histogram_options(*merge, outputs);
  return merge;
}

std::expected<HistogramLog, std::string> merge_logs(std::span<const HistogramLog> logs) {
  HistogramLog merged{.start = WallTime::max(), .histograms = {}};
  for (const HistogramLog& log : logs) merged.start = std::min(merged.start, log.start);
  for (const HistogramLog& log : logs) {
    const double later = std::chrono::duration<double>(log.start - merged.start).count();
    for (TaggedHistogram row : log.histograms) {
      row.begin_seconds += later;
      if (auto added = add_to(merged.histograms, std::move(row)); !added) return std::unexpected(added.error());
    }
  }
  return merged;
}

namespace {

tools::Result<HistogramLog> read_and_merge(const MergeOptions& options) {
  std::vector<HistogramLog> logs;
  for (const std::string& name : options.files) {
    auto text = read_input(name);
    if (!text) return std::unexpected(text.error());
    auto log = parse_hlog(*text);
    if (!log) return tools::fail(ErrorKind::usage, fmt::format("{}: {}", tools::escape(name), log.error()));
    if (!options.tags.empty())
      std::erase_if(log->histograms, [&](const TaggedHistogram& row) {
        return std::ranges::find(options.tags, row.tag) == options.tags.end();
      });
    logs.push_back(*std::move(log));
  }
  auto merged = merge_logs(logs);
  if (!merged) return tools::fail(ErrorKind::usage, tools::escape(merged.error()));
  for (const std::string& tag : options.tags)
    if (std::ranges::find(merged->histograms, tag, &TaggedHistogram::tag) == merged->histograms.end())
      return tools::fail(ErrorKind::usage, fmt::format("no histogram has the tag {}", tools::escape(tag)));
  return *std::move(merged);
}

nlohmann::json document_of(const HistogramLog& log, std::size_t files) {
  nlohmann::json rows = nlohmann::json::array();
  for (const TaggedHistogram& row : log.histograms) {
    nlohmann::json json = {{"count", row.histogram.count()},
                           {"seconds", row.length_seconds},
                           {"histogram", encode_histogram(row.histogram)}};
    if (!row.tag.empty()) json["tag"] = row.tag;
    if (row.histogram.count() > 0) {
      json["latency_us"] = to_json(percentiles_us(row.histogram));
      json["mean_us"] = row.histogram.mean() / 1000;
    }
    rows.push_back(std::move(json));
  }
  return {{"schema", kSchemaName}, {"version", kLibraryVersion}, {"merged", {{"files", files}, {"histograms", rows}}}};
}

std::string text_of(const HistogramLog& log) {
  std::string text;
  for (const TaggedHistogram& row : log.histograms) {
    text += fmt::format("{:<22} {}", row.tag.empty() ? "(no tag)" : tools::escape(row.tag),
                        tools::counted(row.histogram.count(), "value"));
    if (row.histogram.count() > 0) text += ": " + to_text(percentiles_us(row.histogram));
    text += '\n';
  }
  return text;
}

}  // namespace

tools::Result<void> run_merge(const Options& options, ResultSinks& sinks) {
  const auto merged = read_and_merge(options.merge);
  if (!merged) return std::unexpected(merged.error());
  const auto files = sinks.files().write_histograms(*merged);
  const auto json = sinks.json().write_document(document_of(*merged, options.merge.files.size()));
  if (auto printed = sinks.print(text_of(*merged)); !printed) return printed;
  if (!files) return files;
  return json;
}

}  // namespace mxp::perf
