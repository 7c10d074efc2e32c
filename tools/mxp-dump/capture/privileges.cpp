#include "mxp-dump/capture/privileges.h"

#include <fmt/format.h>
#include <grp.h>
#include <linux/capability.h>
#include <pwd.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <cstdlib>
#include <optional>

namespace mxp::dump {
namespace {

using tools::ErrorKind;

struct Account {
  uid_t user = 65534;  // nobody on Debian and most others
  gid_t group = 65534;
  std::string name = "nobody";
};

std::optional<Account> account_named(const std::string& name) {
  const passwd* entry = ::getpwnam(name.c_str());
  if (entry == nullptr) return std::nullopt;
  return Account{entry->pw_uid, entry->pw_gid, name};
}

std::optional<std::uint32_t> number_in(const char* variable) {
  const char* text = std::getenv(variable);
  if (text == nullptr || *text == '\0') return std::nullopt;
  char* end = nullptr;
  errno = 0;
  const unsigned long value = std::strtoul(text, &end, 10);
  if (errno != 0 || *end != '\0' || value > UINT32_MAX - 1) return std::nullopt;
  return static_cast<std::uint32_t>(value);
}

// The user who called sudo, unless that was root.
std::optional<Account> account_of_sudo() {
  const auto user = number_in("SUDO_UID"), group = number_in("SUDO_GID");
  if (!user || !group || *user == 0) return std::nullopt;
  return Account{*user, *group, fmt::format("user {}", *user)};
}

// The capability sets of the process itself; what a program gained by file capabilities is in them.
bool drop_capabilities() {
  __user_cap_header_struct header{.version = _LINUX_CAPABILITY_VERSION_3, .pid = 0};
  __user_cap_data_struct none[2] = {};
  return ::syscall(SYS_capset, &header, none) == 0;
}

}  // namespace

tools::Result<void> check_user(const std::string& user) {
  if (user.empty() || account_named(user)) return {};
  return tools::fail(ErrorKind::usage, fmt::format("--user {}: there is no such user", user));
}

tools::Result<std::string> drop_privileges(const std::string& user) {
  std::string who;
  if (::geteuid() == 0) {
    std::optional<Account> account = user.empty() ? account_of_sudo() : account_named(user);
    if (!account) account = account_named("nobody").value_or(Account{});
    // Groups first: they cannot be given up without root.
    if (::setgroups(0, nullptr) != 0 || ::setresgid(account->group, account->group, account->group) != 0 ||
        ::setresuid(account->user, account->user, account->user) != 0) {
      return tools::fail_errno(ErrorKind::io, fmt::format("cannot become {} (--user root keeps root)", account->name),
                               errno);
    }
    if (account->user == 0) return std::string();
    who = account->name;
  }
  if (!drop_capabilities() || ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
    return tools::fail_errno(ErrorKind::io, "cannot give up privileges", errno);
  return who;
}

}  // namespace mxp::dump
