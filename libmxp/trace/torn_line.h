// What an earlier run left behind: a full disk, or a crash, can leave a file of lines that ends in the middle of one.
#pragma once

namespace mxp {

// Whether `fd` is a regular file that is appended to (O_APPEND) and whose last line has no end. Whoever appends a line
// begins with '\n' then, so that the broken line stays one line and its own is whole. False where it cannot be told,
// such as a file that may be written but not read.
bool ends_in_torn_line(int fd);

}  // namespace mxp
