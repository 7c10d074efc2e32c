#include "mxp-perf/schema/input_file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "common/escape.h"
#include "common/read_all.h"
#include "common/units.h"
#include "udp/unique_fd.h"

namespace mxp::perf {

tools::Result<std::string> read_input(const std::string& name) {
  UniqueFd opened(name == "-" ? -1 : ::open(name.c_str(), O_RDONLY | O_CLOEXEC));
  const int fd = name == "-" ? STDIN_FILENO : opened.get();
  const auto refused = [&](std::string_view why) {
    return tools::fail(tools::ErrorKind::usage, fmt::format("cannot read {}: {}", tools::escape(name), why));
  };
  if (fd < 0) return refused(std::strerror(errno));
  auto text = tools::read_all_or_errno(fd, kMostInput);
  if (text) return std::move(*text);
  if (text.error() == EFBIG) return refused(fmt::format("it has more than {}", tools::format_bytes(kMostInput)));
  return refused(std::strerror(text.error()));
}

}  // namespace mxp::perf
