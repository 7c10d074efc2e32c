#include "core/buffer_pool.h"

#include <boost/test/unit_test.hpp>

using namespace mxp;

BOOST_AUTO_TEST_SUITE(buffer_pool)

BOOST_AUTO_TEST_CASE(buffers_are_recycled_rather_than_made) {
  BufferPool pool(64, 4);
  const std::uint8_t* first = nullptr;
  {
    PooledBuffer buffer = pool.acquire();
    BOOST_REQUIRE(buffer);
    first = buffer.bytes().data();
    BOOST_TEST(buffer.bytes().size() == 64u);
    BOOST_TEST(pool.in_use() == 1u);
  }
  BOOST_TEST(pool.in_use() == 0u);
  PooledBuffer again = pool.acquire();
  BOOST_TEST(again.bytes().data() == first);
  BOOST_TEST(pool.allocated() == 1u);
}

BOOST_AUTO_TEST_CASE(pool_never_exceeds_its_bound) {
  BufferPool pool(16, 2);
  PooledBuffer a = pool.acquire(), b = pool.acquire();
  PooledBuffer none = pool.acquire();
  BOOST_TEST(!none);
  BOOST_TEST(none.bytes().empty());
  a.release();
  BOOST_TEST(!a);
  BOOST_TEST(bool(pool.acquire()));
  BOOST_TEST(pool.allocated() == 2u);
}

BOOST_AUTO_TEST_CASE(moved_buffer_goes_back_once) {
  BufferPool pool(16, 2);
  PooledBuffer a = pool.acquire();
  PooledBuffer b = std::move(a);
  BOOST_TEST(pool.in_use() == 1u);
  b = pool.acquire();  // the one it held goes back
  BOOST_TEST(pool.in_use() == 1u);
  b.release();
  b.release();
  BOOST_TEST(pool.in_use() == 0u);
}

BOOST_AUTO_TEST_SUITE_END()
