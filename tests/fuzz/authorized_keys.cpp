// authorized_keys from anywhere: one entry at most for each line, and errors name the source and can be shown.
#include <algorithm>

#include "common/key_files.h"
#include "require.h"

using namespace mxp;
using namespace mxp::tools;
using fuzz::require;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto keys = parse_authorized_keys(text, "keys");
  if (!keys) {
    require(keys.error().message.starts_with("keys:"), "an error says in which line");
    return 0;
  }
  require(keys->size() <= static_cast<std::size_t>(std::count(text.begin(), text.end(), '\n')) + 1,
          "a line has one key at most");
  for (const AuthorizedKey& each : *keys) {
    const auto again = parse_authorized_keys(each.key.to_string(), "again");
    require(again && again->size() == 1 && again->front().key == each.key, "a key reads back from its text");
  }
  return 0;
}
