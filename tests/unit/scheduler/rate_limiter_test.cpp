#include "scheduler/rate_limiter.h"

#include <boost/test/unit_test.hpp>
#include <vector>

#include "core/split_mix.h"

using namespace mxp;
using namespace std::chrono_literals;

BOOST_AUTO_TEST_SUITE(rate_limiter)

BOOST_AUTO_TEST_CASE(without_a_rate_there_is_no_limit) {
  RateLimiter limiter(ByteRate(), 1);
  for (int i = 0; i < 3; ++i) {
    BOOST_TEST((limiter.ready_at(1u << 30) == Timestamp::min()));
    limiter.take(Timestamp(1h), 1u << 30);
  }
}

BOOST_AUTO_TEST_CASE(a_piece_larger_than_the_burst_waits_for_a_full_bucket_and_is_paid_for) {
  RateLimiter limiter(ByteRate::bytes_per_second(1000), 100);
  const Timestamp start{1h};
  limiter.take(start, 1000);
  BOOST_TEST((limiter.ready_at(100) == start + 1s));
  BOOST_TEST((limiter.ready_at(1000) == start + 1s));
  BOOST_TEST((limiter.ready_at(1) == start + 901ms));
  limiter.take(start + 1s, 1000);
  BOOST_TEST((limiter.ready_at(100) == start + 2s));
}

// The guarantee in the header, over every pair of times of random traffic that takes all it may; and all it may is no
// less than the rate.
BOOST_AUTO_TEST_CASE(bytes_never_exceed_burst_and_rate_and_use_them_up) {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    std::uint64_t drawn = seed << 32;
    const auto next = [&drawn] { return split_mix(drawn += kGoldenGamma); };
    const std::uint64_t rate = 1000 + next() % 10'000'000, burst = 100 + next() % 5000;
    RateLimiter limiter(ByteRate::bytes_per_second(rate), burst);
    Timestamp now{1h};
    struct Taken {
      Timestamp at;
      std::uint64_t bytes;
    };
    std::vector<Taken> log;
    for (int i = 0; i < 300; ++i) {
      const std::uint64_t bytes = 1 + next() % burst;
      if (next() % 10 == 0) now += Duration(static_cast<Duration::rep>(next() % 10'000'000));
      else now = std::max(now, limiter.ready_at(bytes));
      if (limiter.ready_at(bytes) > now) continue;
      limiter.take(now, bytes);
      log.push_back({now, bytes});
    }
    for (std::size_t from = 0; from < log.size(); ++from) {
      std::uint64_t sum = 0;
      for (std::size_t to = from; to < log.size(); ++to) {
        sum += log[to].bytes;
        BOOST_REQUIRE(sum <= burst + ByteRate::bytes_per_second(rate).bytes_in(log[to].at - log[from].at) + 1);
      }
    }
    // A sender that is always there loses nothing to rounding.
    std::uint64_t sent = 0;
    const Timestamp begin = now;
    while (now < begin + 10s) {
      now = std::max(now, limiter.ready_at(burst));
      limiter.take(now, burst);
      sent += burst;
    }
    BOOST_TEST(static_cast<double>(sent) > 0.999 * 10.0 * static_cast<double>(rate));
  }
}

BOOST_AUTO_TEST_SUITE_END()
