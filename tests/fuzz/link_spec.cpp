// The words of tc netem: what is accepted has a text that means the same, what is refused has an error that can be
// shown.
#include "mxp/text.h"
#include "netem/spec.h"
#include "require.h"

using namespace mxp;
using fuzz::require;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto spec = netem::parse_link_spec(text);
  if (!spec) {
    require(!spec.error().empty(), "an error is a sentence");
    return 0;
  }
  const std::string canonical = netem::to_string(*spec);
  const auto again = netem::parse_link_spec(canonical);
  require(again.has_value(), "the text of a link is accepted");
  require(netem::to_string(*again) == canonical, "and means the same");
  return 0;
}
