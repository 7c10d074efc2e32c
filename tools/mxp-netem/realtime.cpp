#include "mxp-netem/realtime.h"

#include <sched.h>

#include <cerrno>

namespace mxp::tools {

Result<void> become_realtime() {
  // The lowest priority of those that come before ordinary ones: in turn with what else is there.
  sched_param parameters{};
  parameters.sched_priority = ::sched_get_priority_min(SCHED_RR);
  if (::sched_setscheduler(0, SCHED_RR | SCHED_RESET_ON_FORK, &parameters) == 0) return {};
  return fail_errno(ErrorKind::io,
                    "--realtime: the system does not allow it without CAP_SYS_NICE or a limit (ulimit -r)", errno);
}

}  // namespace mxp::tools
