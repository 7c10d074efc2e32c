// Two Streams objects with packets carried between them by hand, and an application that records what it is told.
#pragma once

#include <fmt/format.h>

#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "core/frame_reader.h"
#include "scheduler/streams.h"
#include "support/lone_streams.h"

namespace mxp::test {

inline ByteView bytes_of(std::string_view text) {
  return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
}

// Byte `offset` of a stream that every test can check anywhere.
inline std::uint8_t pattern_byte(std::uint64_t offset) {
  return static_cast<std::uint8_t>(offset * 0x9d + (offset >> 8) * 0x35 + 7);
}
inline std::vector<std::uint8_t> pattern_bytes(std::uint64_t offset, std::size_t length) {
  std::vector<std::uint8_t> bytes(length);
  for (std::size_t i = 0; i < length; ++i) bytes[i] = pattern_byte(offset + i);
  return bytes;
}

// Records every event; a hook, where set, runs inside the event, after it was recorded.
struct RecordingEvents : StreamEvents {
  std::vector<std::string> log;  // "opened 0", "reset 4 7", …; data are only in `received`
  std::map<std::uint64_t, std::string> received;
  std::map<std::uint64_t, int> fins;
  std::function<std::size_t(StreamId, ByteView, bool)> data_hook;  // returns how many bytes are taken; default: all
  std::function<void(StreamId)> opened_hook, writable_hook, finished_hook;
  std::function<void(StreamId, AppErrorCode)> reset_hook, stop_hook;
  std::function<void(StreamType)> available_hook;

  std::size_t on_stream_data(StreamId id, ByteView data, bool fin) override {
    const std::size_t taken = data_hook ? std::min(data_hook(id, data, fin), data.size()) : data.size();
    received[id.value()].append(reinterpret_cast<const char*>(data.data()), taken);
    if (fin && taken == data.size()) ++fins[id.value()];
    return taken;
  }
  void on_stream_opened(StreamId id) override {
    log.push_back(fmt::format("opened {}", id.value()));
    if (opened_hook) opened_hook(id);
  }
  void on_stream_reset(StreamId id, AppErrorCode code) override {
    log.push_back(fmt::format("reset {} {}", id.value(), code));
    if (reset_hook) reset_hook(id, code);
  }
  void on_stop_sending(StreamId id, AppErrorCode code) override {
    log.push_back(fmt::format("stop {} {}", id.value(), code));
    if (stop_hook) stop_hook(id, code);
  }
  void on_stream_writable(StreamId id) override {
    log.push_back(fmt::format("writable {}", id.value()));
    if (writable_hook) writable_hook(id);
  }
  void on_stream_finished(StreamId id) override {
    log.push_back(fmt::format("finished {}", id.value()));
    if (finished_hook) finished_hook(id);
  }
  void on_streams_available(StreamType type) override {
    log.push_back(type == StreamType::bidirectional ? "available bidi" : "available uni");
    if (available_hook) available_hook(type);
  }
};

struct Packet {
  std::vector<std::uint8_t> payload;
  std::vector<SentFrame> frames;
  bool empty() const { return frames.empty(); }
  std::size_t count(SentFrame::Kind kind) const {
    return static_cast<std::size_t>(
        std::count_if(frames.begin(), frames.end(), [&](const SentFrame& f) { return f.kind == kind; }));
  }
};

inline Packet write_packet(LoneStreams& streams, std::size_t size = 1200) {
  Packet packet;
  packet.payload.resize(size);
  Writer out(packet.payload);
  auto add = [&](const SentFrame& frame) { packet.frames.push_back(frame); };
  const bool wrote = streams.write_frames(out, add);
  BOOST_REQUIRE_EQUAL(wrote, !packet.frames.empty());
  packet.payload.resize(out.written());
  return packet;
}

inline std::vector<Frame> frames_of(const Packet& packet) {
  std::vector<Frame> frames;
  FrameReader reader(packet.payload);
  while (true) {
    auto next = reader.next();
    BOOST_REQUIRE(next.has_value());
    if (!next->has_value()) return frames;
    frames.push_back(**next);
  }
}

inline std::expected<void, TransportError> receive_packet(LoneStreams& streams, const Packet& packet) {
  for (const Frame& frame : frames_of(packet)) {
    const auto result = std::visit(
        [&](const auto& f) -> std::expected<void, TransportError> {
          if constexpr (requires { streams.on_frame(f); }) return streams.on_frame(f);
          else return {};
        },
        frame);
    if (!result) return result;
  }
  streams.collect();
  return {};
}

inline void acknowledge(LoneStreams& streams, const Packet& packet) {
  for (const SentFrame& frame : packet.frames) streams.on_frame_acknowledged(frame);
  streams.collect();
}
inline void lose(LoneStreams& streams, const Packet& packet) {
  for (const SentFrame& frame : packet.frames) streams.on_frame_lost(frame);
  streams.collect();
}

// Small windows, so that tests reach limits soon.
inline FlowControlConfig small_config() {
  return {.connection_window = 4000,
          .max_connection_window = 4000,
          .stream_window = 1000,
          .max_stream_window = 1000,
          .max_streams_bidirectional = 4,
          .max_streams_unidirectional = 4,
          .stream_send_buffer = 2000,
          .max_reassembly_spans = 8};
}

constexpr std::uint64_t kHashKey = 0x5851F42D4C957F2D;  // any

struct Side {
  RecordingEvents events;
  LoneStreams streams;
  Side(Role role, const FlowControlConfig& config) : streams(role, config, events, kHashKey) {}

