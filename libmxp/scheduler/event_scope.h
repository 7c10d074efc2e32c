// Counts the events that the application is being told of now. While there are any, the application is on the call
// stack and may be looking at memory of a stream.
#pragma once

namespace mxp {

class EventScope {
 public:
  explicit EventScope(unsigned& depth) : depth_(depth) { ++depth_; }
  ~EventScope() { --depth_; }
  EventScope(const EventScope&) = delete;
  EventScope& operator=(const EventScope&) = delete;

 private:
  unsigned& depth_;
};

}  // namespace mxp
