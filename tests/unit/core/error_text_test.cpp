#include <boost/test/unit_test.hpp>
#include <set>
#include <string>

#include "core/frames.h"
#include "mxp/connection.h"
#include "mxp/datagram.h"
#include "mxp/drain.h"
#include "mxp/endpoint.h"
#include "mxp/error.h"
#include "mxp/trace.h"

using namespace mxp;

namespace {

// Every value of the enum up to and with `last` has words of its own, and the number after it has none.
template <typename E>
void every_value_has_words(E last) {
  const auto count = static_cast<unsigned>(last) + 1;
  std::set<std::string_view> words;
  for (unsigned i = 0; i < count; ++i) {
    const std::string_view text = to_string(static_cast<E>(i));
    BOOST_TEST(!text.starts_with("unknown e"));
    words.insert(text);
  }
  BOOST_TEST(words.size() == count);
  BOOST_TEST(!words.contains(to_string(static_cast<E>(count))));
}

}  // namespace

BOOST_AUTO_TEST_SUITE(error_text)

BOOST_AUTO_TEST_CASE(every_enum_is_complete) {
  every_value_has_words(TransportErrorCode::drain_deadline);
  every_value_has_words(DropReason::key_unavailable);
  every_value_has_words(StreamError::draining);
  every_value_has_words(ConnectError::invalid_server_key);
  every_value_has_words(ConnectionState::closed);
  every_value_has_words(BlockedBy::handshake);
  every_value_has_words(MessageOutcome::unknown);
  every_value_has_words(SendMessageError::draining);
  every_value_has_words(DatagramOutcome::too_large);
  every_value_has_words(CallError::draining);
  every_value_has_words(CallOutcome::unknown);
  every_value_has_words(CallEnd::timed_out);
  every_value_has_words(AnswerError::connection_closed);
  every_value_has_words(DrainStage::agreed);
  every_value_has_words(DrainError::connection_closed);
}

BOOST_AUTO_TEST_CASE(a_datagram_that_is_too_large_is_told_the_limit) {
  using Kind = DatagramError::Kind;
  BOOST_TEST(to_string(DatagramError{Kind::too_large, 1170}) ==
             "larger than the 1170 bytes that a datagram may have now");
  std::set<std::string> words;
  for (const Kind kind : {Kind::too_large, Kind::queue_full, Kind::expired, Kind::not_taken_by_peer,
                          Kind::connection_closed, Kind::draining})
    words.insert(to_string(DatagramError{kind}));
  BOOST_TEST(words.size() == 6u);
}

BOOST_AUTO_TEST_CASE(codes_have_their_numbers) {
  BOOST_TEST(to_string(static_cast<TransportErrorCode>(0x03)) == "flow control error");
  BOOST_TEST(to_string(static_cast<TransportErrorCode>(0x0f)) == "unknown frame");
  BOOST_TEST(to_string(static_cast<TransportErrorCode>(0x13)) == "connection id limit error");
}

BOOST_AUTO_TEST_SUITE_END()
