#include "mxp-cat/app_codes.h"

#include <fmt/format.h>

namespace mxp::tools {

std::string describe_app_code(AppErrorCode code) {
  switch (static_cast<AppCode>(code)) {
    case AppCode::done: return "done";
    case AppCode::interrupted: return "it was interrupted";
    case AppCode::output_failed: return "its output failed (a full disk, or a reader that is gone)";
    case AppCode::input_failed: return "its input failed";
    case AppCode::busy: return "it serves another connection";
    case AppCode::unexpected_stream:
      return "it expects no such stream (where one side has --send, the other needs --recv DIR)";
    case AppCode::not_a_transfer: return "it expects file transfers (--send)";
    case AppCode::bad_name: return "it refuses the file's name";
    case AppCode::exists: return "the file exists there already, and it was started without --force";
    case AppCode::wrong_content: return "size or digest of the file disagree";
    case AppCode::failed: return "it failed";
    case AppCode::waited_too_long: return "it waited too long for the end";
    case AppCode::being_received:
      return "another process, or another connection, is receiving a file of that name there";
  }
  return fmt::format("application error {}", code);
}

}  // namespace mxp::tools
