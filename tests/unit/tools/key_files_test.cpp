#include "common/key_files.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <boost/test/unit_test.hpp>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

#include "support/own_memory.h"
#include "support/sanitized.h"

namespace mxp::tools {
namespace {

namespace fs = std::filesystem;

struct CountingRandom : Random {
  std::uint8_t next = 1;
  void fill(MutableBytes out) override {
    for (std::uint8_t& byte : out) byte = next++;
  }
};

struct Folder {
  fs::path path;
  CountingRandom random;
  Folder() {
    std::string name = (fs::temp_directory_path() / "mxp-keys-XXXXXX").string();
    path = ::mkdtemp(name.data());
  }
  ~Folder() {
    std::error_code ignored;
    fs::remove_all(path, ignored);
  }
  fs::path file(const std::string& name, const std::string& text, mode_t mode = 0600) const {
    std::ofstream(path / name) << text;
    ::chmod((path / name).c_str(), mode);
    return path / name;
  }
  static std::string read(const fs::path& file) {
    std::ifstream in(file);
    return {std::istreambuf_iterator<char>(in), {}};
  }
  static unsigned mode(const fs::path& file) {
    struct stat status{};
    ::stat(file.c_str(), &status);
    return status.st_mode & 07777u;
  }
};

constexpr const char* kKey = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8";

BOOST_FIXTURE_TEST_SUITE(key_files, Folder)

BOOST_AUTO_TEST_CASE(a_written_key_is_read_back_and_is_the_owners_alone) {
  const PrivateKey key = PrivateKey::generate(random);
  BOOST_REQUIRE(write_private_key(path / "sub/deep/id", key, IfExists::refuse).has_value());
  BOOST_TEST(mode(path / "sub/deep/id") == 0600u);
  BOOST_TEST(mode(path / "sub/deep") == 0700u);
  const auto read = load_private_key(path / "sub/deep/id");
  BOOST_REQUIRE(read.has_value());
  BOOST_TEST((read->public_key() == key.public_key()));
  BOOST_TEST(std::distance(fs::directory_iterator(path / "sub/deep"), {}) == 1);
}

BOOST_AUTO_TEST_CASE(no_copy_of_the_pem_text_stays_in_memory) {
#ifdef MXP_SANITIZED
  BOOST_TEST_MESSAGE("not under a sanitizer");
  return;
#endif
  // Written by another process, so that the text was never in this one.
  const fs::path pem = path / "elsewhere";
  const std::string make =
      "openssl genpkey -algorithm X25519 -out " + pem.string() + " 2>/dev/null && chmod 600 " + pem.string();
  BOOST_REQUIRE_MESSAGE(std::system(make.c_str()) == 0, "openssl is needed for this test");
  std::string inverted;
  {
    const int fd = ::open(pem.c_str(), O_RDONLY | O_CLOEXEC);
    char byte = 0;
    // "-----BEGIN PRIVATE KEY-----\n" is 28 bytes; of the 64 characters after it the last 20.
    for (off_t at = 28 + 43; at < 28 + 63; ++at) {
      BOOST_REQUIRE(::pread(fd, &byte, 1, at) == 1);
      inverted += static_cast<char>(~byte);
    }
    ::close(fd);
  }
  BOOST_TEST(mxp::test::copies_in_own_memory(inverted) == 0u);
  const auto key = load_private_key(pem);
  BOOST_REQUIRE(key.has_value());
  BOOST_TEST(mxp::test::copies_in_own_memory(inverted) == 0u);
  const std::string plain = Folder::read(pem);  // the search does find what is there
  BOOST_TEST(mxp::test::copies_in_own_memory(inverted) > 0u);
}

BOOST_AUTO_TEST_CASE(an_existing_file_or_link_is_never_overwritten) {
  const PrivateKey key = PrivateKey::generate(random);
  const fs::path existing = file("id", "mine");
  const auto refused = write_private_key(existing, key, IfExists::refuse);
  BOOST_REQUIRE(!refused.has_value());
  BOOST_TEST((refused.error().kind == ErrorKind::usage));
  BOOST_TEST(read(existing) == "mine");
  fs::create_symlink("nowhere", path / "dangling");
  BOOST_TEST(!write_private_key(path / "dangling", key, IfExists::refuse).has_value());
  BOOST_TEST(!fs::exists(path / "nowhere"));
  BOOST_TEST(write_private_key(existing, key, IfExists::replace).has_value());
  BOOST_TEST(load_private_key(existing).has_value());
  BOOST_TEST(mode(existing) == 0600u);
}

BOOST_AUTO_TEST_CASE(nobody_is_told_to_close_a_file_that_is_no_key) {
  const auto refused = load_private_key(file("passwd", "root:x:0:0", 0644));
  BOOST_REQUIRE(!refused.has_value());
  BOOST_TEST(refused.error().message.find("is not a usable private key") != std::string::npos);
  BOOST_TEST(refused.error().message.find("chmod") == std::string::npos);
}

BOOST_AUTO_TEST_CASE(a_key_that_others_may_touch_is_refused) {
  const PrivateKey key = PrivateKey::generate(random);
  for (const mode_t bits : {0640u, 0604u, 0660u, 0601u, 0620u}) {
    const fs::path open = file("id", key.to_pem(), bits);
    const auto refused = load_private_key(open);
    BOOST_REQUIRE(!refused.has_value());
    BOOST_TEST((refused.error().kind == ErrorKind::usage));
    BOOST_TEST(refused.error().message.find("chmod 600") != std::string::npos);
  }
  BOOST_TEST(load_private_key(file("id", key.to_pem(), 0400)).has_value());
}

BOOST_AUTO_TEST_CASE(what_is_no_key_is_named) {
  for (const fs::path& bad : {path / "missing", path, file("text", "hello"), file("huge", std::string(100'000, 'x'))}) {
    const auto refused = load_private_key(bad);
    BOOST_REQUIRE(!refused.has_value());
    BOOST_TEST((refused.error().kind == ErrorKind::usage));
    BOOST_TEST(refused.error().message.find(bad.string()) != std::string::npos);
  }
  BOOST_REQUIRE(::mkfifo((path / "fifo").c_str(), 0600) == 0);
  BOOST_TEST(!load_private_key(path / "fifo").has_value());  // and does not wait for a writer
}

BOOST_AUTO_TEST_CASE(an_explicit_identity_must_exist_the_default_is_made_once) {
  BOOST_TEST(!load_identity(path / "missing", random).has_value());
  BOOST_TEST(!fs::exists(path / "missing"));
  ::setenv("XDG_CONFIG_HOME", path.c_str(), 1);
  const auto first = load_identity({}, random);
  const auto second = load_identity({}, random);
  ::unsetenv("XDG_CONFIG_HOME");
  BOOST_REQUIRE(first.has_value());
  BOOST_REQUIRE(second.has_value());
  BOOST_TEST(first->created);
  BOOST_TEST(!second->created);
  BOOST_TEST((first->path == path / "mxp/id_25519"));
  BOOST_TEST((first->key.public_key() == second->key.public_key()));
}

BOOST_AUTO_TEST_CASE(the_default_place_follows_the_environment) {
  ::setenv("XDG_CONFIG_HOME", "relative", 1);  // to be ignored
  ::setenv("HOME", "/home/somebody", 1);
  BOOST_TEST(default_identity_path().value().string() == "/home/somebody/.config/mxp/id_25519");
  ::setenv("XDG_CONFIG_HOME", "/xdg", 1);
  BOOST_TEST(default_identity_path().value().string() == "/xdg/mxp/id_25519");
  ::unsetenv("XDG_CONFIG_HOME");
  ::unsetenv("HOME");
  BOOST_TEST((default_identity_path().error().kind == ErrorKind::usage));
}

BOOST_AUTO_TEST_CASE(authorized_keys_are_key_name_and_options) {
  const std::string key = kKey;
  const auto parsed = parse_authorized_keys(
      "# who may\n\n" + key + "\n  " + key + " alice\r\n" + key + "\tbob  a=1,b=\n" + key + " role=x", "keys");
  BOOST_REQUIRE(parsed.has_value());
  BOOST_REQUIRE(parsed->size() == 4u);
  BOOST_TEST((*parsed)[0].key.to_string() == key);
  BOOST_TEST((*parsed)[1].name == "alice");
  BOOST_TEST((*parsed)[2].name == "bob");
  BOOST_TEST((*parsed)[2].options.size() == 2u);
  BOOST_TEST((*parsed)[2].options[0].second == "1");
  BOOST_TEST((*parsed)[3].name.empty());
  BOOST_TEST((*parsed)[3].options[0].first == "role");
}

BOOST_AUTO_TEST_CASE(a_malformed_line_is_named_by_its_number) {
  const std::string key = kKey;
  for (const std::string& line : {std::string("nonsense"), key + "A", key.substr(1), key + " name not-an-option",
                                  key + " name =x", key + " name a=1 more"}) {
    const auto refused = parse_authorized_keys("# comment\n" + key + "\n" + line + "\n", "keys");
    BOOST_REQUIRE_MESSAGE(!refused.has_value(), line);
    BOOST_TEST(refused.error().message.starts_with("keys:3: "), refused.error().message);
    BOOST_TEST((refused.error().kind == ErrorKind::usage));
  }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace mxp::tools
