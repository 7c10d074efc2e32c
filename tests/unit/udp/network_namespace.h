// A network of one's own for a test: a process in a new network namespace, where it may set up interfaces with any MTU
// and send forged ICMP. Needs root or user namespaces.
#pragma once

#include <arpa/inet.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <linux/veth.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <boost/test/unit_test.hpp>
#include <cerrno>
#include <cstring>
#include <exception>
#include <functional>
#include <string>
#include <string_view>

#include "udp/unique_fd.h"

// In a namespace, where Boost.Test is not at hand: the body ends and says where.
#define MXP_EXPECT(condition) \
  if (!(condition)) return fmt::format("line {}: {}", __LINE__, #condition)

namespace mxp::test {

struct NamespaceRun {
  bool allowed = false;  // false: this machine permits no namespaces, and `text` says why
  std::string text;      // what `body` returned, which is empty if all was well
};

// Boost.Test does not reach into another process: `body` returns what went wrong.
inline NamespaceRun in_new_network(const std::function<std::string()>& body) {
  int ends[2];
  if (::pipe(ends) != 0) return {true, "no pipe"};
  const pid_t child = ::fork();
  if (child == 0) {
    ::close(ends[0]);
    std::string said;
    if (::unshare(CLONE_NEWNET) != 0 && ::unshare(CLONE_NEWUSER | CLONE_NEWNET) != 0) {
      said = std::string("S") + std::strerror(errno);
    } else {
      try {
        said = "R" + body();
      } catch (const std::exception& error) {
        said = std::string("R") + error.what();
      } catch (...) {
        said = "Rthrew";
      }
    }
    [[maybe_unused]] const ssize_t written = ::write(ends[1], said.data(), said.size());
    ::_exit(0);
  }
  ::close(ends[1]);
  std::string said;
  char chunk[512];
  for (ssize_t got = 0; (got = ::read(ends[0], chunk, sizeof(chunk))) > 0;)
    said.append(chunk, static_cast<std::size_t>(got));
  ::close(ends[0]);
  ::waitpid(child, nullptr, 0);
  if (said.empty()) return {true, "the process died"};
  return {said[0] == 'R', said.substr(1)};
}

// ctest looks for these words, and shows the test as skipped (tests/CMakeLists.txt).
inline constexpr std::string_view kSkipped = "skipped, because ";

inline void run_or_say_why_not(const std::function<std::string()>& body) {
  const NamespaceRun run = in_new_network(body);
  if (!run.allowed) BOOST_TEST_MESSAGE(kSkipped << "no network namespace is allowed here: " << run.text);
  else if (run.text.starts_with(kSkipped)) BOOST_TEST_MESSAGE(run.text);
  else BOOST_TEST(run.text == "");
}

// The labels of tests that a machine may not permit.
inline const auto kNeedsNamespaces = boost::unit_test::label("namespaces");
inline const auto kNeedsVeth = boost::unit_test::label("veth");

// Brings an interface up with this MTU and, unless it is null, this address in a network of 256.
inline bool set_up_interface(const char* name, int mtu, const char* ipv4 = nullptr) {
  const UniqueFd fd(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  ifreq request{};
  std::strncpy(request.ifr_name, name, sizeof(request.ifr_name) - 1);
  request.ifr_mtu = mtu;
  if (::ioctl(fd.get(), SIOCSIFMTU, &request) != 0) return false;
  if (ipv4 != nullptr) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    if (::inet_pton(AF_INET, ipv4, &address.sin_addr) != 1) return false;
    std::memcpy(&request.ifr_addr, &address, sizeof(address));
    if (::ioctl(fd.get(), SIOCSIFADDR, &request) != 0) return false;
    address.sin_addr.s_addr = htonl(0xffffff00);
    std::memcpy(&request.ifr_netmask, &address, sizeof(address));
    if (::ioctl(fd.get(), SIOCSIFNETMASK, &request) != 0) return false;
  }
  request.ifr_flags = IFF_UP;
  return ::ioctl(fd.get(), SIOCSIFFLAGS, &request) == 0;
}

// Makes the pair veth0 and veth1 (rtnetlink(7), veth(4)).
inline bool make_veth_pair() {
  struct {
    nlmsghdr header{};
    ifinfomsg info{};
    rtattr link_info{};
    rtattr kind{};
    char name[8] = "veth";
  } request;
  static_assert(sizeof(request) == sizeof(nlmsghdr) + sizeof(ifinfomsg) + 2 * sizeof(rtattr) + 8);
  request.header.nlmsg_len = sizeof(request);
  request.header.nlmsg_type = RTM_NEWLINK;
  request.header.nlmsg_flags = NLM_F_REQUEST | NLM_F_CREATE | NLM_F_EXCL | NLM_F_ACK;
  request.kind.rta_type = IFLA_INFO_KIND;
  request.kind.rta_len = RTA_LENGTH(5);
  request.link_info.rta_type = IFLA_LINKINFO;
  request.link_info.rta_len = RTA_LENGTH(sizeof(rtattr) + sizeof(request.name));
  const UniqueFd fd(::socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE));
  if (::send(fd.get(), &request, sizeof(request), 0) != static_cast<ssize_t>(sizeof(request))) return false;
  struct {
    nlmsghdr header;
    nlmsgerr error;
    char rest[256];
  } answer{};
  return ::recv(fd.get(), &answer, sizeof(answer), 0) > 0 && answer.header.nlmsg_type == NLMSG_ERROR &&
         answer.error.error == 0;
}

}  // namespace mxp::test
