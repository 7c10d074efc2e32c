// The trace events of packets, with their frames for a sink that wants them (TraceSink::wants_frames). Where there is
// no sink, each of these is one test.
#pragma once

#include "connection/parts.h"
#include "core/frames.h"
#include "mxp/trace.h"

namespace mxp {

// A packet whose frames are in the log of sent frames, from `frames_begin` to its end. PADDING is not told.
void trace_sent(const Parts& parts, Timestamp now, TracePacketSent packet, std::uint64_t frames_begin);
// A packet of nothing but this.
void trace_sent_close(const Parts& parts, Timestamp now, TracePacketSent packet, const CloseFrame& close);
void trace_received(const Parts& parts, Timestamp now, TracePacketReceived packet, ByteView payload);

}  // namespace mxp
