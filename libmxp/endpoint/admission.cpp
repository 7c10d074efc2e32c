#include "endpoint/admission.h"

#include <algorithm>

namespace mxp {

namespace {

std::optional<Suite> find_suite(const EndpointConfig& config, std::uint8_t number) {
  const auto found = std::find_if(config.suites.begin(), config.suites.end(),
                                  [&](Suite suite) { return static_cast<std::uint8_t>(suite) == number; });
  return found == config.suites.end() ? std::nullopt : std::optional(*found);
}

ResponseCache::Mac1 mac1_of(const InitialHeader& header) {
  ResponseCache::Mac1 mac1;
  std::copy(header.mac1.begin(), header.mac1.end(), mac1.begin());
  return mac1;
}

AdmissionResult drop(DropReason reason) { return {.dropped = reason}; }

CloseFrame refusal(TransportErrorCode code, std::string_view reason) {
  CloseFrame frame;
  frame.code = static_cast<std::uint64_t>(code);
  frame.reason = ByteView(reinterpret_cast<const std::uint8_t*>(reason.data()), reason.size());
  return frame;
}

}  // namespace

Admission::Admission(const EndpointConfig& config, Random& random, std::uint64_t hash_key)
    : config_(config),
      ever_accepted_(config.accept),
      random_(random),
      mac1_key_(config.identity.public_key()),
      budget_(config.limits.max_fruitless_handshakes, hash_key),
      // Twice the half-open limit, because the answers to clients that have confirmed meanwhile are remembered as well.
      admitted_(2 * config.limits.max_half_open, config.transport.handshake_timeout, hash_key),
      refused_(config.limits.max_half_open, config.transport.handshake_timeout, hash_key) {}

AdmissionResult Admission::screen(const ReceivedDatagram& datagram, const InitialHeader& header) {
  if (!ever_accepted_) return drop(DropReason::not_accepting);
  if (datagram.bytes.size() < kMinInitialSize || datagram.bytes.size() > kMaxInitialSize)
    return drop(DropReason::wrong_size);
  if (!mac1_key_.verify(datagram.bytes)) return drop(DropReason::bad_mac1);

  // The answer is no longer than the datagram that asked for it, so it amplifies nothing, whatever the source (threat
  // t17).
  const ResponseCache::Mac1 mac1 = mac1_of(header);
  ResponseCache::Entry* known = admitted_.find(mac1);
  if (known == nullptr) known = refused_.find(mac1);
  if (known != nullptr) {
    if (!known->take_answer(datagram.remote)) return drop(DropReason::wrong_path);
    return {.answer = known->datagram, .answer_id = known->server_id, .answered_before = true};
  }
  // A client that was let in before that has its answer repeated above.
  if (!config_.accept) return drop(DropReason::not_accepting);
  if (!find_suite(config_, header.suite)) return drop(DropReason::unknown_version);
  return {};
}

AdmissionResult Admission::on_initial(Timestamp now, const ReceivedDatagram& datagram, const InitialHeader& header,
                                      const ConnectionBudget& room, ConnectionId server_id, EndpointStats& stats) {
  const auto suite = find_suite(config_, header.suite);
  if (!suite) return drop(DropReason::unknown_version);
  if (!budget_.take(now, datagram.remote)) return drop(DropReason::handshake_rate);
  ++stats.handshakes_started;
  stats.public_key_operations += kX25519PerIkMessage;
  IkResponder noise(*suite, config_.identity, header.prologue);
  std::array<std::uint8_t, kMaxInitialSize> payload_buffer;
  const auto message_1 = noise.read_message_1(header.noise_message, payload_buffer);
  if (!message_1)
    return drop(message_1.error() == NoiseError::low_order_key ? DropReason::bad_low_order_key
                                                               : DropReason::handshake_failed);

  // The client is authenticated. From here on it is told of a failure by an answer, which is authenticated as well.
  std::optional<CloseFrame> close;
  const auto payload =
      parse_handshake_payload(MutableBytes(payload_buffer).first(message_1->payload_size), Role::client);
  TransportParameters ours = local_parameters(config_.transport, config_.suites, std::nullopt);
  if (!payload) close = refusal(payload.error().code, payload.error().reason);
  else if (!is_best_common_choice(payload->parameters, ours, header.suite))
    close = refusal(TransportErrorCode::downgrade, "a better common version or suite exists");
  else if (config_.authorize && !config_.authorize(message_1->rs))
    close = refusal(TransportErrorCode::not_authorized, "this key is not authorized here");
  else if (const auto no_room = room.refusal(message_1->rs)) {
    close = refusal(TransportErrorCode::connection_refused, *no_room);
    ++stats.handshakes_refused_for_room;
  } else ours.connection_id = server_id;
  if (close) ++stats.handshakes_refused;

  std::vector<std::uint8_t> answer(kMinInitialSize);
  Writer writer(answer);
  std::array<std::uint8_t, kMinInitialSize> out_payload;
  if (!write_response_header(writer, *suite, header.client_id)) return drop(DropReason::handshake_failed);
  const MutableBytes plaintext = MutableBytes(out_payload).first(writer.space() - kIkMessage2Overhead);
  if (!write_handshake_payload(plaintext, ours, close, &random_)) return drop(DropReason::handshake_failed);
  stats.public_key_operations += kX25519PerIkMessage + kX25519PerKeyPair;
  auto message_2 = noise.write_message_2(plaintext, PrivateKey::generate(random_), writer.free_space());
  if (!message_2) return drop(DropReason::bad_low_order_key);

  AdmissionResult result;
  if (!close) result.answer_id = server_id;
  (close ? refused_ : admitted_).insert(now, mac1_of(header), datagram.remote, answer, result.answer_id);
  result.answer = std::move(answer);
  if (close) result.refused = {static_cast<TransportErrorCode>(close->code), message_1->rs};
  if (!close)
    result.admitted = AdmittedClient{
        std::move(message_2->result), payload->parameters, message_1->rs, *suite, header.client_id, server_id};
  return result;
}

}  // namespace mxp
