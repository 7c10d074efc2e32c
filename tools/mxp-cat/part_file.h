// A file on its way in: NAME.part below a folder until it is whole, then NAME. A .part that stays behind is unfinished,
// and a new attempt starts it over.
#pragma once

#include <cstdint>
#include <expected>
#include <string>
#include <vector>

#include "common/tool_error.h"
#include "mxp-cat/app_codes.h"
#include "mxp-cat/file_header.h"
#include "mxp-cat/made_folders.h"
#include "mxp/bytes.h"
#include "udp/unique_fd.h"

namespace mxp::tools {

// What the sender is told, and what we say ourselves.
struct Refusal {
  AppCode code = AppCode::failed;
  ToolError error;
};

enum class Replace : std::uint8_t { no, yes };

class PartFile {
 public:
  // `folder` is a descriptor of the folder and outlives the object; `shown` names the folder in messages; `made` learns
  // which folders were missing and have been made. Every folder on the way is opened by itself and without following
  // links, so that no name and no link leads out of it. Refused are also a file for which there is no room, and a .part
  // that this tool did not leave, as it belongs to another user or others may open it.
  static std::expected<PartFile, Refusal> create(int folder, const std::string& shown, const FileHeader& header,
                                                 Replace replace, MadeFolders& made);

  // Gathers small pieces into large writes, and leaves holes for blocks of zeros.
  Result<void> append(ByteView data);
  // Writes the rest, sets the mode, waits for the disk and gives the file its name.
  std::expected<void, Refusal> commit();

  const std::string& shown_name() const { return shown_; }

 private:
  PartFile() = default;
  Result<void> write_out(ByteView data);

  UniqueFd parent_;  // the folder that holds it
  UniqueFd fd_;
  std::string name_;   // last component
  std::string shown_;  // whole path, for messages
  std::uint16_t mode_ = 0;
  Replace replace_ = Replace::no;
  std::uint64_t size_ = 0;     // bytes of content before buffer_, holes included
  std::uint64_t flushed_ = 0;  // of these, what the disk was told to begin with
  std::vector<std::uint8_t> buffer_;
};

// Makes the folder `path` below `folder` and what is missing on the way, by the same rules.
std::expected<void, Refusal> make_folder(int folder, const std::string& shown, const std::string& path,
                                         MadeFolders& made);

}  // namespace mxp::tools
