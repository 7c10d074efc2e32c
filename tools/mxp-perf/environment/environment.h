// The machine and the program that a result was measured with, as far as the system tells: so that two results can be
// told apart by more than their figures. The machine's name is not in it.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>

#include "mxp/event_loop.h"

namespace mxp::perf {

// Of the sources when the build was configured; "" outside of a repository.
std::string_view build_commit();

struct Environment {
  std::string kernel;     // "Linux 6.1.0-18-amd64 x86_64"
  std::string cpu_model;  // "" = not told, as below
  unsigned cpus = 0;      // that this process may use
  std::string governor;   // of the first of them
  std::string commit;     // build_commit()
  CarrierCapabilities socket;

  static Environment here(const EventLoop& loop);
};
// Keys that do not apply are absent.
nlohmann::json to_json(const Environment& environment);

}  // namespace mxp::perf
