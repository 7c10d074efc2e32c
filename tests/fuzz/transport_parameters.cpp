// Parameters of either side: what is accepted is in bounds, and the same after writing and reading.
#include "core/transport_parameters.h"

#include "mxp/config.h"
#include "require.h"

using namespace mxp;
using fuzz::require;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const ByteView bytes(data, size);
  for (const Role sender : {Role::client, Role::server}) {
    const auto parsed = parse_transport_parameters(bytes, sender);
    if (!parsed) {
      require(parsed.error().code == TransportErrorCode::transport_parameter_error && !parsed.error().reason.empty(),
              "one error, with a reason");
      continue;
    }
    require(parsed->max_udp_payload >= kMinInitialSize && parsed->max_udp_payload <= kMaxUdpPayload,
            "payload size in bounds");
    require(parsed->max_ack_delay < std::chrono::milliseconds(1 << 14), "ack delay in bounds");
    require(!parsed->versions.empty() && parsed->versions.size() <= kMaxListedVersions, "versions in bounds");
    require(!parsed->suites.empty() && parsed->suites.size() <= kMaxListedSuites, "suites in bounds");
    require(sender == Role::server || !parsed->connection_id, "a client has no connection id to give");
    std::array<std::uint8_t, 512> buffer;  // more than all of them take together
    Writer out(buffer);
    require(write_transport_parameters(out, *parsed, nullptr), "what is read can be written");
    const auto again = parse_transport_parameters(out.so_far(), sender);
    require(again && *again == *parsed, "written and read again they are the same");
  }
  return 0;
}
