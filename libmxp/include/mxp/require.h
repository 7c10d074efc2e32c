// Preconditions: what a header states with "REQUIRES:" is checked with this, in every build. A caller that breaks one
// has a bug that no return value can mend, so the process stops and says where (docs/architecture.md,
// "Errors"). The check is one comparison and a branch that is never taken; what costs more than that is not checked.
#pragma once

#pragma GCC visibility push(default)
namespace mxp {

// Writes "mxp: precondition broken: CONDITION (FILE:LINE)" to standard error and aborts.
[[noreturn]] void precondition_broken(const char* condition, const char* file, int line) noexcept;

}  // namespace mxp
#pragma GCC visibility pop

#define MXP_REQUIRE(condition) \
  (static_cast<bool>(condition) ? void() : ::mxp::precondition_broken(#condition, __FILE__, __LINE__))
