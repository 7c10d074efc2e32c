// stdin to a stream, the stream to stdout: the end-of-stream contract.
//   stdin ends          → our end of stream; we read on until the peer's
//   the peer ends first → we send what has already arrived on stdin, end, and are done (--half-close: we go on to
//   stdin's end).
//                         A peer that said nothing at all, such as a listener with stdin from /dev/null, has not
//                         answered: what a program is writing to our stdin goes over as long as it keeps writing
//   done                → our end is acknowledged, the peer's is seen, and stdout has everything: the client says
//   goodbye, the
//                         listener closes
#pragma once

#include <deque>
#include <optional>
#include <vector>

#include "common/digest.h"
#include "mxp-cat/session.h"
#include "mxp-cat/standard_input.h"
#include "mxp-cat/standard_output.h"

namespace mxp::tools {

class PipeSession;

// stdin and stdout, which one connection has at a time; later ones (--keep-open) wait for their turn with their data
// unread.
struct StandardStreams {
  explicit StandardStreams(EventLoop& loop) : output(loop) {}

  StandardInput input;
  StandardOutput output;
  PipeSession* owner = nullptr;
  std::deque<PipeSession*> waiting;
};

class PipeSession : public Session {
 public:
  PipeSession(const SessionEnvironment& environment, Connection& connection, StandardStreams& streams);
  ~PipeSession() override;

  void on_connected() override;
  void on_stream_opened(StreamId id) override;
  std::size_t on_stream_data(StreamId id, ByteView data, bool fin) override;
  void on_stream_reset(StreamId id, AppErrorCode code) override;
  void on_stop_sending(StreamId id, AppErrorCode code) override;
  void on_stream_writable(StreamId id) override;
  void on_stream_finished(StreamId id) override;
  bool expects_goodbye() const override { return stream_.has_value() && connection_.role() == Role::server; }
  void on_goodbye() override;
  Result<void> on_closed(const CloseInfo& info) override;
  bool draining() const override;
  Result<void> after_drain(Result<void> result) override;

 private:
  enum class OurEnd : std::uint8_t { open, sent, acknowledged };

  void start(StreamId id);
  void take_turn();
  void release_turn();

  void read_input();
  bool write_pending();  // false: the stream takes no more now
  void on_input_end();
  void watch_input();
  void unwatch_input();
  void send_end();

  void on_peer_end();
  void stop_reading_soon();
  void stop_reading();
  void on_output_drained();
  void fail_output();
  void check_done();
  void print_conclusion();

  StandardStreams& streams_;
  std::optional<StreamId> stream_;
  bool has_turn_ = false;
  bool watching_input_ = false;
  bool input_ended_ = false;
  bool sent_any_ = false;
  bool received_any_ = false;
  bool cut_short_ = false;  // the peer's end made us stop before stdin's
  OurEnd our_end_ = OurEnd::open;
  bool peer_ended_ = false;
  bool gone_ = false;                // the connection has ended: it must not be touched any more
  std::vector<std::uint8_t> chunk_;  // of stdin; what lies between the marks is still to be written
  std::size_t pending_begin_ = 0;
  std::size_t pending_end_ = 0;
  std::optional<std::uint64_t> wait_timer_;
  std::optional<std::uint64_t> pause_timer_;
  Timestamp last_input_{};
  std::optional<Sha256> sent_digest_;
  std::optional<Sha256> received_digest_;
};

}  // namespace mxp::tools
