// --realtime: a relay that is late distorts the link, so it may be scheduled before all ordinary programs.
#pragma once

#include "common/tool_error.h"

namespace mxp::tools {

// The calling thread from now on, and no thread that it starts. The error: the system does not allow it.
Result<void> become_realtime();

}  // namespace mxp::tools
