// A TLS session over TCP on loopback, with calls that block: each end is a process of its own with one connection at a
// time.
#pragma once

#include <openssl/ssl.h>

#include <cstdint>
#include <expected>
#include <optional>
#include <string>

#include "common/tool_error.h"
#include "mxp-perf/baseline/tls_contexts.h"
#include "mxp/bytes.h"
#include "udp/unique_fd.h"

namespace mxp::perf {

// Of a segment, for a path whose IP packets have so many bytes; nothing where TCP takes no such number.
std::optional<int> tcp_segment_bytes(std::size_t mtu);

// A TCP socket on loopback that listens; `port` is the kernel's choice.
struct TlsListener {
  UniqueFd fd;
  std::uint16_t port = 0;

  static tools::Result<TlsListener> open(std::size_t mtu);
};

class TlsSession {
 public:
  // Shakes hands; the error says why not.
  static std::expected<TlsSession, std::string> connect(SSL_CTX* context, std::uint16_t port, std::size_t mtu);
  static std::expected<TlsSession, std::string> accept(SSL_CTX* context, int listener);

  // All bytes, or false: the other end is gone, or a signal came.
  bool write(ByteView data);
  bool read(MutableBytes data);
  // Some bytes; 0: the other end is gone, or a signal came.
  std::size_t read_some(MutableBytes data);
  // Says that nothing more comes, and leaves no port behind that waits.
  void close();

 private:
  TlsSession(UniqueFd fd, std::unique_ptr<SSL, FreeTls> session) : fd_(std::move(fd)), session_(std::move(session)) {}

  UniqueFd fd_;
  std::unique_ptr<SSL, FreeTls> session_;
};

}  // namespace mxp::perf
