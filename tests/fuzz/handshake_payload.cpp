// What stands inside the encryption of both handshake messages. The first byte of the input chooses who sent it.
#include "connection/handshake_payload.h"

#include <algorithm>
#include <vector>

#include "require.h"

using namespace mxp;
using fuzz::require;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const Role sender = (data[0] & 1) != 0 ? Role::server : Role::client;
  const auto parsed = parse_handshake_payload(ByteView(data + 1, size - 1), sender);
  if (!parsed) {
    require(!parsed.error().reason.empty(), "an error has a reason");
    return 0;
  }
  require(!parsed->close || sender == Role::server, "only a server refuses");
  std::vector<std::uint8_t> buffer(2048);
  require(write_handshake_payload(buffer, parsed->parameters, parsed->close, nullptr), "what is read can be written");
  const auto again = parse_handshake_payload(buffer, sender);
  require(again && again->parameters == parsed->parameters, "the parameters are the same");
  require(again->close.has_value() == parsed->close.has_value(), "and so is the refusal");
  if (parsed->close) {
    require(
        again->close->code == parsed->close->code && std::ranges::equal(again->close->reason, parsed->close->reason),
        "with its reason");
  }
  return 0;
}
