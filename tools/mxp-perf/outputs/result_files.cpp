#include "mxp-perf/outputs/result_files.h"

#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <nlohmann/json.hpp>

#include "common/json_output.h"
#include "common/output_file.h"
#include "common/write_all.h"
#include "mxp-perf/histograms/hgrm_text.h"

namespace mxp::perf {

tools::Result<ResultFiles> ResultFiles::open(const OutputOptions& names, std::span<const std::string> arguments) {
  ResultFiles files;
  const struct {
    const char* option;
    const std::string& name;
    File& file;
  } each[] = {{"--hlog", names.hlog, files.hlog_},
              {"--hgrm", names.hgrm, files.hgrm_},
              {"--iperf3-json", names.iperf3, files.iperf3_}};
  for (const auto& [option, name, file] : each) {
    if (name.empty()) continue;
    const std::vector<tools::UsedFile> used = tools::files_named_in(arguments, option);
    auto fd = tools::open_output_file(name, {.if_exists = tools::IfExists::replace, .used = used});
    if (!fd) return tools::fail(fd.error().kind, fmt::format("{}: {}", option, fd.error().message));
    file = {name, *std::move(fd)};
  }
  return files;
}

tools::Result<void> ResultFiles::write(File& file, std::string_view text) {
  if (file.name.empty()) return {};
  return tools::write_all(file.fd.get(), text, file.name);
}

tools::Result<void> ResultFiles::write_histograms(const HistogramLog& log) {
  auto written = write(hlog_, to_hlog(log));
  if (!written) return written;
  return write(hgrm_, log.histograms.empty() ? to_hgrm(HdrHistogram()) : to_hgrm(log.histograms.front().histogram));
}

tools::Result<void> ResultFiles::write_iperf3(const nlohmann::json& document) {
  return write(iperf3_, tools::json_document(document));
}

HistogramLog log_of(const Result& result) {
  HistogramLog log{.start = result.started_at.value_or(WallTime{}), .histograms = {}};
  for (const NamedHistogram& histogram : result.histograms)
    log.histograms.push_back({.tag = fmt::format("{}.{}", to_string(result.test), histogram.name),
                              .begin_seconds = 0,
                              .length_seconds = result.wall_seconds,
                              .histogram = histogram.counts});
  return log;
}

}  // namespace mxp::perf
