// What --send names, as the list of what goes over: a file under its base name, a folder and all below it under their
// paths from the folder's own name on.
#pragma once

#include <sys/stat.h>

#include <cstdint>
#include <string>
#include <vector>

#include "common/output.h"
#include "common/tool_error.h"
#include "mxp/bytes.h"
#include "udp/unique_fd.h"

namespace mxp::tools {

enum class EntryKind : std::uint8_t { file, folder, device, pipe };
enum class Devices : std::uint8_t { refuse, send };  // --devices

// What was seen when the list was made. What is opened later must be the same, or another file could be slipped in.
struct FileIdentity {
  dev_t device = 0;
  ino_t inode = 0;
  mode_t type = 0;

  bool operator==(const FileIdentity&) const = default;
};

struct FileEntry {
  std::string root;   // as --send named it; if that is a symbolic link, it was meant to be followed
  std::string below;  // path from root on, "" = root itself
  std::string name;   // under which name it goes over
  EntryKind kind = EntryKind::file;
  std::uint64_t size = 0;  // when it was listed
  std::uint16_t mode = 0;  // permission bits, likewise
  FileIdentity identity;
  FileIdentity root_identity;

  std::string path() const { return below.empty() ? root : root + "/" + below; }
};

struct FileList {
  std::vector<FileEntry> entries;
  // What cannot go because no receiver would take its name; safe to print. The set is not whole without it.
  std::vector<std::string> left_out;
};

// Everything that can be known to fail before a connection is made fails here, as a usage error. Names that cannot go
// are left out with a warning while the rest goes; symbolic links below a folder and sockets never go, which a warning
// says; block devices and pipes go with Devices::send.
Result<FileList> collect_files(const std::vector<std::string>& arguments, Devices devices, Output& output);

// Opens it for reading without following any link below its root. Opening a pipe does not wait for its writer, and
// reading from it may block: ask poll(2) first.
Result<UniqueFd> open_listed(const FileEntry& entry);

}  // namespace mxp::tools
