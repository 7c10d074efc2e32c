// The capture of both sides of the link: a pcapng file (draft-ietf-opsawg-pcapng) with raw IP packets on two
// interfaces, "client side" and "server side". The comment of a packet says what the link did to it.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "common/tool_error.h"
#include "mxp/address.h"
#include "mxp/bytes.h"
#include "mxp/endpoint.h"
#include "mxp/time.h"
#include "udp/unique_fd.h"

namespace mxp::tools {

enum class Side : std::uint32_t { client = 0, server = 1 };
// Which IP versions a capture holds. It decides the link type, because libpcap (and so tcpdump) reads a pcapng file
// only if all its interfaces have one link type and one snapshot length, and refuses two interfaces of LINKTYPE_RAW,
// whose number differs from its own DLT_RAW.
enum class IpVersions : std::uint8_t { ipv4, ipv6, both };
enum class Sense : std::uint32_t { inbound = 1, outbound = 2 };  // as seen by the relay; the values of epb_flags

struct CapturedDatagram {
  Side side = Side::client;
  Sense sense = Sense::inbound;
  SocketAddress source;
  SocketAddress destination;
  Ecn ecn = Ecn::not_ect;
  ByteView payload;
};

class Capture {
 public:
  // Writes the headers at once, so that an unwritable file shows before the first packet. `wall_clock_offset`:
  // nanoseconds from the monotonic clock's zero to the Unix epoch's.
  static Result<Capture> open(UniqueFd file, std::string path, IpVersions versions, std::string_view comment,
                              Duration wall_clock_offset);

  // Buffered. Failures are kept: see status().
  void add(const CapturedDatagram& datagram, Timestamp at, std::string_view comment);
  void flush();
  // The first failure to write, if any.
  const Result<void>& status() const { return status_; }

 private:
  Capture(UniqueFd file, std::string path, IpVersions versions, Duration wall_clock_offset)
      : file_(std::move(file)), path_(std::move(path)), versions_(versions), wall_clock_offset_(wall_clock_offset) {}
  void begin_block(std::uint32_t type);
  void end_block();
  void u16(std::uint16_t value);
  void u32(std::uint32_t value);
  void option(std::uint16_t code, ByteView value);
  void option(std::uint16_t code, std::string_view value);
  void pad();

  UniqueFd file_;
  std::string path_;
  IpVersions versions_;
  Duration wall_clock_offset_;
  std::vector<std::uint8_t> buffer_;
  std::vector<std::uint8_t> packet_;
  std::size_t block_start_ = 0;
  Result<void> status_;
};

}  // namespace mxp::tools
