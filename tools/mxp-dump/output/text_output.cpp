#include "mxp-dump/output/text_output.h"

#include <fmt/format.h>

#include <iterator>

#include "common/escape.h"
#include "common/message_names.h"
#include "message/body.h"
#include "mxp-dump/dissect/words.h"

namespace mxp::dump {
namespace {

constexpr std::string_view kRed = "\033[31m", kYellow = "\033[33m", kCyan = "\033[36m", kPlain = "\033[0m";

// One visitor for all frames: "STREAM 0 [0..1024) fin", "ACK 0-5 7 delay 25us".
struct FrameText {
  std::back_insert_iterator<std::string> out;

  template <typename... Args>
  void add(fmt::format_string<Args...> format, Args&&... args) {
    fmt::format_to(out, format, std::forward<Args>(args)...);
  }
  // "ORDERED control after 5 ": of which channel the message is, and which one is before it there.
  void add_order(const std::optional<OrderLink>& order, std::uint64_t sequence) {
    if (!order) return;
    add("ORDERED {} ", tools::name_of(order->channel));
    if (order->distance != 0) add("after {} ", sequence - order->distance);
  }
  static std::string_view ways(StreamType type) { return type == StreamType::bidirectional ? "two-way" : "one-way"; }

  void operator()(const PaddingFrame& frame) { add("PADDING {}", frame.length); }
  void operator()(const PingFrame&) { add("PING"); }
  void operator()(const AckFrame& frame) {
    add("ACK");
    for (const AckRange& range : frame.ranges) {
      if (range.first == range.last) add(" {}", range.last.value());
      else add(" {}-{}", range.first.value(), range.last.value());
    }
    add(" delay {}us", std::chrono::duration_cast<std::chrono::microseconds>(frame.delay).count());
    if (frame.ecn) add(" ecn {}/{}/{}", frame.ecn->ect0, frame.ecn->ect1, frame.ecn->ce);
    if (!frame.times) return;
    add(" received");
    for (const ReceiveTime& time : *frame.times)
      add(" {}@{}us", time.number.value(), std::chrono::duration_cast<std::chrono::microseconds>(time.at).count());
  }
  void operator()(const ResetStreamFrame& frame) {
    add("RESET_STREAM {} code {} size {}", frame.stream.value(), frame.code, frame.final_size);
  }
  void operator()(const StopSendingFrame& frame) { add("STOP_SENDING {} code {}", frame.stream.value(), frame.code); }
  void operator()(const StreamFrame& frame) {
    add("STREAM {} [{}..{}){}", frame.stream.value(), frame.offset, frame.offset + frame.data.size(),
        frame.fin ? " fin" : "");
  }
  void operator()(const MaxDataFrame& frame) { add("MAX_DATA {}", frame.limit); }
  void operator()(const MaxStreamDataFrame& frame) { add("MAX_STREAM_DATA {} {}", frame.stream.value(), frame.limit); }
  void operator()(const MaxStreamsFrame& frame) { add("MAX_STREAMS {} {}", ways(frame.type), frame.limit); }
  void operator()(const DataBlockedFrame& frame) { add("DATA_BLOCKED {}", frame.limit); }
  void operator()(const StreamDataBlockedFrame& frame) {
    add("STREAM_DATA_BLOCKED {} {}", frame.stream.value(), frame.limit);
  }
  void operator()(const AckFrequencyFrame& frame) {
    add("ACK_FREQUENCY {} threshold {} delay {}us reordering {}", frame.sequence, frame.threshold,
        std::chrono::duration_cast<std::chrono::microseconds>(frame.max_ack_delay).count(), frame.reordering_threshold);
  }
  void operator()(const ImmediateAckFrame&) { add("IMMEDIATE_ACK"); }
  void operator()(const NewConnectionIdFrame& frame) {
    add("NEW_CONNECTION_ID {} {}", frame.sequence, hex(frame.id));
    if (frame.retire_prior_to > 0) add(" retire below {}", frame.retire_prior_to);
  }
  void operator()(const RetireConnectionIdFrame& frame) { add("RETIRE_CONNECTION_ID {}", frame.sequence); }
  void operator()(const PathChallengeFrame& frame) { add("PATH_CHALLENGE {}", hex(ConnectionId(frame.data))); }
  void operator()(const PathResponseFrame& frame) { add("PATH_RESPONSE {}", hex(ConnectionId(frame.data))); }
  void operator()(const MessageFrame& frame) {
    add_order(frame.order, frame.sequence);
    add("MESSAGE {}", frame.sequence);
    if (frame.form == MessageFrame::Form::compact) add(" compact");
    if (const auto message = decode_body(frame.form, frame.body))
      add(" {} id {} [{}]", tools::name_of(message->type), message->id, message->payload.size());
    else add(" not a message: {} [{}]", to_string(message.error()), frame.body.size());
  }
  void operator()(const MessagePartFrame& frame) {
    add_order(frame.order, frame.sequence);
    add("MESSAGE_PART {}", frame.sequence);
    if (frame.form == MessageFrame::Form::compact) add(" compact");
    add(" {}-{} of {}", frame.offset, frame.offset + frame.data.size() - 1, frame.body_size);
  }
  void operator()(const ExpiredFrame& frame) {
    add_order(frame.order, frame.first);
    add("EXPIRED {}", frame.first);
    if (frame.count > 1) add("-{}", frame.first + frame.count - 1);
    if (frame.length > 0) add(" [{}]", frame.length);
  }
  void operator()(const MaxMessagesFrame& frame) { add("MAX_MESSAGES {} window {}", frame.bytes, frame.window); }
  void operator()(const MessagesBlockedFrame& frame) { add("MESSAGES_BLOCKED {} needs {}", frame.bytes, frame.needed); }
  void operator()(const DrainFrame& frame) {
    add("DRAIN {}", state_word(frame.state));
    if (frame.state == DrainFrame::State::begins)
      add(" within {}ms", std::chrono::duration_cast<std::chrono::milliseconds>(frame.time).count());
  }
  void operator()(const StreamsBlockedFrame& frame) { add("STREAMS_BLOCKED {} {}", ways(frame.type), frame.limit); }
  void operator()(const DatagramFrame& frame) { add("DATAGRAM {}", frame.data.size()); }
  void operator()(const CloseFrame& frame) {
    const std::string reason =
        tools::escape(std::string_view(reinterpret_cast<const char*>(frame.reason.data()), frame.reason.size()));
    if (frame.application) add("CLOSE by the application, code {}", frame.code);
    else add("CLOSE by the transport, {:#x} {}", frame.code, to_string(static_cast<TransportErrorCode>(frame.code)));
    if (!reason.empty()) add(" \"{}\"", reason);
  }
};

void describe(const PacketRecord& record, std::string& out) {
  const auto end = std::back_inserter(out);
  if (record.client_id) fmt::format_to(end, "id {} ", hex(*record.client_id));
  if (record.client_id && record.suite) fmt::format_to(end, "suite {} ", suite_word(*record.suite));
  if (record.token_size > 0) fmt::format_to(end, "token {} ", record.token_size);
  if (record.ticket_size > 0) fmt::format_to(end, "ticket {} ", record.ticket_size);
  if (record.destination_id && record.protection != Protection::opened)
    fmt::format_to(end, "id {} ", hex(*record.destination_id));
  std::string_view separator;
  for (const Frame& frame : record.frames) {
    out += separator;
    std::visit(FrameText{end}, frame);
    separator = ", ";
  }
  const auto mark = [&](std::string_view text) {
    if (!out.empty() && out.back() != ' ') out += ' ';
    fmt::format_to(end, "[{}]", text);
  };
  if (const auto word = protection_word(record.protection); !word.empty()) mark(word);
  if (record.damaged && record.protection != Protection::damaged) mark("damaged");
  if (record.duplicate) mark("duplicate");
  if (record.retransmission) mark("retransmission");
  if (record.fragment) mark("fragment");
  if (record.fragments > 0) mark(fmt::format("of {} fragments", record.fragments));
  if (record.truncated() && !record.fragment)
    mark(fmt::format("truncated: {} of {} bytes captured", record.captured, record.length));
  if (record.segment) mark(fmt::format("segment {}", *record.segment));
  if (!record.turn.empty()) mark(record.turn);
  for (const std::string& note : record.notes) mark(note);
}

std::string_view colour_of(const PacketRecord& record) {
  if (record.protection == Protection::key_misfit || !record.notes.empty()) return kRed;
  if (record.retransmission || record.duplicate) return kYellow;
  return record.type == PacketType::one_rtt && record.turn.empty() ? std::string_view() : kCyan;
}

}  // namespace

void TextWriter::write(const PacketRecord& record, std::string& out) {
  if (!first_ns_) first_ns_ = record.time_ns;
  std::string time = "-", details;
  if (record.time_ns) {
    // Captures of several interfaces are not always in order. A time before the first one is negative.
    const auto relative = static_cast<std::int64_t>(*record.time_ns - *first_ns_);
    time = fmt::format("{:.6f}", static_cast<double>(relative) / 1e9);
  }
  describe(record, details);
  while (!details.empty() && details.back() == ' ') details.pop_back();
  const std::string_view colour = colour_ ? colour_of(record) : std::string_view();
  fmt::format_to(std::back_inserter(out), "{:>6} {:>11}  {:>21} > {:<21} {:>5}  #{:<3} {}{:<8} {:>7}  {}{}\n",
                 record.frame, time, record.source.to_string(), record.destination.to_string(), record.length,
                 record.connection, colour, to_string(record.type),
                 record.number ? fmt::format("{}", record.number->value()) : "-", details,
                 colour.empty() ? std::string_view() : kPlain);
}

}  // namespace mxp::dump
