// Calculates when a packet has left the wire. There is one sender for all flows of a link: it takes time for each
// packet (`rate`), sends at the opportunities of a recorded link (`trace`), or sends in bursts (`slot`). Packets come
// in the order in which they were offered, each with the time at which it is ready, and get the time at which their
// last bit has been sent.
#pragma once

#include <cstdint>

#include "mxp/rate.h"
#include "mxp/time.h"
#include "netem/delivery_trace.h"
#include "netem/draws.h"
#include "netem/spec.h"

namespace mxp::netem {

class Serializer {
 public:
  // Copies what it needs of `spec`.
  Serializer(const LinkSpec& spec, std::uint64_t seed, std::uint32_t direction);

  // Another wire from now on, which is busy as long as this one. A trace that stays goes on where it is.
  void change(const LinkSpec& spec);
  // The wire is another one, which is free.
  void free_wire() { wire_free_ = Timestamp::min(); }

  // When the wire begins with a packet that is ready at `ready`, after those before it.
  Timestamp start(Timestamp ready, Timestamp link_start) const;
  // `link_start` is the first offer to the link: where a trace begins.
  Timestamp departure(Timestamp ready, std::uint64_t ip_bytes, Timestamp link_start);

 private:
  Duration time_on_wire(std::uint64_t ip_bytes) const;
  Timestamp through_slots(Timestamp ready, std::uint64_t ip_bytes);
  Duration draw_slot_wait();

  ByteRate rate_;
  LinkSpec::Framing framing_;
  LinkSpec::Slot slot_;
  DeliveryTrace trace_;
  FlowDraws draws_;

  Timestamp wire_free_ = Timestamp::min();
  Timestamp slot_opens_ = Timestamp::min();
  std::uint64_t slot_index_ = 0;
  std::uint64_t packets_left_ = 0;
  std::uint64_t bytes_left_ = 0;
};

}  // namespace mxp::netem
