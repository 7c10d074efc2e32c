// The application error codes of mxp-cat, on resets and closes (docs/file-transfer.md). They are part of its protocol:
// numbers stay.
#pragma once

#include <cstdint>
#include <string>

#include "mxp/error.h"

namespace mxp::tools {

enum class AppCode : AppErrorCode {
  done = 0,               // everything was received, and everything sent was acknowledged
  interrupted = 1,        // a signal ended the tool
  output_failed = 2,      // stdout, or the disk, takes no more
  input_failed = 3,       // reading stdin or a file failed, or the file shrank
  busy = 4,               // the listener serves one connection, and has it
  unexpected_stream = 5,  // a stream that this mode does not know
  not_a_transfer = 6,     // --recv: what came is not a file transfer of a known version
  bad_name = 7,           // --recv: a name that could leave the folder, or cannot be one of a file
  exists = 8,             // --recv: the file is there, and --force was not given
  wrong_content = 9,      // --recv: size or digest disagree
  failed = 10,            // anything else; the reason says what
  waited_too_long = 11,   // -q
  being_received = 12,    // --recv: another transfer of that name is under way
};

constexpr AppErrorCode wire(AppCode code) { return static_cast<AppErrorCode>(code); }

// A short phrase: "the file exists there already"; "application error 77" for a code that is not ours.
std::string describe_app_code(AppErrorCode code);

}  // namespace mxp::tools
