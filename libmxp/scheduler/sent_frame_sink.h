// Where write_frames reports what it wrote: a reference to any callable that takes a SentFrame. It is two pointers,
// allocates nothing, and must not outlive the callable.
#pragma once

#include <concepts>
#include <memory>
#include <type_traits>

#include "core/sent_frame.h"

namespace mxp {

class SentFrameSink {
 public:
  template <class Add>
    requires(!std::same_as<std::remove_cvref_t<Add>, SentFrameSink> && std::invocable<Add&, const SentFrame&>)
  SentFrameSink(Add&& add)  // NOLINT: implicit, so that a lambda can be passed
      : target_(const_cast<void*>(static_cast<const void*>(std::addressof(add)))),
        call_([](void* target, const SentFrame& frame) {
          (*static_cast<std::add_pointer_t<std::remove_reference_t<Add>>>(target))(frame);
        }) {}

  void operator()(const SentFrame& frame) const { call_(target_, frame); }

 private:
  void* target_;
  void (*call_)(void*, const SentFrame&);
};

}  // namespace mxp