  std::expected<void, TransportError> data(StreamId id, std::uint64_t offset, std::string_view text, bool fin = false) {
    auto result = streams.on_frame(StreamFrame{id, offset, bytes_of(text), fin});
    streams.collect();
    return result;
  }
  // resume(), and the next drive.
  bool resumes(StreamId id) {
    const bool taken = streams.resume(id).has_value();
    streams.deliver_resumed();
    return taken;
  }
};

struct StreamPair {
  Side client, server;

  explicit StreamPair(const FlowControlConfig& client_config = small_config(),
                      const FlowControlConfig& server_config = small_config())
      : client(Role::client, client_config), server(Role::server, server_config) {
    TransportParameters of_client, of_server;
    Streams::announce(client_config, of_client);
    Streams::announce(server_config, of_server);
    client.streams.on_peer_parameters(of_server);
    server.streams.on_peer_parameters(of_client);
  }

  // Carries everything over a perfect path until both are silent; returns how many packets that took.
  std::size_t exchange(std::size_t packet_size = 1200) {
    std::size_t packets = 0;
    for (bool progress = true; progress;) {
      progress = false;
      for (auto [from, to] : {std::pair{&client, &server}, std::pair{&server, &client}}) {
        while (from->streams.has_pending()) {
          const Packet packet = write_packet(from->streams, packet_size);
          BOOST_REQUIRE(!packet.empty());
          const auto result = receive_packet(to->streams, packet);
          BOOST_REQUIRE_MESSAGE(result.has_value(), (result ? "" : result.error().reason));
          acknowledge(from->streams, packet);
          progress = true;
          BOOST_REQUIRE_LT(++packets, 100'000u);
        }
      }
    }
    return packets;
  }
};

inline StreamId client_bidi(std::uint64_t index) {
  return StreamId::make(Role::client, StreamType::bidirectional, index);
}
inline StreamId client_uni(std::uint64_t index) {
  return StreamId::make(Role::client, StreamType::unidirectional, index);
}
inline StreamId server_bidi(std::uint64_t index) {
  return StreamId::make(Role::server, StreamType::bidirectional, index);
}
inline StreamId server_uni(std::uint64_t index) {
  return StreamId::make(Role::server, StreamType::unidirectional, index);
}

#define MXP_TEST_ERROR(result, expected_code)                                 \
  do {                                                                        \
    const auto outcome_ = (result);                                           \
    BOOST_REQUIRE(!outcome_.has_value());                                     \
    BOOST_TEST((outcome_.error().code == TransportErrorCode::expected_code)); \
  } while (false)

}  // namespace mxp::test
