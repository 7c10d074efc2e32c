#include "mxp-perf/workloads/workload.h"

#include <algorithm>
#include <utility>

namespace mxp::perf {

namespace {
constexpr std::pair<std::string_view, Test> kTests[] = {{"bulk", Test::bulk},           {"rr", Test::rr},
                                                        {"messages", Test::messages},   {"datagrams", Test::datagrams},
                                                        {"isolation", Test::isolation}, {"mixed", Test::mixed},
                                                        {"streams", Test::streams},     {"connect", Test::connect}};
}  // namespace

std::string_view to_string(Test test) {
  return std::ranges::find(kTests, test, &std::pair<std::string_view, Test>::second)->first;
}

std::optional<Test> test_of(std::string_view name) {
  const auto* found = std::ranges::find(kTests, name, &std::pair<std::string_view, Test>::first);
  return found == std::end(kTests) ? std::nullopt : std::optional(found->second);
}

std::vector<std::string> test_names() {
  std::vector<std::string> names;
  for (const auto& [name, test] : kTests) names.emplace_back(name);
  return names;
}

std::string_view to_string(LoadDirection flow) {
  switch (flow) {
    case LoadDirection::up: return "up";
    case LoadDirection::down: return "down";
    case LoadDirection::both: return "both";
  }
  return "up";
}

}  // namespace mxp::perf
