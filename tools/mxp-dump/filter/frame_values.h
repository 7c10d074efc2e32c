// How the values of a field are taken from a packet's frames: the pieces that the table of frame_fields.cpp is made of.
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <span>
#include <string_view>
#include <variant>

#include "common/message_names.h"
#include "message/body.h"
#include "mxp-dump/dissect/record.h"
#include "mxp-dump/filter/field_table.h"

namespace mxp::dump {

inline constexpr std::array<std::string_view, 2> kStreamWays{"bidirectional", "unidirectional"};

inline void put_value(ValueSink& sink, std::uint64_t number) { sink.take({.number = number}); }
inline void put_value(ValueSink& sink, std::string_view text) { sink.take({.text = text}); }
inline void put_value(ValueSink& sink, Duration span) {
  put_value(sink, static_cast<std::uint64_t>(std::chrono::duration_cast<std::chrono::nanoseconds>(span).count()));
}
inline void put_bytes(ValueSink& sink, std::span<const std::uint8_t> bytes) {
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

inline void times_of(const AckFrame& frame, ValueSink& sink) {
  if (!frame.times) return;
  for (const ReceiveTime& time : *frame.times)
    sink.take(
        {.number = time.number.value(),
         .last = static_cast<std::uint64_t>(std::chrono::duration_cast<std::chrono::microseconds>(time.at).count())});
}

inline std::string_view bytes_as_text(ByteView bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

}  // namespace mxp::dump
