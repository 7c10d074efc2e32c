// The table of calls against a map of them.
#include <rapidcheck.h>

#include <boost/test/unit_test.hpp>

#include "message/call_table.h"

using namespace mxp;

namespace call_table_property {
namespace {

struct Step {
  int action;
  int number;
};
std::vector<Step> some_steps() {
  return *rc::gen::container<std::vector<Step>>(
      rc::gen::construct<Step>(rc::gen::inRange(0, 8), rc::gen::inRange(0, 1000)));
}

}  // namespace

BOOST_AUTO_TEST_SUITE(call_table_property)

BOOST_AUTO_TEST_CASE(random_calls_match_a_map) {
  BOOST_TEST(rc::check([] {
    const auto limit = *rc::gen::inRange<std::size_t>(1, 40);
    CallTable table(limit);
    std::map<std::uint64_t, CallTable::Call> model;  // by id
    std::vector<std::uint64_t> given_out;
    Timestamp now{};
    const auto earliest = [&] {
      Timestamp deadline = kNever;
      for (const auto& [id, call] : model) deadline = std::min(deadline, call.deadline);
      return deadline;
    };
    for (const auto& [action, number] : some_steps()) {
      if (action <= 2) {
        const Timestamp deadline = number % 10 == 0 ? kNever : now + std::chrono::milliseconds(number % 50);
        const auto id = table.begin(deadline, static_cast<std::uint64_t>(number));
        RC_ASSERT(id.has_value() == (model.size() < limit));
        if (id) {
          RC_ASSERT(*id != 0u);
          RC_ASSERT(std::find(given_out.begin(), given_out.end(), *id) == given_out.end());
          given_out.push_back(*id);
          model[*id] = {*id, deadline, static_cast<std::uint64_t>(number)};
        }
      } else if (action <= 5) {  // an answer or the end of interest: of a call that waits, one that is over, or of none
        const std::uint64_t id = given_out.empty() || number % 20 == 0
                                     ? static_cast<std::uint64_t>(number)
                                     : given_out[static_cast<std::size_t>(number) % given_out.size()];
        const auto known = model.find(id);
        const CallTable::Call* const found = table.find(id);
        RC_ASSERT((found != nullptr) == (known != model.end()));
        if (found != nullptr)
          RC_ASSERT(found->cookie == known->second.cookie && found->deadline == known->second.deadline);
        const auto taken = action == 3 ? table.cancel(id) : table.finish(id);
        RC_ASSERT(taken.has_value() == (known != model.end()));
        if (taken) {
          RC_ASSERT(taken->id == id && taken->cookie == known->second.cookie);
          model.erase(known);
        }
      } else {
        now += std::chrono::milliseconds(number % 30);
        while (const auto expired = table.poll_expired(now)) {
          RC_ASSERT(expired->deadline <= now);
          RC_ASSERT(expired->deadline == earliest());
          RC_ASSERT(model.erase(expired->id) == 1u);
        }
        RC_ASSERT(earliest() > now);
      }
      RC_ASSERT(table.size() == model.size());
      RC_ASSERT(table.next_deadline() == earliest());
    }
  }));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace call_table_property
