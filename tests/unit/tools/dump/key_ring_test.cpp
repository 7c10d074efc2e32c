#include "mxp-dump/dissect/key_ring.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <boost/test/unit_test.hpp>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <string>

#include "support/own_memory.h"
#include "support/sanitized.h"

namespace mxp::dump::test {
namespace {

// A key log of its own for each test.
class Log {
 public:
  Log() {
    const int fd = ::mkstemp(path_.data());
    BOOST_REQUIRE(fd >= 0);
    ::close(fd);
  }
  Log(const Log&) = delete;
  Log& operator=(const Log&) = delete;
  ~Log() { ::unlink(path_.c_str()); }

  void add(unsigned phase, unsigned id, std::string_view direction = "C2S") {
    std::ofstream(path_, std::ios::app) << fmt::format("MXP_{}_TRAFFIC_SECRET_{} {:016x} {:064x}\n", direction, phase,
                                                       id, phase + 1);
  }
  const std::string& path() const { return path_; }

 private:
  std::string path_ = "/tmp/mxp-key-log-XXXXXX";
};

ConnectionId id_of(unsigned number) {
  ConnectionId::Bytes bytes{};
  bytes.back() = static_cast<std::uint8_t>(number);
  return ConnectionId(bytes);
}

unsigned last_byte(const TrafficSecret& secret) { return secret.view().back(); }

}  // namespace

BOOST_AUTO_TEST_SUITE(key_ring)

BOOST_AUTO_TEST_CASE(phase_0_and_the_highest_phase_are_kept) {
  Log log;
  for (const unsigned phase : {0u, 1u, 2u, 1u, 0u}) log.add(phase, 7);  // two programs may share one log
  log.add(0, 8, "S2C");
  KeyRing keys;
  BOOST_REQUIRE(keys.load(log.path()).has_value());
  BOOST_TEST(keys.ids() == 2u);
  const LoggedKeys* found = keys.find(id_of(7));
  BOOST_REQUIRE(found != nullptr);
  BOOST_REQUIRE(found->phase_0.size() == 1u);
  BOOST_TEST(last_byte(found->phase_0.front()) == 1u);
  BOOST_TEST(found->highest_phase == 2u);
  BOOST_TEST(keys.find(id_of(8))->highest_phase == 0u);
  BOOST_TEST((keys.find(id_of(8))->direction == KeyLogLine::TrafficDirection::server_to_client));
  BOOST_TEST(keys.without_phase_0().ids == 0u);
}

BOOST_AUTO_TEST_CASE(different_secrets_of_one_id_are_all_kept_up_to_a_bound) {
  Log log;
  for (unsigned value = 1; value <= 2 * kMaxSecretsOfId; ++value) {
    std::ofstream(log.path(), std::ios::app) << fmt::format("MXP_C2S_TRAFFIC_SECRET_0 {:016x} {:064x}\n", 7, value);
  }
  KeyRing keys;
  BOOST_REQUIRE(keys.load(log.path()).has_value());
  const LoggedKeys* found = keys.find(id_of(7));
  BOOST_REQUIRE(found != nullptr);
  BOOST_TEST(found->phase_0.size() == kMaxSecretsOfId);
  BOOST_TEST(last_byte(found->phase_0.front()) == 1u);
}

BOOST_AUTO_TEST_CASE(later_phases_alone_are_no_key_and_are_counted) {
  Log log;
  log.add(3, 9);
  log.add(4, 9);
  log.add(2, 5, "S2C");
  log.add(0, 7);
  KeyRing keys;
  BOOST_REQUIRE(keys.load(log.path()).has_value());
  BOOST_REQUIRE(keys.find(id_of(9)) != nullptr);
  BOOST_TEST(keys.find(id_of(9))->phase_0.empty());
  const KeyRing::Headless headless = keys.without_phase_0();
  BOOST_TEST(headless.ids == 2u);
  BOOST_TEST((headless.example == id_of(5)));
  BOOST_TEST((headless.direction == KeyLogLine::TrafficDirection::server_to_client));
}

BOOST_AUTO_TEST_CASE(lines_that_come_later_are_read_when_they_are_asked_for) {
  Log log;
  log.add(1, 7);
  KeyRing keys;
  BOOST_REQUIRE(keys.load(log.path()).has_value());
  BOOST_TEST(keys.find(id_of(8)) == nullptr);
  BOOST_TEST(keys.find(id_of(7))->phase_0.empty());
  log.add(0, 7);
  log.add(0, 8);
  BOOST_TEST(keys.find(id_of(7))->phase_0.size() == 1u);
  BOOST_TEST(keys.find(id_of(8)) != nullptr);
  log.add(6, 8);
  BOOST_TEST(keys.highest_phase(id_of(8)) == 6u);
  BOOST_TEST(keys.highest_phase(id_of(1)) == 0u);
}

BOOST_AUTO_TEST_CASE(no_copy_of_a_line_stays_in_memory) {
#ifdef MXP_SANITIZED
  BOOST_TEST_MESSAGE("not under a sanitizer");
  return;
#endif
  Log log;
  // Written by another process, so that the text was never in this one.
  const std::string make =
      "(printf 'MXP_C2S_TRAFFIC_SECRET_0 0000000000000007 '; od -An -v -tx1 -N32 /dev/urandom | tr -d ' \\n'; "
      "echo) > " +
      log.path();
  BOOST_REQUIRE(std::system(make.c_str()) == 0);
  constexpr off_t kSecretAt = 25 + 17;
  std::string inverted;
  const int fd = ::open(log.path().c_str(), O_RDONLY | O_CLOEXEC);
  for (off_t at = kSecretAt + 44; at < kSecretAt + 64; ++at) {
    char byte = 0;
    BOOST_REQUIRE(::pread(fd, &byte, 1, at) == 1);
    inverted += static_cast<char>(~byte);
  }
  ::close(fd);
  KeyRing keys;
  BOOST_REQUIRE(keys.load(log.path()).has_value());
  BOOST_TEST(keys.find(id_of(7)) != nullptr);
  BOOST_TEST(mxp::test::copies_in_own_memory(inverted) == 0u);
  std::ifstream in(log.path());
  const std::string plain{std::istreambuf_iterator<char>(in), {}};  // the search does find what is there
  BOOST_TEST(mxp::test::copies_in_own_memory(inverted) > 0u);
}

BOOST_AUTO_TEST_CASE(a_capture_fills_only_its_own_share_and_what_is_left_out_is_counted) {
  constexpr unsigned kTooMany = 50;
  KeyRing keys;
  for (int pass = 0; pass < 2; ++pass) {  // a file is read twice
    keys.begin_embedded();
    for (unsigned id = 0; id < kMaxEmbeddedIds + kTooMany; ++id) {
      const std::string line = fmt::format("MXP_C2S_TRAFFIC_SECRET_0 {:016x} {:064x}\n", id, id + 1);
      keys.take_embedded(ByteView(reinterpret_cast<const std::uint8_t*>(line.data()), line.size()));
    }
    keys.take_embedded({});
    BOOST_TEST(keys.ids() == kMaxEmbeddedIds);
    BOOST_TEST(keys.left_out_embedded_lines() == kTooMany);
  }
  Log log;  // which has room of its own
  log.add(0, kMaxEmbeddedIds + 1);
  BOOST_REQUIRE(keys.load(log.path()).has_value());
  BOOST_TEST(keys.ids() == kMaxEmbeddedIds + 1);
  BOOST_TEST(keys.left_out_lines() == 0u);
}

BOOST_AUTO_TEST_CASE(what_a_capture_holds_does_not_overrule_the_log_of_the_user) {
  Log log;
  log.add(0, 7, "C2S");
  log.add(2, 7, "C2S");
  KeyRing keys;
  BOOST_REQUIRE(keys.load(log.path()).has_value());
  for (const unsigned id : {7, 8}) {
    const std::string line = fmt::format("MXP_S2C_TRAFFIC_SECRET_4000000000 {:016x} {:064x}\n", id, 9);
    keys.take_embedded(ByteView(reinterpret_cast<const std::uint8_t*>(line.data()), line.size()));
  }
  BOOST_TEST((keys.find(id_of(7))->direction == KeyLogLine::TrafficDirection::client_to_server));
  BOOST_TEST(keys.find(id_of(7))->highest_phase == 2u);
  BOOST_TEST((keys.find(id_of(8))->direction == KeyLogLine::TrafficDirection::server_to_client));
  BOOST_TEST(keys.find(id_of(8))->highest_phase == 4'000'000'000u);
}

BOOST_AUTO_TEST_CASE(a_further_secret_of_one_id_is_counted_where_there_is_no_room_for_it) {
  KeyRing keys;
  for (unsigned secret = 1; secret <= kMaxSecretsOfId + 3; ++secret) {
    const std::string line = fmt::format("MXP_C2S_TRAFFIC_SECRET_0 {:016x} {:064x}\n", 7, secret);
    keys.take_embedded(ByteView(reinterpret_cast<const std::uint8_t*>(line.data()), line.size()));
  }
  BOOST_TEST(keys.left_out_embedded_lines() == 3u);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace mxp::dump::test
