// stdin to a stream, the stream to stdout: the end-of-stream contract.
//
//   stdin ends           our end of stream; we read on until the peer's
//   the peer ends first  stdin from a pipe or a file goes over to its end, as nothing that a program wrote may be lost.
//                        A terminal, or any stdin with --end-together: what has already arrived goes over, then we end
//   the peer stops       STOP_SENDING, RESET and CLOSE end the session, with their codes
//   done                 our end is acknowledged, the peer's is seen, and stdout has everything: the client says
//                        goodbye, the listener closes
#pragma once

#include <optional>
#include <vector>

#include "common/digest.h"
#include "mxp-cat/standard_session.h"

namespace mxp::tools {

class PipeSession : public StandardSession {
 public:
  PipeSession(const SessionEnvironment& environment, Connection& connection, StandardStreams& streams);

  void on_connected() override;
  void on_stream_opened(StreamId id) override;
  std::size_t on_stream_data(StreamId id, ByteView data, bool fin) override;
  void on_stream_writable(StreamId id) override;
  void on_stream_finished(StreamId id) override;
  bool expects_goodbye() const override { return stream_.has_value() && connection_.role() == Role::server; }
  void on_goodbye() override;
  Result<void> on_closed(const CloseInfo& info) override;
  Progress progress() const override;

  // stdin and stdout are ours.
  void take_turn() override;

 private:
  enum class OurEnd : std::uint8_t { open, sent, acknowledged };

  void start(StreamId id);

  void read_input() override;
  bool write_pending();  // false: the stream takes no more now
  void on_input_end();
  void send_end();

  void on_peer_end();
  std::string_view awaited() const override { return peer_ended_ ? "acknowledge it" : "end its side"; }
  void on_output_room() override;
  void fail_output() override;
  void check_done();
  void print_conclusion();

  bool input_ended_ = false;
  bool sent_any_ = false;
  OurEnd our_end_ = OurEnd::open;
  bool peer_ended_ = false;
  std::vector<std::uint8_t> chunk_;  // of stdin; what lies between the marks is still to be written
  std::size_t pending_begin_ = 0;
  std::size_t pending_end_ = 0;
  std::uint64_t bytes_received_ = 0;  // taken for stdout
  std::optional<Sha256> sent_digest_;
  std::optional<Sha256> received_digest_;
};

}  // namespace mxp::tools
