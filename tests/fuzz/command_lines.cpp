// What a user may type: the first byte picks mxp-cat, mxp-dump or mxp-perf, the lines that follow are its arguments.
// Whatever they are, the answer is a meaning, a help text, or one error that can be printed. (mxp-netem has
// netem_command_line.cpp.)
#include "command_line.h"
#include "mxp-cat/low_options.h"
#include "mxp-dump/options.h"
#include "mxp-perf/options.h"

using namespace mxp;

namespace {

// For those that take what main() gets.
template <typename Parse>
void parse_as_main(std::vector<std::string> arguments, Parse parse) {
  arguments.insert(arguments.begin(), "tool");
  std::vector<char*> pointers;
  for (std::string& each : arguments) pointers.push_back(each.data());
  pointers.push_back(nullptr);
  const auto parsed = parse(static_cast<int>(arguments.size()), pointers.data());
  if (!parsed) fuzz::check(parsed.error());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::vector<std::string> arguments = fuzz::lines_of({reinterpret_cast<const char*>(data) + 1, size - 1});
  switch (data[0] % 3) {
    case 0: {
      tools::LowOptions low;
      const auto parsed = tools::parse_arguments(arguments, low);
      if (!parsed) fuzz::check(parsed.error());
      break;
    }
    case 1: parse_as_main(arguments, [](int argc, char** argv) { return dump::parse_options(argc, argv); }); break;
    default: parse_as_main(arguments, [](int argc, char** argv) { return perf::parse_options(argc, argv); }); break;
  }
  return 0;
}
