// The streams of a connection together with the credit and the outbox that they work with, and nothing else of it.
#pragma once

#include "scheduler/connection_credit.h"
#include "scheduler/outbox.h"
#include "scheduler/streams.h"

namespace mxp::test {

struct NoMessageEvents : MessageEvents {
  bool on_message(const Message&) override { return true; }
  void on_messages_expired(std::uint64_t) override {}
  void on_message_outcome(MessageTicket, MessageOutcome) override {}
  void on_messages_writable(MessageClass) override {}
};

struct CreditOfStreams {
  ConnectionCredit credit;
  MessageConfig no_messages{};
  NoMessageEvents message_events{};
  Messages messages{no_messages, message_events};
};

class LoneStreams : public CreditOfStreams, public Streams {
 public:
  LoneStreams(Role role, const FlowControlConfig& config, StreamEvents& events, std::uint64_t hash_key,
              const SchedulerConfig& scheduler = {})
      : CreditOfStreams{ConnectionCredit(config)},
        Streams(role, config, credit, events, hash_key),
        outbox(scheduler, credit, messages, *this) {}

  void on_peer_parameters(const TransportParameters& parameters) {
    credit.raise(parameters.initial_max_data);
    Streams::on_peer_parameters(parameters);
  }
  void on_clock(Timestamp now, Duration smoothed_rtt) {
    credit.on_clock(now, smoothed_rtt);
    Streams::on_clock(now, smoothed_rtt);
  }
  using Streams::on_frame;
  std::expected<void, TransportError> on_frame(const MaxDataFrame& frame) {
    credit.on_frame(frame);
    return {};
  }
  std::expected<void, TransportError> on_frame(const DataBlockedFrame& frame) {
    credit.on_frame(frame);
    return {};
  }
  bool has_pending() const { return outbox.has_pending(); }
  bool write_frames(Writer& out, SentFrameSink sent) { return outbox.write_frames(out, sent); }
  void on_frame_acknowledged(const SentFrame& frame) { outbox.on_frame_acknowledged(frame); }
  void on_frame_lost(const SentFrame& frame) { outbox.on_frame_lost(frame); }

  Outbox outbox;
};

}  // namespace mxp::test
