#include "scheduler/connection_credit.h"

#include "core/frame_writer.h"

namespace mxp {

void ConnectionCredit::raise(std::uint64_t limit) {
  if (credit_.raise(limit)) blocked_pending_ = false;
}

void ConnectionCredit::note_blocked() {
  if (credit_.available() == 0 && credit_.note_blocked()) blocked_pending_ = true;
}

std::expected<void, TransportError> ConnectionCredit::on_received(std::uint64_t fresh, std::uint64_t frame_type) {
  received_ += fresh;
  if (received_ > window_.limit())
    return std::unexpected(
        TransportError{TransportErrorCode::flow_control_error, frame_type, "data beyond the connection's limit"});
  return {};
}

void ConnectionCredit::consume(std::uint64_t count) {
  window_.consume(count, now_, smoothed_rtt_);
  if (window_.raise_due()) max_data_pending_ = true;
}

void ConnectionCredit::on_frame(const DataBlockedFrame& frame) {
  window_.on_peer_blocked(frame.limit);
  if (window_.raise_due()) max_data_pending_ = true;
}

void ConnectionCredit::write_frames(Writer& out, SentFrameSink sent) {
  // The limit is raised and told only if its longest form fits, because it must not be raised without being told.
  constexpr std::size_t kLongest = 1 + 8;
  if (max_data_pending_ && out.space() >= kLongest) {
    const MaxDataFrame frame{window_.raise()};
    write_frame(out, frame);
    sent({.kind = SentFrame::Kind::max_data, .value = frame.limit});
    max_data_pending_ = false;
  }
  if (blocked_pending_ && write_frame(out, DataBlockedFrame{credit_.limit()})) {
    sent({.kind = SentFrame::Kind::data_blocked, .value = credit_.limit()});
    blocked_pending_ = false;
  }
}

void ConnectionCredit::on_max_data_lost(std::uint64_t limit) {
  if (limit == window_.limit()) max_data_pending_ = true;
}

void ConnectionCredit::on_data_blocked_lost(std::uint64_t limit) {
  if (credit_.still_blocked_at(limit)) blocked_pending_ = true;
}

}  // namespace mxp
