// A key log that somebody else wrote: whatever its lines are, counts agree and what is found was in it.
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <string>

#include "mxp-dump/dissect/key_ring.h"
#include "require.h"

using namespace mxp;
using namespace mxp::dump;
using fuzz::require;

namespace {

// One file for all inputs, opened again by its path, as the tool does.
class KeyLogFile {
 public:
  KeyLogFile() : descriptor_(memfd_create("keys", MFD_CLOEXEC)) {
    require(descriptor_ >= 0, "the system gives a file");
    path_ = "/proc/self/fd/" + std::to_string(descriptor_);
  }
  const std::string& with(const std::uint8_t* data, std::size_t size) {
    require(ftruncate(descriptor_, 0) == 0, "the file can be emptied");
    require(pwrite(descriptor_, data, size, 0) == static_cast<ssize_t>(size), "the file takes the input");
    return path_;
  }

 private:
  int descriptor_;
  std::string path_;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static KeyLogFile file;
  KeyRing keys;
  const auto loaded = keys.load(file.with(data, size));
  if (!loaded) {
    require(!loaded.error().empty(), "an error has words");
    return 0;
  }
  const auto lines = static_cast<std::size_t>(std::count(data, data + size, '\n')) + 1;
  require(keys.ids() + keys.malformed_lines() <= lines, "each line is one thing");
  require((keys.malformed_lines() == 0) == keys.first_complaint().empty(), "a malformed line has a complaint");
  require(keys.first_malformed_line() <= lines, "which names a line of the file");
  const KeyRing::Headless headless = keys.without_phase_0();
  require(headless.ids <= keys.ids(), "what lacks its first secret is in the log");
  if (headless.ids > 0) {
    const LoggedKeys* found = keys.find(headless.example);
    require(found != nullptr && found->phase_0.empty(), "and its example is one");
  }
  return 0;
}
