#include "core/utf8.h"

#include <boost/test/unit_test.hpp>

#include "support/hex.h"

using namespace mxp;
using mxp::test::hex;

BOOST_AUTO_TEST_SUITE(utf8)

BOOST_AUTO_TEST_CASE(edges_of_every_length_are_taken) {
  for (const char* bytes :
       {"", "00", "7f", "c280", "dfbf", "e0a080", "ed9fbf", "ee8080", "efbfbf", "f0908080", "f48fbfbf", "61e282ac62"}) {
    BOOST_TEST(is_valid_utf8(hex(bytes)), bytes);
  }
}

BOOST_AUTO_TEST_CASE(malformed_sequences_are_refused) {
  for (const char* bytes : {"80",       "bf",       "c0af",   "c1bf",   "c2",     "c27f", "c2c0",     "dfbfbf",
                            "e09fbf",   "e0a0",     "eda080", "edbfbf", "e28228", "e282", "f08fbfbf", "f4908080",
                            "f5808080", "f0908028", "f09080", "ff",     "fe",     "61c2"}) {
    BOOST_TEST(!is_valid_utf8(hex(bytes)), bytes);
  }
}

BOOST_AUTO_TEST_SUITE_END()
