// The findings of one connection and the account of its time, for people and for programs.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>

#include "mxp-dump/analysis/judges.h"

namespace mxp::dump {

std::string why_text(const Story& story, const Findings& findings);
nlohmann::json why_json(const Story& story, const Findings& findings);

}  // namespace mxp::dump
