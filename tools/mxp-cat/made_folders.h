// The folders that one transfer made below the folder of --recv. They get the sender's modes at its end: until then
// files have to come into them. Folders that were there before keep theirs.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>

namespace mxp::tools {

class MadeFolders {
 public:
  // A peer's names make this grow, and the disk with it.
  static constexpr std::size_t kMax = 65'536;

  bool full() const { return modes_.size() >= kMax; }
  void add(std::string path) { modes_.try_emplace(std::move(path)); }
  // Nothing happens for a folder that was not made here. `mode`: permission bits.
  void set_mode(const std::string& path, std::uint16_t mode);
  // Sets the modes less the umask, the deepest folders first; `folder` is a descriptor of --recv's. The path of the
  // first that failed, with errno set; nothing if all went well. A second call does nothing.
  std::optional<std::string> apply(int folder);

 private:
  std::map<std::string, std::optional<std::uint16_t>> modes_;
};

}  // namespace mxp::tools
