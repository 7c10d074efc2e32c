// The library's owner of a descriptor under the name that mxp-dump's capture writer knows.
#pragma once

#include "udp/unique_fd.h"

namespace mxp::tools {

using mxp::UniqueFd;

}  // namespace mxp::tools
