// What a packet carried, as values that are kept with the packet. When the packet is acknowledged or lost, each of them
// goes back to the part that wrote it (connection/settle.cpp).
#pragma once

#include <cstdint>

#include "mxp/ids.h"

namespace mxp {

struct SentFrame {
  enum class Kind : std::uint8_t {
    ping,
    ack,                   // value: the largest packet number acknowledged
    stream,                // stream, value: offset, length, fin
    reset_stream,          // stream
    stop_sending,          // stream
    max_data,              // value: the limit
    max_stream_data,       // stream, value: the limit
    max_streams_bidi,      // value: the limit
    max_streams_uni,       // value: the limit
    data_blocked,          // value: the limit
    stream_data_blocked,   // stream, value: the limit
    streams_blocked_bidi,  // value: the limit
    streams_blocked_uni,   // value: the limit
    ack_frequency,         // value: the sequence
    immediate_ack,         // its loss is no news
    new_connection_id,     // value: the sequence
    retire_connection_id,  // value: the sequence
    datagram,              // length
    datagram_with_cookie,  // length, value: the cookie, which may be any number
    message,               // value: the first sequence; length: how many follow each other, itself included
    message_part,          // value: offset, length; stream: the sequence, as if the message were a stream
    expired,               // as message
    max_messages,          // value: the byte limit; length: the window
    messages_blocked,      // value: the byte limit
    drain,                 // value: the state
    path_challenge,        // its loss is no news: challenges have a timer of their own
    path_response,         // its loss is no news: the peer asks again
  };
  Kind kind = Kind::ping;
  bool fin = false;
  bool retransmitted = false;  // a probe carried it again already: only its acknowledgement is still news
  std::uint32_t length = 0;
  StreamId stream;
  std::uint64_t value = 0;
};

}  // namespace mxp
