// A message and its payload: what decodes encodes to the same bytes, and the size told early is the size.
#include <xxhash.h>

#include <algorithm>
#include <vector>

#include "mxp/message.h"
#include "require.h"

using namespace mxp;
using fuzz::require;

namespace {

void check_payloads(ByteView payload) {
  if (const auto agent = decode_agent_register(payload)) {
    require(std::ranges::equal(encode_payload(*agent), payload), "AgentRegister has one encoding");
  }
  if (const auto call = decode_call(payload))
    require(std::ranges::equal(encode_payload(*call), payload), "Call has one encoding");
  if (const auto open = decode_stream_open(payload))
    require(std::ranges::equal(encode_payload(*open), payload), "StreamOpen has one encoding");
}

void check_message(ByteView bytes) {
  const auto size_told = message_size(bytes);
  const auto message = decode_message(bytes);
  if (!message) return;
  require(size_told && *size_told && **size_told == bytes.size(), "the size told early is the size");
  std::vector<std::uint8_t> out(bytes.size());
  const auto used = encode_message(*message, out);
  require(used && *used == bytes.size(), "what decodes encodes");
  require(std::ranges::equal(out, bytes), "to the same bytes");
  check_payloads(message->payload);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const ByteView bytes(data, size);
  check_message(bytes);
  check_payloads(bytes);
  // With the right checksum put at the end, so that the fuzzer need not find it.
  if (size >= kMessageOverhead) {
    std::vector<std::uint8_t> sealed(bytes.begin(), bytes.end());
    const std::uint64_t checksum = XXH3_64bits(sealed.data(), size - kMessageChecksumSize);
    for (std::size_t i = 0; i < kMessageChecksumSize; ++i)
      sealed[size - kMessageChecksumSize + i] = static_cast<std::uint8_t>(checksum >> (8 * i));
    check_message(sealed);
  }
  return 0;
}
