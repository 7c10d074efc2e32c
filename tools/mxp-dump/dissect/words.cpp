#include "mxp-dump/dissect/words.h"

#include <fmt/format.h>

#include <array>
#include <iterator>
#include <utility>
#include <variant>

namespace mxp::dump {
namespace {

struct FrameWord {
  std::string_view operator()(const PaddingFrame&) const { return "padding"; }
  std::string_view operator()(const PingFrame&) const { return "ping"; }
  std::string_view operator()(const AckFrame&) const { return "ack"; }
  std::string_view operator()(const ResetStreamFrame&) const { return "reset_stream"; }
  std::string_view operator()(const StopSendingFrame&) const { return "stop_sending"; }
  std::string_view operator()(const StreamFrame&) const { return "stream"; }
  std::string_view operator()(const MaxDataFrame&) const { return "max_data"; }
  std::string_view operator()(const MaxStreamDataFrame&) const { return "max_stream_data"; }
  std::string_view operator()(const MaxStreamsFrame&) const { return "max_streams"; }
  std::string_view operator()(const DataBlockedFrame&) const { return "data_blocked"; }
  std::string_view operator()(const StreamDataBlockedFrame&) const { return "stream_data_blocked"; }
  std::string_view operator()(const StreamsBlockedFrame&) const { return "streams_blocked"; }
  std::string_view operator()(const AckFrequencyFrame&) const { return "ack_frequency"; }
  std::string_view operator()(const ImmediateAckFrame&) const { return "immediate_ack"; }
  std::string_view operator()(const NewConnectionIdFrame&) const { return "new_connection_id"; }
  std::string_view operator()(const RetireConnectionIdFrame&) const { return "retire_connection_id"; }
  std::string_view operator()(const PathChallengeFrame&) const { return "path_challenge"; }
  std::string_view operator()(const PathResponseFrame&) const { return "path_response"; }
  std::string_view operator()(const DatagramFrame&) const { return "datagram"; }
  std::string_view operator()(const MessageFrame&) const { return "message"; }
  std::string_view operator()(const MessagePartFrame&) const { return "message_part"; }
  std::string_view operator()(const ExpiredFrame&) const { return "expired"; }
  std::string_view operator()(const MaxMessagesFrame&) const { return "max_messages"; }
  std::string_view operator()(const MessagesBlockedFrame&) const { return "messages_blocked"; }
  std::string_view operator()(const DrainFrame&) const { return "drain"; }
  std::string_view operator()(const CloseFrame&) const { return "close"; }
};

}  // namespace

std::string hex(ConnectionId id) {
  std::string text;
  for (const std::uint8_t byte : id.bytes()) fmt::format_to(std::back_inserter(text), "{:02x}", byte);
  return text;
}

std::string suite_word(std::uint8_t suite) {
  if (suite == static_cast<std::uint8_t>(Suite::chacha20_poly1305)) return "chacha20";
  if (suite == static_cast<std::uint8_t>(Suite::aes_256_gcm)) return "aes256";
  return fmt::format("unknown-{}", suite);
}

std::string_view direction_word(TrafficDirection direction) {
  return direction == TrafficDirection::client_to_server ? "client_to_server" : "server_to_client";
}

std::string_view protection_word(Protection protection) {
  switch (protection) {
    case Protection::none:
    case Protection::opened: return {};
    case Protection::no_key: return "no key";
    case Protection::key_misfit: return "key does not fit";
    case Protection::incomplete: return "incomplete";
    case Protection::damaged: return "damaged";
  }
  return {};
}

std::string_view state_word(DrainFrame::State state) {
  switch (state) {
    case DrainFrame::State::begins: return "begins";
    case DrainFrame::State::done: return "done";
    case DrainFrame::State::agrees: break;
  }
  return "agrees";
}

std::string_view frame_word(const Frame& frame) { return std::visit(FrameWord{}, frame); }

std::span<const std::string_view> frame_words() {
  static const auto kWords = []<std::size_t... I>(std::index_sequence<I...>) {
    return std::array{FrameWord{}(std::variant_alternative_t<I, Frame>{})...};
  }(std::make_index_sequence<std::variant_size_v<Frame>>());
  return kWords;
}

}  // namespace mxp::dump
