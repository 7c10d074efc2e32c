// A compressed payload from a stranger: the bound holds whatever the frame says, and what came out can be compressed
// and comes out again.
#include <algorithm>
#include <vector>

#include "mxp/message_compression.h"
#include "require.h"

using namespace mxp;
using fuzz::require;

namespace {

constexpr std::size_t kLimit = 1u << 20;
constexpr std::uint8_t kUntouched = 0xee;

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static MessageCompressor compressor;
  static MessageDecompressor decompressor;
  const ByteView bytes(data, size);
  const auto told = decompressed_size(bytes, kLimit);
  require(!told || *told <= kLimit, "no more than the limit is asked for");
  std::vector<std::uint8_t> out(told.value_or(0) + 64, kUntouched);
  const auto got = decompressor.decompress(bytes, kLimit, out);
  require(std::count(out.end() - 64, out.end(), kUntouched) == 64, "nothing is written behind the declared size");
  if (!told) require(!got && got.error() == told.error(), "the header is judged the same both times");
  if (got) {
    require(told && *got == *told, "the size told early is the size");
    out.resize(*got);
    std::vector<std::uint8_t> packed(out.size()), again(out.size());
    if (const auto packed_size = compressor.compress(out, packed)) {
      require(*packed_size < out.size(), "what does not shrink is not compressed");
      const auto back = decompressor.decompress(ByteView(packed).first(*packed_size), out.size(), again);
      require(back && *back == out.size() && again == out, "what was compressed comes out again");
    }
  }
  return 0;
}
