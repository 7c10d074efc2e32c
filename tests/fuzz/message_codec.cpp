// A message, its payload and its compacted form: what decodes encodes to the same bytes, or for the compacted form to the
// same message in no more bytes, and the size told early is the size.
#include <xxhash.h>

#include <algorithm>
#include <vector>

#include "message/compact.h"
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
  if (const auto heartbeat = decode_agent_heartbeat(payload))
    require(std::ranges::equal(encode_payload(*heartbeat), payload), "AgentHeartbeat has one encoding");
  if (const auto query = decode_agent_discover(payload))
    require(std::ranges::equal(encode_payload(*query), payload), "AgentDiscover has one encoding");
  if (const auto lease = decode_agent_lease(payload))
    require(std::ranges::equal(encode_payload(*lease), payload), "a lease has one encoding");
  if (const auto list = decode_agent_list(payload))
    require(std::ranges::equal(encode_payload(*list), payload), "a list of agents has one encoding");
  if (const auto error = decode_error(payload))
    require(std::ranges::equal(encode_payload(*error), payload), "Error has one encoding");
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

void check_compact(ByteView bytes) {
  const auto message = decode_compact(bytes);
  if (!message) return;
  std::vector<std::uint8_t> compact(compact_size(*message)), full(encoded_size(*message)), again(full.size());
  require(compact.size() <= bytes.size(), "senders take the shortest form");
  const auto used = encode_compact(*message, compact);
  require(used && *used == compact.size(), "what was compacted can be compacted again");
  const auto decoded = decode_compact(compact);
  require(decoded && encode_message(*message, full) && encode_message(*decoded, again), "it decodes again");
  require(full == again, "to the exact message");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const ByteView bytes(data, size);
  check_message(bytes);
  check_payloads(bytes);
  check_compact(bytes);
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
