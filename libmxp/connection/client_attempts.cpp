#include "connection/client_attempts.h"

#include <algorithm>

namespace mxp {

std::optional<ClientAttempts> ClientAttempts::start(Timestamp now, const EndpointConfig& config,
                                                    const PublicKey& server_key, ConnectionId client_id,
                                                    Random& random) {
  ClientAttempts attempts(config, server_key, random);
  attempts.gives_up_at_ = now + config.transport.handshake_timeout;
  if (!attempts.begin(now, config.suites.front(), client_id)) return std::nullopt;
  return attempts;
}

bool ClientAttempts::begin(Timestamp now, Suite suite, ConnectionId client_id) {
  // The list begins with this suite. Otherwise a server that also supports a suite in front of it would have to call
  // the handshake a downgrade.
  std::vector<Suite> suites = config_->suites;
  const auto found = std::find(suites.begin(), suites.end(), suite);
  std::rotate(suites.begin(), found, found + 1);
  tried_.push_back(suite);
  next_suite_at_ = kNever;
  auto handshake = ClientHandshake::start(now, *config_, suites, server_key_, client_id, *random_);
  if (!handshake) return false;
  attempts_.push_back(std::move(*handshake));
  return true;
}

std::optional<Suite> ClientAttempts::next_suite() const {
  const auto& suites = config_->suites;
  const auto found = std::find_if(suites.begin(), suites.end(), [&](Suite suite) {
    return std::find(tried_.begin(), tried_.end(), suite) == tried_.end();
  });
  return found == suites.end() ? std::nullopt : std::optional(*found);
}

void ClientAttempts::begin_next(Timestamp now, ConnectionId client_id) {
  next_suite_at_ = kNever;
  if (const auto suite = next_suite()) begin(now, *suite, client_id);
}

std::optional<ClientAttempts::Due> ClientAttempts::poll_datagram(Timestamp now) {
  for (ClientHandshake& attempt : attempts_) {
    const auto message_1 = attempt.poll_datagram(now);
    if (!message_1) continue;
    const bool repeated = attempt.sent_count() > 1;
    // The wait begins when message 1 is sent, so that a socket that was full for a while does not shorten it.
    if (!repeated && next_suite()) next_suite_at_ = now + kNextSuiteAfter;
    return Due{*message_1, attempt.client_id(), repeated};
  }
  return std::nullopt;
}

Timestamp ClientAttempts::deadline() const {
  Timestamp next = next_suite_at_;
  for (const ClientHandshake& attempt : attempts_) next = std::min(next, attempt.deadline());
  return next;
}

const ClientHandshake* ClientAttempts::find(ConnectionId client_id) const {
  const auto found = std::find_if(attempts_.begin(), attempts_.end(),
                                  [&](const ClientHandshake& attempt) { return attempt.client_id() == client_id; });
  return found == attempts_.end() ? nullptr : &*found;
}

bool ClientAttempts::outlives_full_server(ConnectionId client_id, ByteView reason) {
  std::erase_if(attempts_, [&](const ClientHandshake& attempt) { return attempt.client_id() == client_id; });
  server_was_full_.emplace(reason.begin(), reason.end());
  return !attempts_.empty();
}

}  // namespace mxp
