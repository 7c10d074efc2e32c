// What a user may type after mxp-netem, one argument a line: whatever it is, the answer is a meaning, a help text, or
// one error that can be printed. A target of its own, since the four tools call their options by the same names.
#include "command_line.h"
#include "mxp-netem/options.h"

using namespace mxp;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  // A trace is read at once: a device may be endless or wait for a terminal.
  if (text.find("/dev") != text.npos || text.find("/proc") != text.npos) return 0;
  const auto parsed = tools::parse_options(fuzz::lines_of(text));
  if (!parsed) {
    fuzz::check(parsed.error());
    return 0;
  }
  for (const netem::LinkSpec* link : {&parsed->up(), &parsed->down()})
    fuzz::require(netem::parse_link_spec(netem::to_string(*link)).has_value(), "the text of a link is accepted");
  return 0;
}
