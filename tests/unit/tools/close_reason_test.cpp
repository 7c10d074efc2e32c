#include "mxp-cat/close_reason.h"

#include <boost/test/unit_test.hpp>
#include <chrono>

#include "mxp/config.h"

namespace mxp::tools {
namespace {

using namespace std::chrono_literals;

bool has(const std::string& text, std::string_view part) { return text.find(part) != std::string::npos; }

BOOST_AUTO_TEST_SUITE(close_reason)

BOOST_AUTO_TEST_CASE(no_answer_names_the_limit_that_was_set) {
  const CloseInfo unanswered{.by = CloseInfo::By::timeout, .before_established = true};
  const ToolError error = describe_close(unanswered, {.peer = "192.0.2.1:9000", .handshake_timeout = 1500ms});
  BOOST_TEST((error.kind == ErrorKind::timeout));
  BOOST_TEST(has(error.message, "no answer from 192.0.2.1:9000 within 1.50 s: "));
}

BOOST_AUTO_TEST_CASE(no_answer_without_a_limit_names_no_time) {
  const CloseInfo unanswered{.by = CloseInfo::By::timeout, .before_established = true};
  const ToolError error = describe_close(unanswered, {.peer = "192.0.2.1:9000"});
  BOOST_TEST((error.kind == ErrorKind::timeout));
  BOOST_TEST(has(error.message, "no answer from 192.0.2.1:9000: "));
  BOOST_TEST(!has(error.message, "0 ns"));
}

BOOST_AUTO_TEST_CASE(a_lost_connection_names_both_timeouts_as_far_as_they_are_known) {
  const CloseInfo lost{.by = CloseInfo::By::timeout};
  const ToolError ours = describe_close(lost, {.peer = "192.0.2.1:9000", .idle_timeout = 30s, .silence = 31s});
  BOOST_TEST((ours.kind == ErrorKind::network));
  BOOST_TEST(has(ours.message, "silence for 31.00 s, past the idle timeout (ours is 30.00 s;"));
  const ToolError theirs = describe_close(lost, {.peer = "192.0.2.1:9000", .silence = 5s});
  BOOST_TEST(has(theirs.message, "silence for 5.00 s, past the idle timeout (the peer's)"));
  BOOST_TEST(!has(theirs.message, "0 ns"));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace mxp::tools
