#include "mxp-dump/output/json_output.h"

#include <fmt/format.h>

#include <array>
#include <iterator>

#include "common/escape.h"
#include "common/message_names.h"
#include "message/body.h"
#include "mxp-dump/dissect/words.h"

namespace mxp::dump {
namespace {

// The text holds no control characters and no malformed UTF-8 any more (tools::escape): two characters are left to
// quote.
std::string json_string(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') out += '\\';
    out += c;
  }
  return out += '"';
}

struct FrameJson {
  std::back_insert_iterator<std::string> out;

  template <typename... Args>
  void add(fmt::format_string<Args...> format, Args&&... args) {
    fmt::format_to(out, format, std::forward<Args>(args)...);
  }
  // In the object of the frame that ORDERED stands before.
  void add_order(const std::optional<OrderLink>& order) {
    if (order) add(R"(,"channel":"{}","distance":{})", tools::name_of(order->channel), order->distance);
  }
  static std::string_view ways(StreamType type) {
    return type == StreamType::bidirectional ? "bidirectional" : "unidirectional";
  }

  void operator()(const PaddingFrame& frame) { add(R"(,"length":{})", frame.length); }
  void operator()(const PingFrame&) {}
  void operator()(const AckFrame& frame) {
    add(R"(,"largest":{},"delay_us":{},"ranges":[)", frame.largest.value(),
        std::chrono::duration_cast<std::chrono::microseconds>(frame.delay).count());
    std::string_view separator;
    for (const AckRange& range : frame.ranges) {
      add("{}[{},{}]", separator, range.first.value(), range.last.value());
      separator = ",";
    }
    add("]");
    if (frame.ecn) add(R"(,"ect0":{},"ect1":{},"ce":{})", frame.ecn->ect0, frame.ecn->ect1, frame.ecn->ce);
    if (!frame.times) return;
    add(R"(,"receive_times_us":[)");
    separator = {};
    for (const ReceiveTime& time : *frame.times) {
      add("{}[{},{}]", separator, time.number.value(),
          std::chrono::duration_cast<std::chrono::microseconds>(time.at).count());
      separator = ",";
    }
    add("]");
  }
  void operator()(const ResetStreamFrame& frame) {
    add(R"(,"stream_id":{},"error_code":{},"final_size":{})", frame.stream.value(), frame.code, frame.final_size);
  }
  void operator()(const StopSendingFrame& frame) {
    add(R"(,"stream_id":{},"error_code":{})", frame.stream.value(), frame.code);
  }
  void operator()(const StreamFrame& frame) {
    add(R"(,"stream_id":{},"offset":{},"length":{},"fin":{})", frame.stream.value(), frame.offset, frame.data.size(),
        frame.fin);
  }
  void operator()(const MaxDataFrame& frame) { add(R"(,"limit":{})", frame.limit); }
  void operator()(const MaxStreamDataFrame& frame) {
    add(R"(,"stream_id":{},"limit":{})", frame.stream.value(), frame.limit);
  }
  void operator()(const MaxStreamsFrame& frame) {
    add(R"(,"direction":"{}","limit":{})", ways(frame.type), frame.limit);
  }
  void operator()(const DataBlockedFrame& frame) { add(R"(,"limit":{})", frame.limit); }
  void operator()(const StreamDataBlockedFrame& frame) {
    add(R"(,"stream_id":{},"limit":{})", frame.stream.value(), frame.limit);
  }
  void operator()(const StreamsBlockedFrame& frame) {
    add(R"(,"direction":"{}","limit":{})", ways(frame.type), frame.limit);
  }
  void operator()(const AckFrequencyFrame& frame) {
    add(R"(,"sequence":{},"threshold":{},"max_ack_delay_us":{},"reordering_threshold":{})", frame.sequence,
        frame.threshold, std::chrono::duration_cast<std::chrono::microseconds>(frame.max_ack_delay).count(),
        frame.reordering_threshold);
  }
  void operator()(const ImmediateAckFrame&) {}
  void operator()(const NewConnectionIdFrame& frame) {
    add(R"(,"sequence":{},"retire_prior_to":{},"connection_id":"{}")", frame.sequence, frame.retire_prior_to,
        hex(frame.id));
  }
  void operator()(const RetireConnectionIdFrame& frame) { add(R"(,"sequence":{})", frame.sequence); }
  void operator()(const PathChallengeFrame& frame) { add(R"(,"data":"{}")", hex(ConnectionId(frame.data))); }
  void operator()(const PathResponseFrame& frame) { add(R"(,"data":"{}")", hex(ConnectionId(frame.data))); }
  void operator()(const DatagramFrame& frame) { add(R"(,"length":{})", frame.data.size()); }
  void operator()(const MessageFrame& frame) {
    add(R"(,"sequence":{},"compact":{},"length":{})", frame.sequence, frame.form == MessageFrame::Form::compact,
        frame.body.size());
    add_order(frame.order);
    const auto message = decode_body(frame.form, frame.body);
    if (!message) return add(R"(,"message_error":"{}")", to_string(message.error()));
    add(R"(,"message":{{"type":"{}","flags":{},"id":{},"trace_id":{},"payload_length":{}}})",
        tools::name_of(message->type), message->flags, message->id, message->trace_id, message->payload.size());
  }
  void operator()(const MessagePartFrame& frame) {
    add(R"(,"sequence":{},"compact":{},"offset":{},"length":{},"body_length":{})", frame.sequence,
        frame.form == MessageFrame::Form::compact, frame.offset, frame.data.size(), frame.body_size);
    add_order(frame.order);
  }
  void operator()(const ExpiredFrame& frame) {
    add(R"(,"first":{},"count":{},"length":{})", frame.first, frame.count, frame.length);
    add_order(frame.order);
  }
  void operator()(const MaxMessagesFrame& frame) { add(R"(,"window":{},"limit":{})", frame.window, frame.bytes); }
  void operator()(const MessagesBlockedFrame& frame) { add(R"(,"limit":{},"needed":{})", frame.bytes, frame.needed); }
  void operator()(const DrainFrame& frame) {
    add(R"(,"state":"{}")", state_word(frame.state));
    if (frame.state == DrainFrame::State::begins)
      add(R"(,"time_ms":{})", std::chrono::duration_cast<std::chrono::milliseconds>(frame.time).count());
  }
  void operator()(const CloseFrame& frame) {
    add(R"(,"by":"{}","error_code":{})", frame.application ? "application" : "transport", frame.code);
    if (!frame.application)
      add(R"(,"error":"{}","frame_type":{})", to_string(static_cast<TransportErrorCode>(frame.code)), frame.frame_type);
    const std::string reason =
        tools::escape(std::string_view(reinterpret_cast<const char*>(frame.reason.data()), frame.reason.size()));
    if (!reason.empty()) add(R"(,"reason":{})", json_string(reason));
  }
};

}  // namespace

