// What a user may type: the first byte picks mxp-cat or mxp-dump, the lines that follow are its arguments. Whatever they are,
// the answer is a meaning, a help text, or one error that can be printed. (The other tools look up names as they parse.)
#include <string>
#include <string_view>
#include <vector>

#include "mxp-cat/low_options.h"
#include "mxp-dump/options.h"
#include "require.h"

using namespace mxp;
using fuzz::require;

namespace {

void check(const tools::ParseStop& stop) {
  require(stop.error.empty() == (stop.code == tools::ExitCode::ok), "only help and version end well");
  for (const char c : stop.error)
    require(c == '\n' || static_cast<unsigned char>(c) >= 0x20, "an error does not steer a terminal");
}

std::vector<std::string> lines_of(std::string_view text) {
  std::vector<std::string> lines;
  while (!text.empty() && lines.size() < 64) {
    const auto end = text.find('\n');
    // A C string of a real command line ends at its first zero.
    lines.emplace_back(text.substr(0, end).substr(0, text.substr(0, end).find('\0')));
    if (end == std::string_view::npos) break;
    text.remove_prefix(end + 1);
  }
  return lines;
}

// For those that take what main() gets.
template <typename Parse>
void parse_as_main(std::vector<std::string> arguments, Parse parse) {
  arguments.insert(arguments.begin(), "tool");
  std::vector<char*> pointers;
  for (std::string& each : arguments) pointers.push_back(each.data());
  pointers.push_back(nullptr);
  const auto parsed = parse(static_cast<int>(arguments.size()), pointers.data());
  if (!parsed) check(parsed.error());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::vector<std::string> arguments = lines_of({reinterpret_cast<const char*>(data) + 1, size - 1});
  switch (data[0] % 2) {
    case 0: {
      tools::LowOptions low;
      const auto parsed = tools::parse_arguments(arguments, low);
      if (!parsed) check(parsed.error());
      break;
    }
    default: parse_as_main(arguments, [](int argc, char** argv) { return dump::parse_options(argc, argv); }); break;
  }
  return 0;
}
