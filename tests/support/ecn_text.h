// So that Boost.Test can print it.
#pragma once

#include <ostream>

#include "mxp/ecn.h"

namespace mxp {

inline std::ostream& operator<<(std::ostream& out, EcnState state) { return out << to_string(state); }

}  // namespace mxp
