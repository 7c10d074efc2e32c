// Opens packets before their turn, in the thread that reads the capture, so that two processors share the work. It
// follows directions whose keys the dissector has found right. What it opens is a proposal: the dissector takes it
// where its own first trial would have had the same result, which the packet's number and key phase tell without a
// cipher (PacketDecryptor::adopt), and opens any other packet itself. So nothing of what is shown depends on which
// thread was faster.
#pragma once

#include <atomic>
#include <cstdint>
#include <mutex>
#include <vector>

#include "mxp-dump/capture/ahead_reader.h"
#include "mxp-dump/dissect/packet_decryptor.h"

namespace mxp::dump {

class AheadOpener final : public AheadWork {
 public:
  // Our choices: how many directions are followed at a time (beyond that the one of longest standing goes), and after
  // how many packets in a row that did not open one is given up.
  static constexpr std::size_t kMost = 64, kMostFailures = 64;

  // Follows the packets to this id from the number `expected` on. Returns what OpenedAhead::source will say. For the
  // dissector's thread.
  std::uint64_t follow(ConnectionId id, PacketDecryptor decryptor, std::uint64_t expected);

  // For the thread that reads.
  void look_at(const CapturedPacket& frame, MutableBytes room, std::vector<OpenedAhead>& out) override;

 private:
  struct Followed {
    std::uint64_t source = 0;
    ConnectionId id;
    PacketDecryptor decryptor;
    std::uint64_t expected = 0;
    std::size_t segment_size = 0;  // of the last batch
    std::size_t failures = 0;      // in a row
  };
  void take_asked();
  bool open(Followed& followed, ByteView packet, MutableBytes room, std::vector<OpenedAhead>& out);

  std::mutex mutex_;
  std::vector<Followed> asked_;  // by the dissector, and not yet taken over
  std::atomic<bool> any_asked_ = false;
  std::uint64_t sources_ = 0;       // the dissector's
  std::vector<Followed> followed_;  // the other thread's
};

}  // namespace mxp::dump
