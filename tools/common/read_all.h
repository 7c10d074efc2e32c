// All that a descriptor has to give, up to a bound: files that are taken in whole.
#pragma once

#include <cstddef>
#include <expected>
#include <string>

namespace mxp::tools {

// The error is the errno of the read that failed, or EFBIG where there are more than `most` bytes.
std::expected<std::string, int> read_all_or_errno(int fd, std::size_t most);

}  // namespace mxp::tools
