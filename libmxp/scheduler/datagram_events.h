// What the datagrams of a connection have to tell. The connection hands each call on to the application, which may call
// any verb of Datagrams from inside.
#pragma once

#include <cstdint>

#include "mxp/datagram.h"

namespace mxp {

class DatagramEvents {
 public:
  virtual ~DatagramEvents() = default;

  // Told once at most for each datagram that was taken with a cookie.
  virtual void on_datagram_outcome(std::uint64_t cookie, DatagramOutcome outcome) = 0;
  // There is room for the datagram that DatagramPolicy::block refused last.
  virtual void on_datagrams_writable() = 0;
};

}  // namespace mxp
