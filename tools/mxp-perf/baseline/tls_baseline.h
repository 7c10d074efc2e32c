// --baseline tls: the work of a test once more over TLS 1.3 and TCP, on loopback, with server and client in processes of
// their own as for MXP: OpenSSL's own library, blocking calls, no delay (Nagle), segments of the same packet size, the
// same cipher suite and group, both ends authenticated. One connection.
#pragma once

#include <optional>

#include "common/signals.h"
#include "common/tool_error.h"
#include "mxp-perf/options.h"
#include "mxp-perf/result.h"

namespace mxp::perf {

// What of `options` the baseline cannot do, as a usage error; nothing if it can.
std::optional<std::string> why_no_baseline(const Options& options);

// Takes as long as the test did. `suite`: that the test came to use. Nothing in the result of what a signal interrupts.
// REQUIRES: why_no_baseline() is nothing.
tools::Result<TlsFigures> measure_tls(const Options& options, std::string_view suite,
                                      const tools::SignalWatch& signals);

}  // namespace mxp::perf
