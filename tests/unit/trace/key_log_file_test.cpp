#include "mxp/key_log_file.h"

#include <sys/resource.h>
#include <sys/stat.h>

#include <array>
#include <boost/test/unit_test.hpp>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>

using namespace mxp;

namespace {

namespace fs = std::filesystem;

const ConnectionId kClient({1, 1, 1, 1, 1, 1, 1, 1});
const ConnectionId kServer({2, 2, 2, 2, 2, 2, 2, 2});
const std::array<std::uint8_t, 2> kToServer = {0xaa, 0x0b};
const std::array<std::uint8_t, 2> kToClient = {0xcc, 0xdd};

TraceSecrets secrets(std::uint32_t phase) { return {kClient, kServer, phase, kToServer, kToClient}; }
std::string lines(const std::string& phase) {
  return "MXP_C2S_TRAFFIC_SECRET_" + phase + " 0202020202020202 aa0b\nMXP_S2C_TRAFFIC_SECRET_" + phase +
         " 0101010101010101 ccdd\n";
}

struct Folder {
  fs::path path = fs::temp_directory_path() / "mxp-key-log-XXXXXX";
  Folder() {
    std::string name = path.string();
    BOOST_REQUIRE(::mkdtemp(name.data()) != nullptr);
    path = name;
  }
  ~Folder() { fs::remove_all(path); }
};

std::string read(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

// No file of this process grows beyond `bytes` while it lives.
class FileSizeLimit {
 public:
  explicit FileSizeLimit(rlim_t bytes) {
    ::getrlimit(RLIMIT_FSIZE, &before_);
    const rlimit limit{bytes, before_.rlim_max};
    ::setrlimit(RLIMIT_FSIZE, &limit);
  }
  ~FileSizeLimit() {
    ::setrlimit(RLIMIT_FSIZE, &before_);
    std::signal(SIGXFSZ, handler_);
  }

 private:
  void (*handler_)(int) = std::signal(SIGXFSZ, SIG_IGN);
  rlimit before_{};
};

}  // namespace

BOOST_AUTO_TEST_SUITE(key_log_file)

BOOST_AUTO_TEST_CASE(each_secret_is_named_by_the_id_in_its_packets) {
  const Folder folder;
  const fs::path path = folder.path / "keys";
  auto log = KeyLogFile::open(path.string());
  BOOST_REQUIRE(log.has_value());
  (*log)->on(Timestamp{}, ConnectionId{}, secrets(0));
  (*log)->on(Timestamp{}, ConnectionId{}, TraceEstablished{});
  (*log)->on(Timestamp{}, ConnectionId{}, secrets(4294967295));
  BOOST_TEST(read(path) == lines("0") + lines("4294967295"));
}

BOOST_AUTO_TEST_CASE(a_line_that_an_earlier_run_left_torn_stays_one_line) {
  const Folder folder;
  const fs::path path = folder.path / "keys";
  std::ofstream(path) << "MXP_C2S_TRAFFIC";
  auto log = KeyLogFile::open(path.string());
  BOOST_REQUIRE(log.has_value());
  (*log)->on(Timestamp{}, ConnectionId{}, secrets(0));
  BOOST_TEST(read(path) == "MXP_C2S_TRAFFIC\n" + lines("0"));
}

BOOST_AUTO_TEST_CASE(a_new_file_is_its_owners_alone_and_what_is_there_stays) {
  const Folder folder;
  const fs::path path = folder.path / "keys";
  const mode_t before = ::umask(0);
  for (std::uint32_t phase = 0; phase < 2; ++phase) {
    auto log = KeyLogFile::open(path.string());
    BOOST_REQUIRE(log.has_value());
    (*log)->on(Timestamp{}, ConnectionId{}, secrets(phase));
  }
  ::umask(before);
  BOOST_TEST(read(path) == lines("0") + lines("1"));
  struct stat status{};
  BOOST_REQUIRE(::stat(path.c_str(), &status) == 0);
  BOOST_TEST((status.st_mode & 0777) == 0600u);
}

BOOST_AUTO_TEST_CASE(several_may_write_one_file) {
  const Folder folder;
  const fs::path path = folder.path / "keys";
  const auto one = KeyLogFile::open(path.string());
  const auto other = KeyLogFile::open(path.string());
  (*one)->on(Timestamp{}, ConnectionId{}, secrets(1));
  (*other)->on(Timestamp{}, ConnectionId{}, secrets(2));
  (*one)->on(Timestamp{}, ConnectionId{}, secrets(3));
  BOOST_TEST(read(path) == lines("1") + lines("2") + lines("3"));
}

BOOST_AUTO_TEST_CASE(a_file_that_cannot_be_opened_is_an_error_that_names_it) {
  const auto log = KeyLogFile::open("/no/such/folder/keys");
  BOOST_REQUIRE(!log.has_value());
  BOOST_TEST(log.error().code == ENOENT);
  BOOST_TEST(log.error().message == "open the key log /no/such/folder/keys: No such file or directory");
}

BOOST_AUTO_TEST_CASE(no_link_is_followed_and_no_file_of_another_user_gets_secrets) {
  const Folder folder;
  const fs::path target = folder.path / "target";
  std::ofstream(target) << "";
  fs::create_symlink(target, folder.path / "link");
  const auto linked = KeyLogFile::open((folder.path / "link").string());
  BOOST_REQUIRE(!linked.has_value());
  BOOST_TEST(linked.error().code == ELOOP);
  fs::create_symlink(folder.path / "nowhere", folder.path / "dangling");
  BOOST_TEST(!KeyLogFile::open((folder.path / "dangling").string()).has_value());
  BOOST_TEST(!fs::exists(folder.path / "nowhere"));
  if (::geteuid() != 0) {
    BOOST_TEST_MESSAGE("only root can make a file of another user: that part is not tested");
    return;
  }
  BOOST_REQUIRE(::chown(target.c_str(), 65534, 65534) == 0);
  const auto foreign = KeyLogFile::open(target.string());
  BOOST_REQUIRE(!foreign.has_value());
  BOOST_TEST(foreign.error().code == EPERM);
  BOOST_TEST(foreign.error().message.find(target.string()) != std::string::npos);
}

BOOST_AUTO_TEST_CASE(a_full_disk_is_told_once) {
  std::vector<IoError> errors;
  const auto log = KeyLogFile::open("/dev/full", [&](const IoError& error) { errors.push_back(error); });
  BOOST_REQUIRE(log.has_value());
  for (std::uint32_t phase = 0; phase < 3; ++phase) (*log)->on(Timestamp{}, ConnectionId{}, secrets(phase));
  BOOST_REQUIRE(errors.size() == 1u);
  BOOST_TEST(errors[0].code == ENOSPC);
  BOOST_TEST(errors[0].message == "write the key log /dev/full: No space left on device");
  // Nobody has to listen.
  (*KeyLogFile::open("/dev/full"))->on(Timestamp{}, ConnectionId{}, secrets(0));
}

BOOST_AUTO_TEST_CASE(after_a_line_that_was_cut_the_next_ones_are_whole) {
  const Folder folder;
  const fs::path path = folder.path / "keys";
  int errors = 0;
  const auto log = KeyLogFile::open(path.string(), [&](const IoError&) { ++errors; });
  BOOST_REQUIRE(log.has_value());
  {
    const FileSizeLimit limit(10);
    (*log)->on(Timestamp{}, ConnectionId{}, secrets(0));
    (*log)->on(Timestamp{}, ConnectionId{}, secrets(1));  // not a byte of it
  }
  BOOST_TEST(errors == 1);
  (*log)->on(Timestamp{}, ConnectionId{}, secrets(2));
  (*log)->on(Timestamp{}, ConnectionId{}, secrets(3));
  BOOST_TEST(read(path) == "MXP_C2S_TR\n" + lines("2") + lines("3"));
}

BOOST_AUTO_TEST_SUITE_END()
