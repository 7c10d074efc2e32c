// Fields of the frames in a decrypted packet. A packet has as many values of a field as it has frames of its kind.
#include <array>

#include "common/escape.h"
#include "common/message_names.h"
#include "message/body.h"
#include "mxp-dump/filter/field_lists.h"
#include "mxp-dump/output/json_output.h"

namespace mxp::dump {
namespace {

using JsonUnit = Field::Json::Unit;
constexpr auto kEach = Field::Presence::always, kPart = Field::Presence::sometimes;

constexpr std::array<std::string_view, 2> kStreamWays{"bidirectional", "unidirectional"};
constexpr std::array<std::string_view, 4> kChannels{"critical", "control", "streaming", "background"};
constexpr std::array<std::string_view, 3> kDrainStates{"begins", "done", "agrees"};
constexpr std::array<std::string_view, 2> kClosers{"application", "transport"};

void put_value(ValueSink& sink, std::uint64_t number) { sink.take({.number = number}); }
void put_value(ValueSink& sink, std::string_view text) { sink.take({.text = text}); }
void put_value(ValueSink& sink, Duration span) {
  put_value(sink, static_cast<std::uint64_t>(std::chrono::duration_cast<std::chrono::nanoseconds>(span).count()));
}
void put_bytes(ValueSink& sink, std::span<const std::uint8_t> bytes) {
  std::uint64_t number = 0;
  for (const std::uint8_t byte : bytes) number = number << 8 | byte;
  put_value(sink, number);
}

// Calls `give(frame, sink)` for each frame of one kind. Made of a function without state, so that it is a pointer.
template <typename F, auto give>
void each_of(const PacketRecord& record, ValueSink& sink) {
  for (const Frame& frame : record.frames)
    if (const F* one = std::get_if<F>(&frame)) give(*one, sink);
}
// One member that is a number.
template <typename F, auto member>
void member_of(const PacketRecord& record, ValueSink& sink) {
  for (const Frame& frame : record.frames)
    if (const F* one = std::get_if<F>(&frame)) put_value(sink, static_cast<std::uint64_t>(one->*member));
}
template <typename F>
void stream_of(const PacketRecord& record, ValueSink& sink) {
  each_of<F, [](const F& f, ValueSink& s) { put_value(s, f.stream.value()); }>(record, sink);
}
template <typename F>
void size_of(const PacketRecord& record, ValueSink& sink) {
  each_of<F, [](const F& f, ValueSink& s) { put_value(s, std::uint64_t{f.data.size()}); }>(record, sink);
}
template <typename F>
void ways_of(const PacketRecord& record, ValueSink& sink) {
  each_of<F, [](const F& f, ValueSink& s) { put_value(s, kStreamWays[f.type == StreamType::bidirectional ? 0 : 1]); }>(
      record, sink);
}
template <typename F>
void compact_of(const PacketRecord& record, ValueSink& sink) {
  each_of<F, [](const F& f, ValueSink& s) { put_value(s, std::uint64_t{f.form == MessageFrame::Form::compact}); }>(
      record, sink);
}
template <typename F>
void channel_of(const PacketRecord& record, ValueSink& sink) {
  each_of<F, [](const F& f, ValueSink& s) {
    if (f.order) put_value(s, tools::name_of(f.order->channel));
  }>(record, sink);
}
template <typename F>
void distance_of(const PacketRecord& record, ValueSink& sink) {
  each_of<F, [](const F& f, ValueSink& s) {
    if (f.order) put_value(s, std::uint64_t{f.order->distance});
  }>(record, sink);
}
template <typename F>
void data_of(const PacketRecord& record, ValueSink& sink) {
  each_of<F, [](const F& f, ValueSink& s) { put_bytes(s, f.data); }>(record, sink);
}
// A value of the message in a MESSAGE frame, if it is one.
template <auto give>
void message_of_frame(const PacketRecord& record, ValueSink& sink) {
  each_of<MessageFrame, [](const MessageFrame& f, ValueSink& s) {
    if (const auto message = decode_body(f.form, f.body)) give(*message, s);
  }>(record, sink);
}

struct StreamNamedBy {
  ValueSink& sink;
  template <typename F>
  void operator()(const F& frame) const {
    if constexpr (requires { frame.stream.value(); }) put_value(sink, frame.stream.value());
  }
};

void times_of(const AckFrame& frame, ValueSink& sink) {
  if (!frame.times) return;
  for (const ReceiveTime& time : *frame.times)
    sink.take(
        {.number = time.number.value(),
         .last = static_cast<std::uint64_t>(std::chrono::duration_cast<std::chrono::microseconds>(time.at).count())});
}

std::string_view bytes_as_text(ByteView bytes) { return {reinterpret_cast<const char*>(bytes.data()), bytes.size()}; }

#define MXP_SINK(F, code) each_of<F, [](const F& f, ValueSink& s) { code; }>

const std::array kFrameFields{
    Field{"frames.type",
          FieldType::word,
          [](const PacketRecord& r, ValueSink& s) {
            for (const Frame& f : r.frames) put_value(s, frame_word(f));
          },
          "types of the frames, in their order",
          {"*", "type", kEach},
          "mxp.frame.type",
          frame_words()},
    Field{"stream", FieldType::number,
          [](const PacketRecord& r, ValueSink& s) {
            for (const Frame& f : r.frames) std::visit(StreamNamedBy{s}, f);
          },
          "id of the stream that a frame of any kind is about"},
    Field{"padding.length",
          FieldType::number,
          member_of<PaddingFrame, &PaddingFrame::length>,
          "bytes of a run of padding",
          {"padding", "length", kEach}},

    Field{"ack.largest",
          FieldType::number,
          MXP_SINK(AckFrame, put_value(s, f.largest.value())),
          "largest number acknowledged",
          {"ack", "largest", kEach}},
    Field{"ack.delay",
          FieldType::duration,
          MXP_SINK(AckFrame, put_value(s, f.delay)),
          "how long the acknowledgement waited, in microseconds",
          {"ack", "delay_us", kEach, JsonUnit::microseconds}},
    Field{"ack.ranges",
          FieldType::range,
          MXP_SINK(AckFrame, for (const AckRange& one : f.ranges)
                                 s.take({.number = one.first.value(), .last = one.last.value()})),
          "packet numbers acknowledged; equal to each number in it",
          {"ack", "ranges", kEach, {}, true}},
    Field{"ack.ect0",
          FieldType::number,
          MXP_SINK(AckFrame, if (f.ecn) put_value(s, f.ecn->ect0)),
          "packets that came marked ECT(0)",
          {"ack", "ect0"}},
    Field{"ack.ect1",
          FieldType::number,
          MXP_SINK(AckFrame, if (f.ecn) put_value(s, f.ecn->ect1)),
          "packets that came marked ECT(1)",
          {"ack", "ect1"}},
    Field{"ack.ce",
          FieldType::number,
          MXP_SINK(AckFrame, if (f.ecn) put_value(s, f.ecn->ce)),
          "packets that came marked CE",
          {"ack", "ce"}},
    Field{"ack.receive_times",
          FieldType::packet_times,
          each_of<AckFrame, times_of>,
          "packet numbers and when they arrived, by the receiver's clock, in microseconds",
          {"ack", "receive_times_us", kPart, {}, true}},

    Field{"stream.id",
          FieldType::number,
          stream_of<StreamFrame>,
          "stream of a STREAM frame",
          {"stream", "stream_id", kEach}},
    Field{"stream.offset",
          FieldType::number,
          member_of<StreamFrame, &StreamFrame::offset>,
          "place of its first byte in the stream",
          {"stream", "offset", kEach}},
    Field{"stream.length", FieldType::number, size_of<StreamFrame>, "bytes of data", {"stream", "length", kEach}},
    Field{"stream.fin",
          FieldType::boolean,
          member_of<StreamFrame, &StreamFrame::fin>,
          "whether the stream ends with it",
          {"stream", "fin", kEach}},
    Field{"reset_stream.stream_id",
          FieldType::number,
          stream_of<ResetStreamFrame>,
          "stream that is given up",
          {"reset_stream", "stream_id", kEach}},
    Field{"reset_stream.error_code",
          FieldType::number,
          member_of<ResetStreamFrame, &ResetStreamFrame::code>,
          "the application's code",
          {"reset_stream", "error_code", kEach}},
    Field{"reset_stream.final_size",
          FieldType::number,
          member_of<ResetStreamFrame, &ResetStreamFrame::final_size>,
          "bytes that were sent of it",
          {"reset_stream", "final_size", kEach}},
    Field{"stop_sending.stream_id",
          FieldType::number,
          stream_of<StopSendingFrame>,
          "stream that nobody reads any more",
          {"stop_sending", "stream_id", kEach}},
    Field{"stop_sending.error_code",
          FieldType::number,
          member_of<StopSendingFrame, &StopSendingFrame::code>,
          "the application's code",
          {"stop_sending", "error_code", kEach}},

    Field{"max_data.limit",
          FieldType::number,
          member_of<MaxDataFrame, &MaxDataFrame::limit>,
          "bytes allowed on all streams",
          {"max_data", "limit", kEach}},
    Field{"max_stream_data.stream_id",
          FieldType::number,
          stream_of<MaxStreamDataFrame>,
          "stream that the limit is of",
          {"max_stream_data", "stream_id", kEach}},
    Field{"max_stream_data.limit",
          FieldType::number,
          member_of<MaxStreamDataFrame, &MaxStreamDataFrame::limit>,
          "bytes allowed on the stream",
          {"max_stream_data", "limit", kEach}},
    Field{"max_streams.direction",
          FieldType::word,
          ways_of<MaxStreamsFrame>,
          "kind of stream that the limit is of",
          {"max_streams", "direction", kEach},
          {},
          kStreamWays},
    Field{"max_streams.limit",
          FieldType::number,
          member_of<MaxStreamsFrame, &MaxStreamsFrame::limit>,
          "streams allowed in all",
          {"max_streams", "limit", kEach}},
    Field{"data_blocked.limit",
          FieldType::number,
          member_of<DataBlockedFrame, &DataBlockedFrame::limit>,
          "limit that stops its sender",
          {"data_blocked", "limit", kEach}},
    Field{"stream_data_blocked.stream_id",
          FieldType::number,
          stream_of<StreamDataBlockedFrame>,
          "stream that is stopped",
          {"stream_data_blocked", "stream_id", kEach}},
    Field{"stream_data_blocked.limit",
          FieldType::number,
          member_of<StreamDataBlockedFrame, &StreamDataBlockedFrame::limit>,
          "limit that stops the stream",
          {"stream_data_blocked", "limit", kEach}},
    Field{"streams_blocked.direction",
          FieldType::word,
          ways_of<StreamsBlockedFrame>,
          "kind of stream that cannot be opened",
          {"streams_blocked", "direction", kEach},
          {},
          kStreamWays},
    Field{"streams_blocked.limit",
          FieldType::number,
          member_of<StreamsBlockedFrame, &StreamsBlockedFrame::limit>,
          "limit that stops its sender",
          {"streams_blocked", "limit", kEach}},

    Field{"ack_frequency.sequence",
          FieldType::number,
          member_of<AckFrequencyFrame, &AckFrequencyFrame::sequence>,
          "number of the request",
          {"ack_frequency", "sequence", kEach}},
    Field{"ack_frequency.threshold",
          FieldType::number,
          member_of<AckFrequencyFrame, &AckFrequencyFrame::threshold>,
          "packets that may arrive before an ACK has to be sent",
          {"ack_frequency", "threshold", kEach}},
    Field{"ack_frequency.max_ack_delay",
          FieldType::duration,
          MXP_SINK(AckFrequencyFrame, put_value(s, f.max_ack_delay)),
          "longest delay asked for, in microseconds",
          {"ack_frequency", "max_ack_delay_us", kEach, JsonUnit::microseconds}},
    Field{"ack_frequency.reordering_threshold",
          FieldType::number,
          member_of<AckFrequencyFrame, &AckFrequencyFrame::reordering_threshold>,
          "size of a gap that is reported at once",
          {"ack_frequency", "reordering_threshold", kEach}},

    Field{"new_connection_id.sequence",
          FieldType::number,
          member_of<NewConnectionIdFrame, &NewConnectionIdFrame::sequence>,
          "number of the id",
          {"new_connection_id", "sequence", kEach}},
    Field{"new_connection_id.retire_prior_to",
          FieldType::number,
          member_of<NewConnectionIdFrame, &NewConnectionIdFrame::retire_prior_to>,
          "ids below it are to be retired",
          {"new_connection_id", "retire_prior_to", kEach}},
    Field{"new_connection_id.connection_id",
          FieldType::id,
          MXP_SINK(NewConnectionIdFrame, put_bytes(s, f.id.bytes())),
          "the id",
          {"new_connection_id", "connection_id", kEach}},
    Field{"retire_connection_id.sequence",
          FieldType::number,
          member_of<RetireConnectionIdFrame, &RetireConnectionIdFrame::sequence>,
          "number of the id",
          {"retire_connection_id", "sequence", kEach}},
    Field{"path_challenge.data",
          FieldType::id,
          data_of<PathChallengeFrame>,
          "what the response has to repeat",
          {"path_challenge", "data", kEach}},
    Field{"path_response.data",
          FieldType::id,
          data_of<PathResponseFrame>,
          "what the challenge had",
          {"path_response", "data", kEach}},
    Field{"datagram.length",
          FieldType::number,
          size_of<DatagramFrame>,
          "bytes of a datagram of the application",
          {"datagram", "length", kEach}},

    Field{"message.sequence",
          FieldType::number,
          member_of<MessageFrame, &MessageFrame::sequence>,
          "number of a whole message",
          {"message", "sequence", kEach}},
    Field{"message.compact",
          FieldType::boolean,
          compact_of<MessageFrame>,
          "whether it has the compact form",
          {"message", "compact", kEach}},
    Field{"message.length",
          FieldType::number,
          MXP_SINK(MessageFrame, put_value(s, std::uint64_t{f.body.size()})),
          "bytes of its body",
          {"message", "length", kEach}},
    Field{"message.channel",
          FieldType::word,
          channel_of<MessageFrame>,
          "its ordered channel",
          {"message", "channel"},
          {},
          kChannels},
    Field{"message.distance",
          FieldType::number,
          distance_of<MessageFrame>,
          "back to the message before it in the channel",
          {"message", "distance"}},
    Field{"message.error",
          FieldType::text,
          MXP_SINK(MessageFrame, const auto message = decode_body(f.form, f.body);
                   if (!message) put_value(s, to_string(message.error()))),
          "why the body is no message",
          {"message", "message_error"}},
    Field{"message.type",
          FieldType::text,
          message_of_frame<[](const Message& m, ValueSink& s) { put_value(s, tools::name_of(m.type)); }>,
          "type of the message, such as Call, or 0x80 of an application",
          {"message", "message.type"}},
    Field{"message.flags",
          FieldType::number,
          message_of_frame<[](const Message& m, ValueSink& s) { put_value(s, std::uint64_t{m.flags}); }>,
          "its flags",
          {"message", "message.flags"}},
    Field{"message.id",
          FieldType::number,
          message_of_frame<[](const Message& m, ValueSink& s) { put_value(s, m.id); }>,
          "its id",
          {"message", "message.id"}},
    Field{"message.trace_id",
          FieldType::number,
          message_of_frame<[](const Message& m, ValueSink& s) { put_value(s, m.trace_id); }>,
          "its trace id",
          {"message", "message.trace_id"}},
    Field{"message.payload_length",
          FieldType::number,
          message_of_frame<[](const Message& m, ValueSink& s) { put_value(s, std::uint64_t{m.payload.size()}); }>,
          "bytes of payload",
          {"message", "message.payload_length"}},

    Field{"message_part.sequence",
          FieldType::number,
          member_of<MessagePartFrame, &MessagePartFrame::sequence>,
          "number of a message in parts",
          {"message_part", "sequence", kEach}},
    Field{"message_part.compact",
          FieldType::boolean,
          compact_of<MessagePartFrame>,
          "whether it has the compact form",
          {"message_part", "compact", kEach}},
    Field{"message_part.offset",
          FieldType::number,
          member_of<MessagePartFrame, &MessagePartFrame::offset>,
          "place of the part in the body",
          {"message_part", "offset", kEach}},
    Field{"message_part.length",
          FieldType::number,
          size_of<MessagePartFrame>,
          "bytes of the part",
          {"message_part", "length", kEach}},
    Field{"message_part.body_length",
          FieldType::number,
          member_of<MessagePartFrame, &MessagePartFrame::body_size>,
          "bytes of the whole body",
          {"message_part", "body_length", kEach}},
    Field{"message_part.channel",
          FieldType::word,
          channel_of<MessagePartFrame>,
          "its ordered channel",
          {"message_part", "channel"},
          {},
          kChannels},
    Field{"message_part.distance",
          FieldType::number,
          distance_of<MessagePartFrame>,
          "back to the message before it in the channel",
          {"message_part", "distance"}},
    Field{"expired.first",
          FieldType::number,
          member_of<ExpiredFrame, &ExpiredFrame::first>,
          "number of the first message given up",
          {"expired", "first", kEach}},
    Field{"expired.count",
          FieldType::number,
          member_of<ExpiredFrame, &ExpiredFrame::count>,
          "how many were given up",
          {"expired", "count", kEach}},
    Field{"expired.length",
          FieldType::number,
          member_of<ExpiredFrame, &ExpiredFrame::length>,
          "credit that each of them used",
          {"expired", "length", kEach}},
    Field{"expired.channel",
          FieldType::word,
          channel_of<ExpiredFrame>,
          "their ordered channel",
          {"expired", "channel"},
          {},
          kChannels},
    Field{"expired.distance",
          FieldType::number,
          distance_of<ExpiredFrame>,
          "back to the message before them in the channel",
          {"expired", "distance"}},
    Field{"max_messages.window",
          FieldType::number,
          member_of<MaxMessagesFrame, &MaxMessagesFrame::window>,
          "messages that may be under way",
          {"max_messages", "window", kEach}},
    Field{"max_messages.limit",
          FieldType::number,
          member_of<MaxMessagesFrame, &MaxMessagesFrame::bytes>,
          "bytes allowed in all",
          {"max_messages", "limit", kEach}},
    Field{"messages_blocked.limit",
          FieldType::number,
          member_of<MessagesBlockedFrame, &MessagesBlockedFrame::bytes>,
          "limit that stops its sender",
          {"messages_blocked", "limit", kEach}},
    Field{"messages_blocked.needed",
          FieldType::number,
          member_of<MessagesBlockedFrame, &MessagesBlockedFrame::needed>,
          "window that would let it go on",
          {"messages_blocked", "needed", kEach}},

    Field{"drain.state",
          FieldType::word,
          MXP_SINK(DrainFrame, put_value(s, state_word(f.state))),
          "how far an orderly end has come",
          {"drain", "state", kEach},
          {},
          kDrainStates},
    Field{"drain.time",
          FieldType::duration,
          MXP_SINK(DrainFrame, if (f.state == DrainFrame::State::begins) put_value(s, f.time)),
          "until its sender closes in any case, in milliseconds",
          {"drain", "time_ms", kPart, JsonUnit::milliseconds}},
    Field{"close.by",
          FieldType::word,
          MXP_SINK(CloseFrame, put_value(s, kClosers[f.application ? 0 : 1])),
          "what closed the connection",
          {"close", "by", kEach},
          {},
          kClosers},
    Field{"close.code",
          FieldType::number,
          member_of<CloseFrame, &CloseFrame::code>,
          "error code of CLOSE",
          {"close", "error_code", kEach}},
    Field{"close.error",
          FieldType::text,
          MXP_SINK(CloseFrame, if (!f.application) put_value(s, to_string(static_cast<TransportErrorCode>(f.code)))),
          "the transport's error in words",
          {"close", "error"}},
    Field{"close.frame_type",
          FieldType::number,
          MXP_SINK(CloseFrame, if (!f.application) put_value(s, f.frame_type)),
          "type of the frame that was refused",
          {"close", "frame_type"}},
    Field{"close.reason",
          FieldType::text,
          MXP_SINK(CloseFrame, if (!f.reason.empty()) put_value(s, tools::escape(bytes_as_text(f.reason)))),
          "what the peer says of it",
          {"close", "reason"}},
};

#undef MXP_SINK

}  // namespace

std::span<const Field> frame_fields() { return kFrameFields; }

}  // namespace mxp::dump
