// The packets that wait for the wire under an active queue management: RED decides as they arrive, CoDel as their turn
// comes. A link without one (droptail) needs no such queue, because then the departure of a packet follows from those
// before it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <variant>
#include <vector>

#include "mxp/rate.h"
#include "mxp/time.h"
#include "netem/codel.h"
#include "netem/red.h"
#include "netem/spec.h"

namespace mxp::netem {

class Bottleneck {
 public:
  struct Packet {
    std::uint32_t buffer = 0;  // whatever the owner knows it by
    std::uint32_t ip_bytes = 0;
    Timestamp arrived;
    bool may_mark = false;
  };
  struct Next {
    Packet packet;
    QueueFate fate = QueueFate::send;
  };

  // `rate`: how fast the wire takes them in the mean.
  Bottleneck(const LinkSpec& spec, ByteRate rate) { manage(spec, rate); }
  // Another management from now on; who waits goes on waiting.
  void manage(const LinkSpec& spec, ByteRate rate);

  // Whether packets wait here at all.
  bool managed() const { return !std::holds_alternative<std::monostate>(management_); }
  // What becomes of a packet that arrives; `u` in [0, 1) is its draw. What is not dropped is then pushed.
  QueueFate judge_arrival(bool may_mark, double u, Timestamp now);
  void push(const Packet& packet);

  bool empty() const { return first_ == packets_.size(); }
  std::size_t size() const { return packets_.size() - first_; }
  std::uint64_t bytes() const { return bytes_; }
  // REQUIRES: !empty().
  const Packet& front() const { return packets_[first_]; }
  // The wire is free for the packet at the head at `now`: takes it, to be sent, or to be dropped. REQUIRES: !empty().
  Next pop(Timestamp now);

 private:
  std::variant<std::monostate, Codel, Red> management_;
  bool ecn_ = false;
  std::vector<Packet> packets_;
  std::size_t first_ = 0;  // those before it are gone
  std::uint64_t bytes_ = 0;
};

}  // namespace mxp::netem
