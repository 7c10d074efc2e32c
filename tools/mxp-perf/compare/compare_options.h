// What `mxp-perf compare` was asked to do.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace CLI {
class App;
}  // namespace CLI

namespace mxp::perf {

enum class CompareFormat : std::uint8_t { text, json, junit, github };

struct CompareOptions {
  std::string base, next;              // results, comma-separated; with `runs` programs or commands
  std::vector<std::string> arguments;  // of both programs
  double max_regression = 0.02;        // our choice: two builds of the same code differ by a per cent and more
  double confidence = 0.95;
  std::optional<unsigned> runs;
  std::vector<std::string> metrics;  // empty: what the test is for
  CompareFormat format = CompareFormat::text;
  std::string keep;  // a folder for the results of all runs; "" = none
};

// "5%" or "0.05": 0.05.
std::optional<double> parse_share(std::string_view text);

// As the command line said it.
struct LowCompareOptions {
  std::string format = "text", max_regression, confidence;
};

const CLI::App* add_compare_command(CLI::App& app, CompareOptions& options, LowCompareOptions& low);
// What is wrong, if anything.
std::optional<std::string> interpret_compare(CompareOptions& options, const LowCompareOptions& low);

}  // namespace mxp::perf
