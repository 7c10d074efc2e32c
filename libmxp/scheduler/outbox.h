// The one arbiter over everything on a connection that waits to be sent. What
// waits belongs to sources (messages, streams, datagrams, and the connection's credit); they share a few verbs: what is
// pending in which class, write it into this packet, it was acknowledged, it was lost. The outbox holds nothing itself.
// It decides whose frames go into a packet, in this order:
//
//   1. control frames: they are small, and the peer waits for them
//   2. data, class after class (docs/protocol.md §1): the classes share the bytes by weight, and the critical class
//      passes the others within bounds (fair_queue.h). Within a class the sources have equal shares, and of what is
//      theirs they send first what was lost; it costs no credit
//
// A probe may ask for new data before what was lost.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <span>
#include <utility>
#include <vector>

#include "core/cursor.h"
#include "core/sent_frame.h"
#include "mxp/config.h"
#include "mxp/time.h"
#include "mxp/trace.h"
#include "scheduler/connection_credit.h"
#include "scheduler/datagrams.h"
#include "scheduler/fair_queue.h"
#include "scheduler/messages.h"
#include "scheduler/sent_frame_sink.h"
#include "scheduler/streams.h"

namespace mxp {

class Outbox {
 public:
  using Classes = std::uint8_t;  // bit i: class i
  enum class Order : std::uint8_t { lost_first, new_first };

  // The sources outlive this object.
  Outbox(const SchedulerConfig& config, ConnectionCredit& credit, Messages& messages, Streams& streams)
      : queue_(config.class_weights, config.critical_burst), credit_(credit), messages_(messages), streams_(streams) {}

  // Datagrams are a source from now on, if the peer takes them. They outlive this object.
  void add(Datagrams& datagrams) { datagrams_ = &datagrams; }
  // The time by which datagrams are judged, and whether they may go: a packet that is smaller than the path's would
  // make them wait in vain.
  enum class DatagramsNow : std::uint8_t { may_go, wait };
  void on_clock(Timestamp now, DatagramsNow datagrams) {
    now_ = now;
    datagrams_wait_ = datagrams == DatagramsNow::wait;
  }

  // Whether write_frames would write something into an empty packet.
  bool has_pending() const { return has_control() || pending_classes() != 0; }
  // Whether messages or streams of the critical class wait, what is new or what was lost.
  bool has_critical() const {
    return messages_.has_pending(MessageClass::critical) || streams_.has_pending(MessageClass::critical);
  }
  // Whether a probe can carry something new: data of streams that were never sent and that flow control lets go.
  bool has_new_data() const { return classes_with_new_data() != 0; }
  // Whether something waits, and all of it can wait for company: new messages, or new data of streams too, none of it
  // critical, and all of it together less than `bytes`.
  enum class Patient : std::uint8_t { messages, messages_and_streams };
  bool can_wait(std::size_t bytes, Patient who) const;
  // Fills the packet. Each frame is told to `sent` after it was written. Returns whether there was any.
  bool write_frames(Writer& out, SentFrameSink sent, Order order = Order::lost_first);

  // Whether what `sent` is told just now is data of the critical class.
  bool writes_critical() const { return writes_critical_; }

  // The classes that have something to send now, and those that sent something since the last call.
  Classes pending_classes() const;
  Classes take_served() { return std::exchange(served_, Classes{0}); }
  // What a class waits for that has nothing to send now: for credit, or for its application.
  BlockedBy awaited(MessageClass traffic_class) const;

  // From now on decisions can be asked for.
  void keep_decisions() { decisions_ = std::make_unique<std::vector<TraceScheduled>>(); }
  // Those of the last write_frames, without the number of its packet.
  std::span<const TraceScheduled> decisions() const {
    return decisions_ ? std::span<const TraceScheduled>(*decisions_) : std::span<const TraceScheduled>();
  }

  // The fate of what `sent` was told. Kinds of frames that the sources do not write are ignored. Each function may be
  // called for a frame at most once, but an acknowledgement after a loss (a spurious one) is fine.
  void on_frame_acknowledged(const SentFrame& frame);
  void on_frame_lost(const SentFrame& frame);

 private:
  using Queue = FairQueue<kMessageClasses>;

  bool has_control() const { return credit_.has_pending() || messages_.has_control() || streams_.has_control(); }
  template <typename Has>
  static Classes classes_that(Has has);
  Classes classes_with_new_data() const;
  bool has_datagrams(MessageClass traffic_class) const {
    return datagrams_ != nullptr && !datagrams_wait_ && datagrams_->has_pending(traffic_class, now_);
  }
  using Source = TraceScheduled::Source;
  static constexpr std::size_t kSources = 3;
  bool has_lost(Source source, MessageClass traffic_class) const {
    return source == Source::messages  ? messages_.has_lost(traffic_class)
           : source == Source::streams ? streams_.has_lost_data(traffic_class)
                                       : false;
  }
  void keep_decision(MessageClass traffic_class, Source source, bool lost_first, std::size_t bytes);
  void write_source(Source source, MessageClass traffic_class, Writer& out, SentFrameSink sent, std::size_t max_bytes);
  void write_class(MessageClass traffic_class, Writer& out, SentFrameSink sent, std::size_t max_bytes);

  Queue queue_;
  ConnectionCredit& credit_;
  Messages& messages_;
  Streams& streams_;
  Datagrams* datagrams_ = nullptr;
  Timestamp now_{};
  bool datagrams_wait_ = false;
  bool writes_critical_ = false;
  Classes served_ = 0;
  std::unique_ptr<std::vector<TraceScheduled>> decisions_;  // none: nobody wants to know
  // Of each class, what each source has sent since more than one waits; who does not wait keeps up with the others.
  std::array<std::array<std::uint64_t, kSources>, kMessageClasses> sent_by_{};
};

}  // namespace mxp
