#include "connection/client_handshake.h"

#include <algorithm>

#include "crypto/mac1.h"
#include "mxp/version.h"

namespace mxp {

std::optional<ClientHandshake> ClientHandshake::start(Timestamp now, const EndpointConfig& config,
                                                      std::span<const Suite> suites, const PublicKey& server_key,
                                                      ConnectionId client_id, Random& random) {
  const Suite suite = suites.front();
  std::vector<std::uint8_t> datagram(kMinInitialSize);
  Writer writer(datagram);
  if (!write_initial_header(writer, suite, client_id, {}, {})) return std::nullopt;

  // The prologue is everything before the Noise message (§2.1), so both sides mix it into h.
  IkInitiator noise(suite, config.identity, server_key, writer.so_far(), PrivateKey::generate(random));
  std::array<std::uint8_t, kMinInitialSize> payload_buffer;
  const std::size_t noise_size = kMinInitialSize - writer.written() - kMac1Size;
  const MutableBytes payload = MutableBytes(payload_buffer).first(noise_size - kIkMessage1Overhead);
  TransportParameters parameters = local_parameters(config.transport, suites, std::nullopt);
  if (!write_handshake_payload(payload, parameters, std::nullopt, &random)) return std::nullopt;
  const auto noise_written = noise.write_message_1(payload, writer.free_space().first(noise_size));
  if (!noise_written) return std::nullopt;
  writer.commit(*noise_written);
  const auto mac1 = Mac1Key(server_key).compute(writer.so_far());
  if (!writer.bytes(mac1)) return std::nullopt;

  ClientHandshake handshake(std::move(noise), suite);
  handshake.parameters_ = std::move(parameters);
  handshake.client_id_ = client_id;
  handshake.datagram_ = std::move(datagram);
  handshake.next_send_ = now;
  return handshake;
}

std::optional<ByteView> ClientHandshake::poll_datagram(Timestamp now) {
  if (now < next_send_) return std::nullopt;
  if (sent_count_ == 0) {
    first_sent_ = now;
  } else {
    interval_ *= 2;
  }
  ++sent_count_;
  next_send_ = now + interval_;
  return ByteView(datagram_);
}

auto ClientHandshake::read_response(Timestamp now, const ResponseHeader& header, MutableBytes payload_buffer) const
    -> std::expected<std::expected<Accepted, TransportError>, DropReason> {
  if (header.version != kWireVersion || header.suite != static_cast<std::uint8_t>(suite_) ||
      header.client_id != client_id_ || sent_count_ == 0)
    return std::unexpected(DropReason::unexpected_in_state);
  auto noise = noise_.read_message_2(header.noise_message, payload_buffer);
  if (!noise) return std::unexpected(DropReason::handshake_failed);

  auto payload = parse_handshake_payload(payload_buffer.first(noise->payload_size), Role::server);
  std::optional<Duration> round_trip;
  if (sent_count_ == 1) round_trip = std::max(now - first_sent_, Duration::zero());
  if (!payload) return std::expected<Accepted, TransportError>(std::unexpected(payload.error()));
  if (!is_best_common_choice(parameters_, payload->parameters, header.suite))
    return std::expected<Accepted, TransportError>(
        std::unexpected(TransportError{TransportErrorCode::downgrade, 0, "a better common version or suite exists"}));
  if (!payload->close && !payload->parameters.connection_id)
    return std::expected<Accepted, TransportError>(std::unexpected(
        TransportError{TransportErrorCode::transport_parameter_error, 0, "the server gave no connection id"}));
  return Accepted{std::move(*noise), std::move(*payload), round_trip};
}

}  // namespace mxp
