// stdin to datagrams, datagrams to stdout. What arrives is written as it comes, and what is lost is counted.
//
// That there will be no more datagrams is told by a stream, which is not lost: the client opens one, no bytes go over
// it, and each side ends its direction when its stdin has ended and every datagram that it sent has been acknowledged
// or given up. So when both directions have ended, what has arrived by then is all that will.
//
//   stdin ends           datagrams under way are waited for, then our end of the stream; we read on until the peer's
//   the peer ends first  as for a pipe (pipe_session.h): a program or a file goes over to its end
//   stdout is too slow   what it has no room for is thrown away and counted, as nothing could hold the peer back
#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

#include "mxp-cat/framed_session.h"

namespace mxp::tools {

class DatagramSession : public FramedSession {
 public:
  DatagramSession(const SessionEnvironment& environment, Connection& connection, StandardStreams& streams);

  void on_connected() override;
  void on_stream_opened(StreamId id) override;
  std::size_t on_stream_data(StreamId id, ByteView data, bool fin) override;
  void on_stream_finished(StreamId id) override;
  void on_datagram(ByteView data) override;
  void on_datagram_outcome(DatagramOutcome outcome) override;
  void on_datagrams_writable() override;
  bool expects_goodbye() const override { return stream_.has_value() && connection_.role() == Role::server; }
  void on_goodbye() override;
  Result<void> on_closed(const CloseInfo& info) override;
  Progress progress() const override { return {.done = bytes_sent_ + bytes_received_}; }

  // stdin is ours.
  void take_turn() override;

 private:
  enum class OurEnd : std::uint8_t { open, sent, acknowledged };

  void start(StreamId id);
  std::size_t frame_limit() const override { return std::max<std::size_t>(connection_.max_datagram_size(), 1); }
  Sent send_frame(ByteView payload, std::uint64_t number) override;
  void on_input_ended() override { end_if_all_settled(); }
  void end_if_all_settled();
  std::string_view awaited() const override { return peer_ended_ ? "acknowledge it" : "end its side"; }
  void on_output_room() override { check_done(); }
  void check_done();

  OurEnd our_end_ = OurEnd::open;
  bool peer_ended_ = false;
  std::vector<std::uint8_t> line_;  // what came, with what ends it
  std::uint64_t sent_ = 0;
  std::uint64_t settled_ = 0;  // of those sent: acknowledged, lost, or dropped because the path carries less
  std::uint64_t bytes_sent_ = 0;
  std::uint64_t bytes_received_ = 0;
  std::uint64_t not_written_ = 0;  // datagrams that stdout had no room for
};

}  // namespace mxp::tools
