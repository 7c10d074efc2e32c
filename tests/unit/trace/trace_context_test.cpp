#include "mxp/trace_context.h"

#include <boost/test/unit_test.hpp>
#include <string>

using namespace mxp;

BOOST_AUTO_TEST_SUITE(trace_context)

BOOST_AUTO_TEST_CASE(the_example_of_the_standard_is_read) {
  const auto context = TraceContext::parse("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01");
  BOOST_REQUIRE(context.has_value());
  BOOST_TEST(context->trace_id[0] == 0x0a);
  BOOST_TEST(context->parent_id[7] == 0x31);
  BOOST_TEST(context->flags == 1);
  BOOST_TEST(context->message_trace_id() == 0x8448eb211c80319cu);
}

BOOST_AUTO_TEST_CASE(a_message_always_gets_an_id_that_is_not_zero) {
  const auto context = TraceContext::parse("00-0af7651916cd43dd0000000000000000-b7ad6b7169203331-00");
  BOOST_REQUIRE(context.has_value());
  BOOST_TEST(context->message_trace_id() == 0x0af7651916cd43ddu);
}

BOOST_AUTO_TEST_CASE(what_is_malformed_is_none) {
  const std::string good = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
  const auto with = [&](std::size_t at, char c) {
    std::string text = good;
    text[at] = c;
    return text;
  };
  for (const std::string& text :
       {std::string(), good.substr(1), good.substr(0, 54), good + "-", good + "0", with(2, '_'), with(35, '0'),
        with(52, '0'), with(3, 'A'), with(20, 'g'), with(0, 'f').replace(1, 1, "f"), with(54, ' '),
        std::string("00-00000000000000000000000000000000-b7ad6b7169203331-01"),
        std::string("00-0af7651916cd43dd8448eb211c80319c-0000000000000000-01")})
    BOOST_TEST(!TraceContext::parse(text).has_value(), text);
  // A later version may say more.
  BOOST_TEST(TraceContext::parse("01" + good.substr(2) + "-more").has_value());
  BOOST_TEST(!TraceContext::parse("01" + good.substr(2) + "more").has_value());
}

BOOST_AUTO_TEST_SUITE_END()
