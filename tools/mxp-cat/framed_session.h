// What the sessions have in common that cut stdin into frames (frame_cutter.h) and send each by itself. What cannot be
// sent, because it is too large or cut short, ends our input; what stood before it still goes over, and then the run
// ends with that error.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "mxp-cat/frame_cutter.h"
#include "mxp-cat/standard_session.h"

namespace mxp::tools {

class FramedSession : public StandardSession {
 protected:
  enum class Sent : std::uint8_t {
    yes,
    no_room,  // what makes room calls read_input() again
    failed    // the session or its input has ended
  };

  // `unit`: what a frame becomes: "message", "datagram". `limit`: of a frame, in bytes.
  FramedSession(const SessionEnvironment& environment, Connection& connection, StandardStreams* streams,
                std::string_view unit, std::size_t limit)
      : StandardSession(environment, connection, streams), unit_(unit), cutter_(environment.options.framing, limit) {}

  // For a limit that changes.
  virtual std::size_t frame_limit() const { return cutter_.limit(); }
  // `number`: counted from 1.
  virtual Sent send_frame(ByteView payload, std::uint64_t number) = 0;
  // All frames were handed over, and no more will come; input_ended_ is set.
  virtual void on_input_ended() = 0;

  void read_input() override;
  // The peer has ended: our input does so too, if the user wants it so.
  void follow_peers_end();
  // Ends our input with this error.
  void stop_input(ToolError error);
  // How a run ends of which everything else went well.
  Result<void> verdict() const;

  bool input_ended_ = false;

 private:
  Sent send_input();
  void end_input();

  std::string_view unit_;
  FrameCutter cutter_;
  std::optional<ToolError> input_error_;
  std::vector<std::uint8_t> chunk_;
};

}  // namespace mxp::tools
