#include "mxp-cat/echo_session.h"

namespace mxp::tools {

void EchoSession::on_stream_opened(StreamId id) {
  environment_.reporter.stream_opened(connection_, id, Side::peer);
  if (id.type() == StreamType::bidirectional) active_.insert(id);
}

std::size_t EchoSession::on_stream_data(StreamId id, ByteView data, bool fin) {
  if (id.type() == StreamType::unidirectional) return data.size();  // no way back
  std::size_t taken = 0;
  if (!data.empty()) {
    const auto written = connection_.write(id, data);
    if (!written) return data.size();  // the way back was stopped: on_stop_sending has seen to it
    taken = *written;
  }
  if (fin && taken == data.size()) {
    environment_.reporter.fin(connection_, id, Side::peer);
    (void)connection_.finish(id);
    active_.erase(id);
  }
  return taken;
}

void EchoSession::on_stream_reset(StreamId id, AppErrorCode code) {
  environment_.reporter.reset(connection_, id, Side::peer, code);
  (void)connection_.reset(id, code);
  active_.erase(id);
}

void EchoSession::on_stop_sending(StreamId id, AppErrorCode code) {
  environment_.reporter.reset(connection_, id, Side::peer, code);
  (void)connection_.stop_sending(id, code);
  active_.erase(id);
}

void EchoSession::on_goodbye() {
  if (active_.empty()) end(AppCode::done, "done", {});
}

void EchoSession::on_stream_writable(StreamId id) { (void)connection_.resume(id); }

Result<void> EchoSession::on_closed(const CloseInfo& info) {
  if (!ended() && says_done(info)) return {};
  return Session::on_closed(info);
}

}  // namespace mxp::tools
