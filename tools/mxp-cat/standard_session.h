// What the sessions between stdin, stdout and the connection have in common: how a stream begins and breaks off, who
// reads stdin, and how output that fails or is slow ends things.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "mxp-cat/session.h"
#include "mxp-cat/standard_streams.h"

namespace mxp::tools {

class StandardSession : public Session, public TurnTaker {
 public:
  ~StandardSession() override;

  void on_stream_reset(StreamId id, AppErrorCode code) override;
  void on_stop_sending(StreamId id, AppErrorCode code) override;
  bool draining() const override;
  Result<void> after_drain(Result<void> result) override;

 protected:
  // `streams`: null where there is neither stdin nor stdout. Outlives this object.
  StandardSession(const SessionEnvironment& environment, Connection& connection, StandardStreams* streams)
      : Session(environment, connection), streams_(streams) {}

  // The client's stream, of which the peer learns although nothing is said yet: it may want to speak first. Nothing:
  // the peer allows none, and the session has ended.
  std::optional<StreamId> open_stream();
  // We have our turn: stdin and stdout are ours.
  void begin_turn();
  // As at_peer_end says, now that the peer's end has been seen.
  bool ends_with_peer() const;

  void watch_input();
  void unwatch_input();
  virtual void read_input() = 0;
  void fail_input(int error);

  // Whether what happens to this stream happens to the session.
  virtual bool is_ours(StreamId id) { return id == stream_; }
  // Our end of a stream goes out.
  void finish_stream(StreamId id);
  // Nothing more goes out from us: -q bounds the wait that begins now.
  void wait_for_peer();
  // What the peer did not do when that wait is over, as in "the peer did not ...".
  virtual std::string_view awaited() const = 0;

  // stdout has room again, and nothing has ended.
  virtual void on_output_room() = 0;
  virtual void fail_output();

  // To be called first when the connection has ended.
  void note_closed();

  StandardStreams* streams_;
  std::optional<StreamId> stream_;
  bool has_turn_ = false;
  bool gone_ = false;  // the connection has ended: it must not be touched any more

 private:
  void on_output_drained();
  void cancel_wait();

  bool watching_input_ = false;
  std::optional<std::uint64_t> wait_timer_;
};

}  // namespace mxp::tools
