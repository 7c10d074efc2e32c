// stdin's frames dealt over several streams, and the frames of all streams to stdout, each whole and as it comes. What
// is lost on the way holds up one stream, and the frames of the others pass it: their order is kept within a stream
// only.
//
// The client opens the streams, and the listener answers on them. How many there will be the listener is not told, and
// the last may come late; so it is the client who sees that all is done:
//
//   the client's end of a stream    its stdin has ended, and what was dealt to the stream is written
//   the listener's                  the same, and the client's end of this stream was seen, and all is on its stdout
//   goodbye                         the client has seen the listener's end of every stream: the listener closes
#pragma once

#include <cstdint>
#include <vector>

#include "mxp-cat/framed_session.h"

namespace mxp::tools {

class StreamsSession : public FramedSession {
 public:
  StreamsSession(const SessionEnvironment& environment, Connection& connection, StandardStreams& streams);

  void on_connected() override;
  void on_stream_opened(StreamId id) override;
  std::size_t on_stream_data(StreamId id, ByteView data, bool fin) override;
  void on_stream_writable(StreamId id) override;
  bool expects_goodbye() const override { return !lanes_.empty() && connection_.role() == Role::server; }
  void on_goodbye() override;
  Result<void> on_closed(const CloseInfo& info) override;
  Progress progress() const override { return {.done = bytes_sent_ + bytes_received_}; }
  void take_turn() override;

 private:
  struct Lane {
    Lane(StreamId stream, Framing framing);

    StreamId id;
    std::vector<std::uint8_t> unwritten;  // of a frame that the stream had no room for
    bool our_end_sent = false;
    FrameCutter arrived;
    bool held_up = false;  // stdout had no room for what arrived
    bool peer_ended = false;
  };

  void add_lane(StreamId id);
  Lane* find(StreamId id);
  bool is_ours(StreamId id) override { return find(id) != nullptr; }

  Sent send_frame(ByteView payload, std::uint64_t number) override;
  void on_input_ended() override { check_done(); }
  // Whether nothing is left unwritten.
  bool write(Lane& lane);

  // Hands what is whole to stdout, as far as that has room.
  void print(Lane& lane);
  void refuse_frame(const std::string& what);
  void on_output_room() override;
  std::string_view awaited() const override { return "end all streams"; }

  void check_done();
  bool is_printed(const Lane& lane) const { return lane.peer_ended && !lane.held_up && streams_->output.drained(); }
  bool all_ended() const;

  std::vector<Lane> lanes_;
  std::size_t next_ = 0;  // the lane that gets the next frame, if it has room
  bool waiting_ = false;  // all our ends are sent: -q counts
  std::vector<std::uint8_t> framed_;
  std::uint64_t bytes_sent_ = 0;
  std::uint64_t bytes_received_ = 0;
};

}  // namespace mxp::tools
