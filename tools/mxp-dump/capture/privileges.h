// Opening a capture needs privileges, and reading it needs none. Code that parses packets of strangers should have
// none.
#pragma once

#include <string>

#include "common/tool_error.h"

namespace mxp::dump {

// Gives up root, and whatever other capabilities the process has, for good. If the process is root it becomes `user`;
// if that is empty, the user who called sudo, or else nobody. Returns a word on who that is, or nothing if there was
// nothing to give up. To be called once the interface and the files are open.
tools::Result<std::string> drop_privileges(const std::string& user);
// Checks that there is such a user. A usage error if not, so that it is told before anything is opened.
tools::Result<void> check_user(const std::string& user);

}  // namespace mxp::dump
