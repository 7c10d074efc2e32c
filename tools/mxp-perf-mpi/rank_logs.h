// With --hlog FILE the log of each rank lies beside that of all: FILE.rank-N. As FILE itself they are opened before the
// test. What an earlier run with more ranks left goes, so that `mxp-perf merge FILE.rank-*` makes the same of them.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "common/tool_error.h"
#include "mxp-perf-mpi/outcome.h"
#include "udp/unique_fd.h"

namespace mxp::perf_mpi {

class RankLogs {
 public:
  // `hlog`: FILE, or "" where no log is asked for. `arguments` is the raw command line: the files that it names are
  // neither overwritten nor removed. Refuses a FILE.rank-N of no rank that is no log of mxp-perf.
  static tools::Result<RankLogs> open(const std::string& hlog, int ranks, std::span<const std::string> arguments);

  // The log of a rank that has none stays empty.
  tools::Result<void> write(std::span<const Outcome> outcomes);

 private:
  std::string hlog_;
  std::vector<UniqueFd> files_;  // by rank; empty where no log is asked for
};

}  // namespace mxp::perf_mpi
