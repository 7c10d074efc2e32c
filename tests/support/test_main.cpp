// The entry point of every test binary.
#define BOOST_TEST_MODULE mxp
#include <boost/test/unit_test.hpp>
