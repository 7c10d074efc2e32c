// --suite of a session: cipher suites in order of preference.
#pragma once

#include <string_view>
#include <vector>

#include "common/tool_error.h"
#include "mxp/keys.h"

namespace mxp::tools {

// "chacha20,aes256": one word or several, comma-separated. What is not a suite, an empty word included, is a usage
// error that names the option, so that every tool refuses it with the same words.
Result<std::vector<Suite>> parse_suites(std::string_view text);

}  // namespace mxp::tools
