// What the calls of a connection have to tell. The connection implements this and hands each call on to the
// application, which may call any verb from inside.
#pragma once

#include "mxp/call.h"

namespace mxp {

class CallEvents {
 public:
  virtual ~CallEvents() = default;

  virtual void on_answer(const CallAnswer& answer) = 0;
  virtual void on_call(const IncomingCall& call) = 0;
  virtual void on_call_cancelled(IncomingCallId id, CallEnd end) = 0;
};

}  // namespace mxp
