#include "mxp-cat/standard_session.h"

#include <fmt/format.h>

#include <cstring>

#include "common/units.h"

namespace mxp::tools {

StandardSession::~StandardSession() {
  cancel_wait();
  unwatch_input();
  if (streams_ != nullptr) streams_->leave(*this);
}

// --- the stream

std::optional<StreamId> StandardSession::open_stream() {
  const auto id = connection_.open_stream(StreamType::bidirectional);
  if (!id) {
    end(AppCode::failed, "no stream allowed",
        fail(ErrorKind::network, fmt::format("{} allows no streams: is it mxp-cat?", peer())));
    return std::nullopt;
  }
  environment_.reporter.stream_opened(connection_, *id, Side::local);
  (void)connection_.write(*id, {});
  return *id;
}

void StandardSession::on_stream_reset(StreamId id, AppErrorCode code) {
  if (!is_ours(id)) return;
  environment_.reporter.reset(connection_, id, Side::peer, code);
  end(AppCode::failed, "the stream was reset",
      fail(ErrorKind::peer, fmt::format("{} reset the stream: {}", peer(), describe_app_code(code))));
}

void StandardSession::on_stop_sending(StreamId id, AppErrorCode code) {
  if (!is_ours(id)) return;
  environment_.reporter.reset(connection_, id, Side::peer, code);
  end(AppCode::failed, "the stream was stopped",
      fail(ErrorKind::peer, fmt::format("{} takes no more: {}", peer(), describe_app_code(code))));
}

void StandardSession::finish_stream(StreamId id) {
  if (!connection_.finish(id)) return;  // reset or closed: the event that says so decides
  environment_.reporter.fin(connection_, id, Side::local);
}

void StandardSession::wait_for_peer() {
  const auto& limit = environment_.options.wait_after_end;
  if (!limit) return;
  wait_timer_ = environment_.loop.at(environment_.loop.now() + *limit, [this, limit] {
    wait_timer_.reset();
    if (gone_) return;
    end(AppCode::waited_too_long, "waited too long for the end",
        fail(ErrorKind::timeout,
             fmt::format("{} did not {} within {} after our end (-q)", peer(), awaited(), format_duration(*limit))));
  });
}

void StandardSession::cancel_wait() {
  if (wait_timer_) environment_.loop.cancel(*wait_timer_);
  wait_timer_.reset();
}

// --- stdin

void StandardSession::begin_turn() {
  has_turn_ = true;
  if (streams_ == nullptr) return;
  streams_->input.lift_limit();
  streams_->output.when_drained([this] { on_output_drained(); });
}

bool StandardSession::ends_with_peer() const {
  switch (environment_.options.at_peer_end) {
    case AtPeerEnd::end_terminal: return streams_->input.is_terminal();
    case AtPeerEnd::read_on: return false;
    case AtPeerEnd::end: return true;
  }
  return false;
}

void StandardSession::watch_input() {
  if (watching_input_) return;
  watching_input_ = true;
  environment_.loop.watch(streams_->input.fd(), FdEvent::readable, [this] { read_input(); });
}

void StandardSession::unwatch_input() {
  if (!watching_input_) return;
  watching_input_ = false;
  environment_.loop.unwatch(streams_->input.fd());
}

void StandardSession::fail_input(int error) {
  end(AppCode::input_failed, "reading stdin failed",
      fail(ErrorKind::io, fmt::format("cannot read stdin: {}", std::strerror(error))));
}

// --- stdout

void StandardSession::on_output_drained() {
  if (gone_) return environment_.on_drained();
  if (streams_->output.error()) return fail_output();
  if (!ended()) on_output_room();
}

void StandardSession::fail_output() {
  if (gone_ || ended()) return;
  end(AppCode::output_failed, "cannot write its output", std::unexpected(*streams_->output.error()));
}

bool StandardSession::draining() const {
  return streams_ != nullptr && has_turn_ && !streams_->output.drained() && !streams_->output.error();
}

Result<void> StandardSession::after_drain(Result<void> result) {
  if (result && streams_->output.error()) return std::unexpected(*streams_->output.error());
  return result;
}

// --- the end

void StandardSession::note_closed() {
  unwatch_input();
  cancel_wait();
  gone_ = true;
}

}  // namespace mxp::tools
