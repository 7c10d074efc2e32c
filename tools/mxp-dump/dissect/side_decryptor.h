// Opens the packets of one direction with what a key log has for its id. There may be one or two suites, one or more
// secrets (a log may have two lines of phase 0 for one id), and packets from anywhere in the connection in any order.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "mxp-dump/dissect/ahead_opener.h"
#include "mxp-dump/dissect/key_ring.h"
#include "mxp-dump/dissect/packet_decryptor.h"

namespace mxp::dump {

class SideDecryptor {
 public:
  enum class Keys : std::uint8_t { missing, present };
  // Looks the id up until the log has keys for it.
  Keys prepare(KeyRing& ring, ConnectionId destination, std::optional<std::uint8_t> likely_suite);
  // `ahead`, which may be null, is what another thread made of the same packet. REQUIRES: prepare() said present.
  std::optional<PacketDecryptor::Opened> open(ByteView packet, KeyRing& ring, std::vector<std::uint8_t>& scratch,
                                              const OpenedAhead* ahead);
  // Like open(), but it tries only what costs little. For a packet whose id was put right before.
  std::optional<PacketDecryptor::Opened> try_repaired(ByteView packet, std::vector<std::uint8_t>& scratch);

  // Has packets to this id opened ahead, once enough of them were opened here. REQUIRES: one was opened.
  void follow_ahead(AheadOpener& opener, ConnectionId id);

  // What opened the last packet. REQUIRES: one was opened.
  Suite suite() const { return lines_.front().decryptor.suite(); }

 private:
  // A place in the connection from which packets are followed.
  struct Line {
    TrafficSecret phase_0;
    PacketDecryptor decryptor;
    std::optional<std::uint64_t> largest;  // number opened so far
    std::optional<std::uint64_t> last;
  };
  std::optional<PacketDecryptor::Opened> open_at(Line& line, ByteView packet, std::vector<std::uint8_t>& scratch,
                                                 const OpenedAhead* ahead);
  std::optional<PacketDecryptor::Opened> open_anywhere(ByteView packet, std::vector<std::uint8_t>& scratch,
                                                       const OpenedAhead* ahead);
  std::optional<PacketDecryptor::Opened> search(ByteView packet, std::uint32_t highest_named,
                                                std::vector<std::uint8_t>& scratch);
  void opened_with(std::size_t line, PacketNumber number);

  std::vector<Line>
      lines_;  // before the first packet opened: what it may be; then the right one, the latest used first
  ConnectionId destination_;
  bool known_ = false;  // a packet was opened: suite and secret are right
  // Searches for a packet's number and phase that found nothing:
  std::uint64_t searches_ = 0;  // since the last search that found something; a packet that opens at once leaves it
  std::uint64_t misses_ = 0;    // since the last packet that opened, at once or by a search
  std::uint64_t opened_ = 0;
  std::uint64_t source_ = 0;  // of what is opened ahead with these secrets; 0: nobody was asked to
};

}  // namespace mxp::dump
