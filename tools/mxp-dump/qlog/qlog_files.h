// The files of --qlog: many of them, and no more than one is open at a time, so that no capture can use up the
// descriptors. What is written waits in memory, up to a bound over all files.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "common/output_file.h"
#include "common/tool_error.h"

namespace mxp::dump {

class QlogFiles {
 public:
  static constexpr std::size_t kMaxWaiting = std::size_t{8} << 20;  // our choice: bytes, of all files

  // Errors: `folder` is none, or cannot be written to. `used`: what the files must not overwrite.
  static tools::Result<QlogFiles> open(const std::string& folder, tools::IfExists if_exists,
                                       std::vector<tools::UsedFile> used);

  // A file is made with its first text, under the rules of common/output_file.h, with mode 0600.
  tools::Result<void> append(const std::string& name, std::string_view text);
  // Writes all that waits for the file, which may be appended to again.
  tools::Result<void> finish(const std::string& name);
  // Writes all that waits.
  tools::Result<void> flush();
  std::size_t count() const { return files_.size(); }

 private:
  struct File {
    std::string waiting;
    bool made = false;
    std::pair<std::uint64_t, std::uint64_t> identity{};  // device and inode
  };
  tools::Result<void> write(const std::string& name, File& file) const;
  tools::Result<UniqueFd> make(const std::string& path, File& file) const;

  std::string folder_;
  tools::IfExists if_exists_ = tools::IfExists::refuse;
  std::vector<tools::UsedFile> used_;
  std::map<std::string, File> files_;
  std::size_t waiting_ = 0;
};

}  // namespace mxp::dump
