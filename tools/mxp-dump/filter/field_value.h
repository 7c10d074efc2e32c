// One value of a field of a packet, as the field table hands it out, without any memory of its own.
#pragma once

#include <cstdint>
#include <string_view>

#include "mxp/address.h"

namespace mxp::dump {

enum class FieldType : std::uint8_t {
  flag,      // printed as 1, and as nothing where it is false
  boolean,   // printed as 1 or 0
  number,    // an unsigned integer
  time,      // nanoseconds since 1970
  duration,  // nanoseconds
  text,
  word,          // text out of a known set
  id,            // eight bytes, in hexadecimal
  ip,            // an address without a port
  endpoint,      // an address with its port
  range,         // of packet numbers, both ends included
  packet_times,  // a packet number and a time in microseconds
};
std::string_view to_string(FieldType type);

struct FieldValue {
  std::uint64_t number = 0;        // flag, boolean, number, time, duration; id: its bytes, the first one highest
  std::uint64_t last = 0;          // range: the other end; packet_times: the time
  std::string_view text;           // text, word: valid during the call
  const SocketAddress* address{};  // ip, endpoint: valid during the call
};

class ValueSink {
 public:
  virtual void take(const FieldValue& value) = 0;

 protected:
  ~ValueSink() = default;
};

}  // namespace mxp::dump
