#include "mxp/random.h"

#include <boost/test/unit_test.hpp>

using namespace mxp;

BOOST_AUTO_TEST_SUITE(random_numbers)

namespace {

// 0x01, 0x02, 0x03, …
class CountingRandom final : public Random {
 public:
  void fill(MutableBytes out) override {
    for (std::uint8_t& byte : out) byte = ++last_;
  }

 private:
  std::uint8_t last_ = 0;
};

}  // namespace

BOOST_AUTO_TEST_CASE(a_number_is_eight_fresh_bytes_the_first_one_highest) {
  CountingRandom random;
  BOOST_TEST(random_u64(random) == 0x0102030405060708u);
  BOOST_TEST(random_u64(random) == 0x090a0b0c0d0e0f10u);
}

BOOST_AUTO_TEST_SUITE_END()
