// The output of a command that makes a new capture from an old one: written beside its place, synced, then given its
// name, so that it is there whole or not at all, on a full disk and after a signal too.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "common/output_file.h"
#include "common/tool_error.h"
#include "mxp/bytes.h"
#include "udp/unique_fd.h"

namespace mxp::dump {

enum class Readers : std::uint8_t { as_umask_says, owner_only };

class ReplacementFile {
 public:
  // Refuses (usage) what exists unless it is a regular file that may be replaced, and what the run reads.
  static tools::Result<ReplacementFile> create(const std::string& path, const tools::OutputRules& rules,
                                               Readers readers);
  ReplacementFile(ReplacementFile&& other) noexcept;
  ReplacementFile& operator=(ReplacementFile&&) = delete;
  ~ReplacementFile();  // without commit() nothing stays

  tools::Result<void> write(ByteView bytes);
  tools::Result<void> commit();

 private:
  ReplacementFile() = default;
  tools::Result<void> flush();

  std::string path_, temporary_;
  tools::IfExists if_exists_ = tools::IfExists::refuse;
  UniqueFd file_;
  std::vector<std::uint8_t> pending_;
};

}  // namespace mxp::dump
