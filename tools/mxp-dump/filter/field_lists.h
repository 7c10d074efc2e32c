// The two parts of the field table, in the order in which they are listed.
#pragma once

#include <span>

#include "mxp-dump/filter/field_table.h"

namespace mxp::dump {

std::span<const Field> packet_fields();
std::span<const Field> frame_fields();

}  // namespace mxp::dump
