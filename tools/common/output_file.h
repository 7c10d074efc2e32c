// The files that options name for writing: --json=FILE, --stats FILE, --pcap FILE, --audit FILE, -w FILE, keygen -o
// FILE. Every tool opens them here, under these rules:
//
//   symbolic link     refused, whatever it leads to: a link planted in a shared folder must not choose what is
//                     overwritten. Links among the folders on the way are followed.
//   regular file      refused with IfExists::refuse; with IfExists::append it keeps what it has; else emptied, once all
//                     other rules have passed.
//   the run's own     a regular file that the run reads or writes already is refused, under whatever name (device and
//                     inode are compared): UsedFile, and what stdin, stdout and stderr are redirected to.
//   pipe (FIFO)       written to as it is. Opening waits two seconds for its reader, which a script may start at the
//                     same time, and is refused if none has come by then.
//   character device  only what merely takes bytes: terminals, /dev/null and /dev/full.
//   open descriptor   /dev/stdout, /dev/stderr, /dev/fd/N, /proc/self/fd/N name what the caller opened for us (the
//                     shell does so for >(command)): that very descriptor is written to, and nothing is emptied.
//   another user's    file or pipe, in a folder where everybody may make files and remove only their own (sticky, as
//                     /tmp), is refused, unless the folder is that user's too: it may have been put there for us to
//                     write into. The kernel has the same rule for O_CREAT (fs.protected_regular, fs.protected_fifos).
//   anything else     (folder, block device, socket) is refused.
//
// A refusal is a usage error (exit 2) and happens before anything is changed; a failed system call is an io error (exit
// 1).
#pragma once

#include <sys/types.h>

#include <chrono>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "common/tool_error.h"
#include "udp/unique_fd.h"

namespace mxp::tools {

enum class IfExists : std::uint8_t { refuse, replace, append };

// What an output must not be: a file, or, for Extent::all_below, also any file in a folder that is read as a whole.
struct UsedFile {
  enum class Extent : std::uint8_t { itself, all_below };
  std::string called;  // how messages name it: "--read", "an argument"
  std::string path;
  Extent extent = Extent::itself;
};

// Every word of the command line that may name a file, and the file of MXPKEYLOGFILE. `option` is the option of the
// output itself ("--json"), whose own words are left out. Words that name no file are harmless. It takes raw arguments,
// so that the rules hold also where the options were not understood.
std::vector<UsedFile> files_named_in(std::span<const std::string> arguments, std::string_view option);

// "/dev/fd/5" → 5; nothing for a path that is no descriptor's.
std::optional<int> named_descriptor(std::string_view path);

struct OutputRules {
  IfExists if_exists = IfExists::refuse;
  std::span<const UsedFile> used = {};
  std::chrono::milliseconds reader_patience = std::chrono::seconds(2);  // of a pipe. Our choice
  // Nobody else may read it, from its first byte on. A file that is appended to keeps the mode that it has.
  bool owner_only = false;
};

Result<UniqueFd> open_output_file(const std::string& path, const OutputRules& rules);

// A secret file that is there whole or not at all, at each moment and after a crash: mode 0600 from its first byte,
// written beside its place, synced, then given its name. Replaces nothing but a regular file.
Result<void> write_secret_file(const std::string& path, std::string_view bytes, IfExists if_exists);

// Makes a new name, or a changed one, in the folder of `path` last beyond a crash. 0, or errno.
int sync_folder_of(const std::string& path);

// Takes back what the file holds from `size` bytes on; where that means nothing (a pipe, a terminal), does nothing.
void cut_back(int fd, off_t size);

}  // namespace mxp::tools
