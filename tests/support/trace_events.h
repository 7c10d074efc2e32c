// One of each trace event, with values that a test can find again, and secrets that nothing may write down.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "mxp/trace.h"

namespace mxp::test {

using namespace std::chrono_literals;

inline const ConnectionId kLocalId({0x11, 0x22, 0x33, 0x44, 0x55, 0x66, 0x77, 0x88});
inline constexpr std::array<std::uint8_t, 32> kSecretToServer = {
    0xde, 0xad, 0xbe, 0xef, 0x5e, 0xc2, 0xe7, 0x01, 0xde, 0xad, 0xbe, 0xef, 0x5e, 0xc2, 0xe7, 0x02,
    0xde, 0xad, 0xbe, 0xef, 0x5e, 0xc2, 0xe7, 0x03, 0xde, 0xad, 0xbe, 0xef, 0x5e, 0xc2, 0xe7, 0x04};
inline constexpr std::array<std::uint8_t, 32> kSecretToClient = {
    0xca, 0xfe, 0xba, 0xbe, 0x5e, 0xc2, 0xe7, 0x11, 0xca, 0xfe, 0xba, 0xbe, 0x5e, 0xc2, 0xe7, 0x12,
    0xca, 0xfe, 0xba, 0xbe, 0x5e, 0xc2, 0xe7, 0x13, 0xca, 0xfe, 0xba, 0xbe, 0x5e, 0xc2, 0xe7, 0x14};

// Whether a text holds any four bytes of the secrets in a row, raw, in hexadecimal or in base64.
inline bool holds_secret(std::string_view text) {
  constexpr std::string_view kForms[] = {"deadbeef", "DEADBEEF",         "cafebabe",         "CAFEBABE", "5ec2e7",
                                         "5EC2E7",   "\xde\xad\xbe\xef", "\xca\xfe\xba\xbe", "3q2+7",    "3q2-7",
                                         "yv66v"};
  for (const std::string_view form : kForms)
    if (text.find(form) != std::string_view::npos) return true;
  return false;
}

// A reason of a peer that would move a cursor and break out of a string, were it not escaped.
inline constexpr std::string_view kHostileReason = "bye\"}\n\x1e\x1b[31m\\u0000 \xe2\x80\xae";

// In an order that a connection could have. The views are into statics.
inline std::vector<TraceEvent> every_event(Role role = Role::client) {
  static constexpr std::array<TraceAckRange, 2> kRanges = {TraceAckRange{PacketNumber(7), PacketNumber(9)},
                                                           TraceAckRange{PacketNumber(1), PacketNumber(3)}};
  static const std::vector<TraceFrame> frames = [] {
    std::vector<TraceFrame> all;
    for (std::size_t kind = 0; kind < kTraceFrameKinds; ++kind)
      all.push_back({static_cast<TraceFrameKind>(kind), kind % 2 == 0, 4, 1000 + kind, 10 + kind});
    return all;
  }();
  const TraceFrames told{frames, kRanges, true};
  const SocketAddress remote = SocketAddress::ipv4(192, 0, 2, 1, 9000), local = SocketAddress::ipv4(10, 0, 0, 1, 40000);
  StreamStats stream{.open_time = 1500ms, .bytes_sent = 12345};
  stream.blocked_time[static_cast<std::size_t>(BlockedBy::pacing)] = 250ms;
  return {
      TraceAdmission{true, TransportErrorCode::no_error, PublicKey(), remote},
      TraceStarted{role, remote, local, PublicKey()},
      TraceBlocked{BlockedBy::handshake},
      TraceHandshakeSent{1, true},
      TraceSecrets{kLocalId, kLocalId, 0, kSecretToServer, kSecretToClient},
      TraceParameters{.side = TraceParameters::Side::ours, .suite = Suite::aes_256_gcm, .max_idle_timeout = 30s},
      TraceParameters{.side = TraceParameters::Side::peer, .suite = Suite::aes_256_gcm, .initial_max_data = 4321},
      TraceEstablished{12ms},
      TraceStreamsOpened{false, 1, StreamId(4)},
      TraceStreamsOpened{true, 3, StreamId()},
      TraceScheduled{PacketNumber(5), MessageClass::critical, TraceScheduled::Source::messages,
                     TraceScheduled::Because::preempts, false, 77},
      TracePacketSent{PacketNumber(5), 1200, true, true, told},
      TracePacketReceived{PacketNumber(6), 60, told},
      TracePacketLost{PacketNumber(2), 1200, LossReason::time},
      TracePacketDropped{DropReason::authentication_failed, 99, remote},
      TraceCongestion{64000, 1200, 20ms, 21ms, 19ms, 1ms},
      TraceBlocked{BlockedBy::congestion},
      TraceClassBlocked{MessageClass::streaming, BlockedBy::stream_credit},
      TraceHeldBack{Timestamp(5s), true},
      TraceMessagesExpired{2},
      TraceTailRepair{TraceTailRepair::Of::stream, 4, 100, 200},
      TraceKeyUpdated{TraceKeyUpdated::KeySide::sending, 1, TraceKeyUpdated::Begun::by_us},
      TraceDatagramSize{1452},
      TraceEcn{EcnState::off},
      TracePathChanged{local, remote},
      TraceForwardDelay{3ms},
      TraceDatagrams{1, 2, 3, 4},
      TraceDrain{TraceDrain::Side::peer, DrainStage::begun},
      TraceStreamEnded{StreamId(4), stream},
      TraceClosed{CloseInfo::By::peer, false, 10, 8, false, kHostileReason},
      TraceForgotten{},
  };
}

}  // namespace mxp::test
