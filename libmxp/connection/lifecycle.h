// The life of a connection, and the only functions that move it along.
//
//   handshaking ──confirmed──► established ──close(), error──► closing ──peer's CLOSE, 8 PTO──► closed
//        │                         │
//        │                         └──── CLOSE received ─────► draining: one CLOSE in reply ──3 PTO──► closed
//        │    (and so does closing, where the peer's CLOSE comes before ours is out, or it breaks the rules of key updates)
//        ├── refused, peer's CLOSE ──────────────────────────► draining
//        ├── close(), error, time limit (client) ─► closing: a late message 2 is answered with CLOSE
//        │   (closing whose first CLOSE the socket never takes ─10 s─► closed)
//        └── never confirmed (server), idle ──────────────────────────────────► closed, without a word
//
// `ending` is what the application will be told. It is told once (`reported`), from a drive of the endpoint and never
// from inside one of its own calls.
#pragma once

#include <cstdint>
#include <optional>

#include "mxp/connection.h"
#include "mxp/error.h"
#include "mxp/time.h"

namespace mxp {

struct Parts;

struct Lifecycle {
  ConnectionState state = ConnectionState::handshaking;
  std::optional<CloseInfo> ending;
  bool reported = false;
  bool close_frame_due = false;  // closing, draining: the next packet is a CLOSE
  bool close_was_sent = false;
  bool close_went_back = false;  // it has gone to the path that we left, and has yet to go to the one in use
  std::uint64_t packets_since_close = 0;
  std::uint64_t answer_at_packet = 1;  // closing: doubles with each answer (threat t55)
  unsigned moves_answered = 0;         // closing
  Duration repeat_after{};             // closing: doubles with each CLOSE that goes out unasked
  Timestamp repeat_at = kNever;        // closing
  Timestamp discard_at = kNever;       // closing, draining: when the connection becomes closed
  Timestamp gives_up_at = kNever;      // the same while the socket has not taken our first CLOSE

  // Our choice: more than an honest client moves within eight probe timeouts, and a bound for one that is not.
  bool may_follow_while_closing() const { return moves_answered < 4; }
  // What answered the packets from the old address is lost there, so the distance of answers begins anew.
  void on_moved_while_closing() {
    ++moves_answered;
    answer_anew();
  }
  // Nobody has said that our CLOSE arrived: it goes once more, and what the peer sends from then on is answered as it
  // was at first.
  void repeat_close() {
    repeat_at = kNever;
    close_frame_due = true;
    answer_anew();
  }
  // The CLOSE that was due has had its turn, whether or not the limits of its path allowed one.
  void on_close_turn(Timestamp now) {
    close_frame_due = false;
    close_went_back = false;
    if (state != ConnectionState::closing || repeat_at != kNever) return;
    repeat_at = now + repeat_after;
    repeat_after *= 2;
  }

 private:
  void answer_anew() {
    packets_since_close = 0;
    answer_at_packet = 1;
  }
};

// Our side ends the connection: with the code of the application, or because the peer broke a rule.
void close_by_application(Parts& parts, AppErrorCode code, std::string_view reason);
void close_by_error(Parts& parts, const TransportError& error);
// The peer's CLOSE frame arrived; `reason` is its raw text.
void on_peer_close(Parts& parts, Timestamp now, bool application, std::uint64_t code, std::uint64_t frame_type,
                   ByteView reason);
// Ends the connection without sending a packet: idle timeout, handshake timeout, nobody listening.
void end_silently(Parts& parts, Timestamp now, CloseInfo::By by, TransportErrorCode code, std::string_view reason);

// What the application of either side is told of an end in order (drain.h).
inline constexpr std::string_view kDrainedReason = "drained";
// Both sides have agreed to the end, and the peer's CLOSE never came.
void end_drained(Parts& parts, Timestamp now);

// We are closing, and the peer's packets are not worth opening or answering any more. A CLOSE that is due still goes out,
// once. The end comes no later than it would have come anyway (threat t56).
void stop_listening(Parts& parts, Timestamp now);

// Starts the closing or draining period if it has not started yet. Called before a CLOSE is sent and on each drive that
// leaves none due, since not all of the verbs above know the time.
void arm_discard(Parts& parts, Timestamp now);
// While the socket takes no first CLOSE: bounds how long the end waits for it. Called on each drive that leaves
// one due.
void arm_giving_up(Parts& parts, Timestamp now);
// Traces the end. REQUIRES: it has ended.
void trace_closed(const Parts& parts, Timestamp now);
// Tells the application of the end, once. True if it was told now.
bool report_ending(Parts& parts, Timestamp now);

// The peer's text in a form that may be shown: control and formatting characters are escaped, and it is cut to 256
// bytes (threat t51).
std::string escape_reason(ByteView text);

}  // namespace mxp