void JsonWriter::write(const PacketRecord& record, std::string& out) {
  FrameJson json{std::back_inserter(out)};
  json.add(R"({{"frame":{})", record.frame);
  // All nine digits are written by hand: as a binary number, a time of today would lose the last three.
  if (record.time_ns) json.add(R"(,"time":{}.{:09})", *record.time_ns / 1'000'000'000, *record.time_ns % 1'000'000'000);
  json.add(R"(,"src":"{}","dst":"{}","length":{},"type":"{}")", record.source.to_string(),
           record.destination.to_string(), record.length, to_string(record.type));
  if (record.number) json.add(R"(,"packet_number":{})", record.number->value());
  if (record.connection != 0)
    json.add(R"(,"connection":{},"direction":"{}")", record.connection, direction_word(record.direction));
  if (record.client_id) json.add(R"(,"client_id":"{}")", hex(*record.client_id));
  if (record.destination_id) json.add(R"(,"destination_id":"{}")", hex(*record.destination_id));
  if (record.suite) json.add(R"(,"suite":"{}")", suite_word(*record.suite));
  if (record.type == PacketType::initial && !record.truncated())
    json.add(R"(,"token_length":{},"ticket_length":{})", record.token_size, record.ticket_size);
  if (record.protection != Protection::none) json.add(R"(,"decrypted":{})", record.protection == Protection::opened);
  if (const auto word = protection_word(record.protection); !word.empty()) json.add(R"(,"not_decrypted":"{}")", word);
  if (record.protection == Protection::opened) json.add(R"(,"key_phase":{})", record.key_phase ? 1 : 0);
  if (record.lost.value_or(false)) json.add(R"(,"lost":true)");
  if (record.duplicate) json.add(R"(,"duplicate":true)");
  if (record.damaged) json.add(R"(,"damaged":true)");
  if (record.retransmission) json.add(R"(,"retransmission":true)");
  if (record.fragment) json.add(R"(,"fragment":true)");
  if (record.fragments > 0) json.add(R"(,"fragments":{})", record.fragments);
  if (record.truncated()) json.add(R"(,"truncated":true,"captured_length":{})", record.captured);
  if (record.segment) json.add(R"(,"segment":{})", *record.segment);
  if (record.protection == Protection::opened) {
    json.add(R"(,"frames":[)");
    std::string_view separator;
    for (const Frame& frame : record.frames) {
      json.add(R"({}{{"type":"{}")", separator, frame_word(frame));
      std::visit(json, frame);
      json.add("}}");
      separator = ",";
    }
    json.add("]");
  }
  if (!record.notes.empty() || !record.turn.empty()) {
    json.add(R"(,"notes":[)");
    std::string_view separator;
    const auto note = [&](std::string_view text) {
      json.add("{}{}", separator, json_string(text));
      separator = ",";
    };
    if (!record.turn.empty()) note(record.turn);
    for (const std::string& text : record.notes) note(text);
    json.add("]");
  }
  out += "}\n";
}

}  // namespace mxp::dump
