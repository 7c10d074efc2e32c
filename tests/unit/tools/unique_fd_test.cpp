#include "udp/unique_fd.h"

#include <fcntl.h>
#include <unistd.h>

#include <boost/test/unit_test.hpp>

namespace mxp {
namespace {

int some_descriptor() { return ::open("/dev/null", O_RDONLY | O_CLOEXEC); }
bool is_open(int fd) { return ::fcntl(fd, F_GETFD) >= 0; }

BOOST_AUTO_TEST_SUITE(unique_fd)

BOOST_AUTO_TEST_CASE(the_descriptor_goes_with_its_last_owner) {
  const int fd = some_descriptor();
  {
    UniqueFd first(fd);
    UniqueFd second = std::move(first);
    BOOST_TEST(!first.valid());
    BOOST_TEST(!first);
    BOOST_TEST(second.get() == fd);
    BOOST_TEST(static_cast<bool>(second));
  }
  BOOST_TEST(!is_open(fd));
}

BOOST_AUTO_TEST_CASE(assignment_closes_the_former_descriptor_at_once) {
  const int former = some_descriptor(), latter = some_descriptor();
  UniqueFd target(former), source(latter);
  target = std::move(source);
  BOOST_TEST(!is_open(former));
  BOOST_TEST(is_open(latter));
  BOOST_TEST(target.get() == latter);
  BOOST_TEST(!source.valid());
}

BOOST_AUTO_TEST_CASE(assignment_to_itself_keeps_the_descriptor) {
  UniqueFd owner(some_descriptor());
  UniqueFd& same = owner;
  owner = std::move(same);
  BOOST_TEST(owner.valid());
  BOOST_TEST(is_open(owner.get()));
}

BOOST_AUTO_TEST_CASE(reset_closes_and_release_does_not) {
  const int first = some_descriptor(), second = some_descriptor();
  UniqueFd owner(first);
  owner.reset(second);
  BOOST_TEST(!is_open(first));
  BOOST_TEST(owner.release() == second);
  BOOST_TEST(!owner.valid());
  BOOST_TEST(is_open(second));
  owner.reset(second);
  owner.reset();
  BOOST_TEST(!is_open(second));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace mxp
