#include "crypto/key_log.h"

#include <array>
#include <charconv>
#include <optional>
#include <span>

namespace mxp {
namespace {

constexpr std::string_view kClientToServer = "MXP_C2S_TRAFFIC_SECRET_";
constexpr std::string_view kServerToClient = "MXP_S2C_TRAFFIC_SECRET_";

std::optional<std::uint8_t> hex_value(char digit) {
  if (digit >= '0' && digit <= '9') return static_cast<std::uint8_t>(digit - '0');
  if (digit >= 'a' && digit <= 'f') return static_cast<std::uint8_t>(digit - 'a' + 10);
  if (digit >= 'A' && digit <= 'F') return static_cast<std::uint8_t>(digit - 'A' + 10);
  return std::nullopt;
}

// False unless `text` is exactly out.size() bytes in hex.
bool parse_hex(std::string_view text, std::span<std::uint8_t> out) {
  if (text.size() != 2 * out.size()) return false;
  for (std::size_t i = 0; i < out.size(); ++i) {
    const auto high = hex_value(text[2 * i]);
    const auto low = hex_value(text[2 * i + 1]);
    if (!high || !low) return false;
    out[i] = static_cast<std::uint8_t>(*high << 4 | *low);
  }
  return true;
}

std::optional<std::uint32_t> parse_phase(std::string_view text) {
  std::uint32_t phase = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), phase);
  const bool leading_zero = text.size() > 1 && text.front() == '0';
  if (error != std::errc() || end != text.data() + text.size() || leading_zero) return std::nullopt;
  return phase;
}

}  // namespace

std::string_view to_string(KeyLogError error) {
  switch (error) {
    case KeyLogError::unknown_label:
      return "unknown label: expected MXP_C2S_TRAFFIC_SECRET_<phase> or MXP_S2C_TRAFFIC_SECRET_<phase>";
    case KeyLogError::bad_phase: return "bad key phase: expected a decimal number after the label";
    case KeyLogError::bad_connection_id: return "bad connection id: expected 16 hex digits";
    case KeyLogError::bad_secret: return "bad traffic secret: expected 64 hex digits";
    case KeyLogError::wrong_field_count:
      return "wrong number of fields: expected label, connection id and secret, one space between them";
  }
  return "unknown";
}

std::expected<KeyLogLine, KeyLogError> parse_key_log_line(std::string_view line) {
  std::array<std::string_view, 3> fields;
  for (std::size_t i = 0; i < fields.size(); ++i) {
    const std::size_t space = line.find(' ');
    const bool last = i + 1 == fields.size();
    if ((space == std::string_view::npos) != last) return std::unexpected(KeyLogError::wrong_field_count);
    fields[i] = line.substr(0, space);
    line.remove_prefix(last ? line.size() : space + 1);
  }
  KeyLogLine result;
  auto [label, id, secret] = fields;
  if (label.starts_with(kClientToServer)) result.direction = KeyLogLine::TrafficDirection::client_to_server;
  else if (label.starts_with(kServerToClient)) result.direction = KeyLogLine::TrafficDirection::server_to_client;
  else return std::unexpected(KeyLogError::unknown_label);
  const auto phase = parse_phase(label.substr(kClientToServer.size()));  // both labels have the same length
  if (!phase) return std::unexpected(KeyLogError::bad_phase);
  result.phase = *phase;
  ConnectionId::Bytes id_bytes;
  if (!parse_hex(id, id_bytes)) return std::unexpected(KeyLogError::bad_connection_id);
  result.destination = ConnectionId(id_bytes);
  if (!parse_hex(secret, result.secret.bytes())) return std::unexpected(KeyLogError::bad_secret);
  return result;
}

}  // namespace mxp
