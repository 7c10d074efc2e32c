// The records of a qlog file: one JSON text for each event, in either flavour.
#pragma once

#include <string>

#include "mxp/qlog.h"

namespace mxp {

struct QlogHeader {
  QlogFlavour flavour;
  TraceClock clock;  // its `at` is the zero of the records' times
  ConnectionId connection;
  Role role;
  std::string_view program;
};

// Each of these appends one record, with its separators.
void append_qlog_header(std::string& out, const QlogHeader& header);
void append_qlog_dropped(std::string& out, Duration time, std::uint64_t count);
// Nothing for an event that no file tells of. `time` is since the header's zero.
void append_qlog_event(std::string& out, QlogFlavour flavour, Duration time, const TraceEvent& event);

}  // namespace mxp
