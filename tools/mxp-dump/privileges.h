// Opening a capture needs privileges, reading it needs none. Code that parses packets of strangers should have none.
#pragma once

#include <string>

#include "common/tool_error.h"

namespace mxp::dump {

// Gives up root, and whatever other capabilities the process has, for good. As root it becomes `user`; where that is
// empty, the user who called sudo, or else nobody. Returns a word on who that is; empty where there was nothing to give
// up. Call it once interface and files are open.
tools::Result<std::string> drop_privileges(const std::string& user);
// Whether there is such a user: a usage error if not, so that it is said before anything is opened.
tools::Result<void> check_user(const std::string& user);

}  // namespace mxp::dump
