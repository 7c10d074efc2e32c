// --json-schema: what a line of -T json holds, as a JSON Schema (draft 2020-12). It is made from the field table, so that
// all that is documented exists.
#pragma once

#include <string>

namespace mxp::dump {

std::string json_schema();

}  // namespace mxp::dump
