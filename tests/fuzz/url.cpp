// URLs and socket addresses: what is accepted has a canonical form that means the same; what is refused says why.
#include "mxp/url.h"

#include "mxp/address.h"
#include "require.h"

using namespace mxp;
using fuzz::require;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  if (const auto address = SocketAddress::parse(text)) {
    const std::string canonical = address->to_string();
    require(SocketAddress::parse(canonical) == address, "an address reads back from its text");
  }
  const auto url = parse_url(text);
  if (!url) {
    require(!url.error().empty(), "an error is a sentence");
    for (const char c : url.error()) require(c >= 0x20 && c < 0x7f, "that is safe to print");
    return 0;
  }
  require(!url->host.empty() && url->port != 0, "there is a host and a port");
  const auto again = parse_url(url->to_string());
  require(again && again->host == url->host && again->port == url->port && again->agent_id == url->agent_id &&
              again->key == url->key,
          "a URL reads back from its text");
  return 0;
}
