// Several sinks in the place of one. An endpoint and an event loop take a single sink, or none: a fan-out of nothing is
// best left out.
//
//   TraceFanOut sinks;
//   sinks.add(*qlog);
//   sinks.add(metrics);
//   auto loop = EventLoop::create(socket, config, handler, &sinks);
#pragma once

#include <vector>

#include "mxp/trace.h"

#pragma GCC visibility push(default)
namespace mxp {

class TraceFanOut final : public TraceSink {
 public:
  // `sink` outlives this. All are added before the first event: what they want is asked at the beginning of a
  // connection.
  void add(TraceSink& sink) { sinks_.push_back({&sink, sink.wants_decisions()}); }
  bool empty() const { return sinks_.empty(); }

  // In the order in which they were added. Decisions go to those alone that want them.
  void on(Timestamp now, ConnectionId connection, const TraceEvent& event) override;
  bool wants_decisions() const override;
  bool wants_frames() const override;

 private:
  struct Member {
    TraceSink* sink;
    bool wants_decisions;
  };
  std::vector<Member> sinks_;
};

}  // namespace mxp
#pragma GCC visibility pop
