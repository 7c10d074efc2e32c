#include "mxp-perf/compare/result_input.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "common/escape.h"
#include "mxp-perf/result.h"
#include "mxp-perf/schema/input_file.h"

namespace mxp::perf {

using tools::ErrorKind;

namespace {

// A document of ours has less than ten; what goes through all of it, and the library's own writer, calls itself for
// each.
constexpr int kMostDepth = 32;

}  // namespace

tools::Result<nlohmann::json> read_document(const std::string& name) {
  auto text = read_input(name);
  if (!text) return std::unexpected(text.error());
  bool deeper = false;
  const auto bounded = [&](int depth, nlohmann::json::parse_event_t, const nlohmann::json&) {
    deeper = deeper || depth > kMostDepth;
    return !deeper;  // from there on nothing is kept
  };
  auto document = nlohmann::json::parse(*text, bounded, false);
  const auto refused = [&](std::string_view why) {
    return tools::fail(ErrorKind::usage, fmt::format("{}: {}", tools::escape(name), why));
  };
  if (deeper) return refused(fmt::format("its values are nested more than {} deep", kMostDepth));
  if (!document.is_object()) return refused("it is not JSON that mxp-perf wrote");
  const auto schema = document.find("schema");
  if (schema == document.end() || !schema->is_string()) return refused("it is no result of mxp-perf");
  if (*schema != kSchemaName)
    return refused(
        fmt::format("its schema is {}, and {} is read", tools::escape(schema->get<std::string>()), kSchemaName));
  return document;
}

tools::Result<nlohmann::json> read_result(const std::string& name) {
  auto document = read_document(name);
  if (!document) return document;
  const auto refused = [&](std::string_view why) {
    return tools::fail(ErrorKind::usage, fmt::format("{}: {}", tools::escape(name), why));
  };
  const auto test = document->find("test"), result = document->find("result");
  if (test == document->end() || !test->is_string() || result == document->end() || !result->is_object())
    return refused("it has no result of a test");
  if (const auto error = document->find("error"); error != document->end()) {
    const bool threshold = error->is_object() && error->value("kind", nlohmann::json()) == "threshold";
    if (!threshold) return refused("its test was cut short or failed");
  }
  return document;
}

tools::Result<std::vector<nlohmann::json>> read_results(const std::string& names) {
  std::vector<nlohmann::json> documents;
  for (std::size_t begin = 0; begin <= names.size();) {
    const std::size_t end = std::min(names.find(',', begin), names.size());
    auto document = read_result(names.substr(begin, end - begin));
    if (!document) return std::unexpected(document.error());
    documents.push_back(*std::move(document));
    begin = end + 1;
  }
  return documents;
}

}  // namespace mxp::perf
