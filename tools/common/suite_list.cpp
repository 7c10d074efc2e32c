#include "common/suite_list.h"

#include <fmt/format.h>

#include <optional>

#include "common/escape.h"

namespace mxp::tools {
namespace {

std::optional<Suite> suite_of(std::string_view word) {
  for (const Suite suite : {Suite::chacha20_poly1305, Suite::aes_256_gcm}) {
    if (word == to_string(suite)) return suite;
  }
  return std::nullopt;
}

}  // namespace

Result<std::vector<Suite>> parse_suites(std::string_view text) {
  std::vector<Suite> suites;
  for (bool more = true; more;) {
    const std::size_t comma = text.find(',');
    const std::string_view word = text.substr(0, comma);
    const auto suite = suite_of(word);
    if (!suite)
      return fail(ErrorKind::usage, fmt::format("--suite: '{}' is not a suite: use chacha20 or aes256", escape(word)));
    suites.push_back(*suite);
    more = comma != std::string_view::npos;
    if (more) text.remove_prefix(comma + 1);
  }
  return suites;
}

}  // namespace mxp::tools
