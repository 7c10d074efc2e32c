// What kept a run from being faster, and by what one can see it. The evidence, in the order in which it is asked:
//
//   the rate that was asked for was kept      none: nothing kept it from more
//   the server's application held answers     peer
//   a thread that never slept                 that end's program; none where other processes had the processors. Of a
//                                             thread that spins (--busy-poll) nobody knows
//   the receiver's flow control held          the receiver's application: of the server peer, of the client tool
//   congestion control and pacing held,
//   or the round trip is most of a call,
//   or datagrams were lost on the way         network, if there is one in between
//   a server that sends had nothing to send   peer
//   the machine was too busy to judge         none
//   the sender was late by itself             tool
#pragma once

#include <string>
#include <string_view>

#include "mxp-perf/result.h"

namespace mxp::perf {

struct Judgement {
  Verdict verdict = Verdict::none;
  std::string reason;
};

// Whose programs the two ends are, and what is between them.
struct Setting {
  enum class Server : std::uint8_t { ours, a_peer };         // ours: both ends are this program's own
  enum class Between : std::uint8_t { nothing, a_network };  // nothing: loopback, without an emulated link
  Server server = Server::a_peer;
  Between between = Between::a_network;
  bool server_sends = false;  // bulk data flow to the client only
};

Judgement judge(const Result& result, const Setting& setting);

std::string_view to_string(Verdict verdict);

}  // namespace mxp::perf
