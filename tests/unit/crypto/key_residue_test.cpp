// A private key that has gone leaves nothing of itself in the memory of the process: neither its bytes nor its PEM, on
// the heap or on the stack, in our buffers or in those of the library below.
//
// Registers are memory too: the dynamic linker saves them on the stack when it binds a function at its first call, and
// with them what was just copied. That is why programs are linked with -z now (cmake/MxpTargets.cmake).
#include "support/sanitized.h"

#ifndef MXP_SANITIZED

#include <boost/test/unit_test.hpp>
#include <cstdio>
#include <fstream>
#include <string>

#include "mxp/keys.h"
#include "support/pattern.h"

using namespace mxp;
using namespace mxp::test;

namespace {

// What is looked for, never itself in memory: each byte is kept with its bits turned.
class Needle {
 public:
  explicit Needle(std::string_view secret) {
    for (const char c : secret) turned_.push_back(static_cast<char>(~c));
  }
  // How often it stands in the writable memory of this process.
  std::size_t count() const {
    std::size_t found = 0;
    std::ifstream maps("/proc/self/maps");
    std::string line;
    while (std::getline(maps, line)) {
      unsigned long begin = 0, end = 0;
      char rights[5] = {};
      if (std::sscanf(line.c_str(), "%lx-%lx %4s", &begin, &end, rights) != 3) continue;
      if (rights[0] != 'r' || rights[1] != 'w' || line.find("[v") != std::string::npos) continue;
      found += count_in(reinterpret_cast<const volatile char*>(begin), end - begin);
    }
    return found;
  }

 private:
  std::size_t count_in(const volatile char* memory, std::size_t size) const {
    std::size_t found = 0;
    for (std::size_t at = 0; at + turned_.size() <= size; ++at) {
      std::size_t same = 0;
      while (same < turned_.size() && memory[at + same] == static_cast<char>(~turned_[same])) ++same;
      found += same == turned_.size() ? 1 : 0;
    }
    return found;
  }
  std::string turned_;
};

void wipe(std::string& text) {
  for (volatile char& c : text) c = 0;
}

std::string_view base64_of(std::string_view pem) {
  const auto begin = pem.find('\n') + 1;
  return pem.substr(begin, pem.find('\n', begin) - begin);
}

}  // namespace

BOOST_AUTO_TEST_SUITE(key_residue)

BOOST_AUTO_TEST_CASE(the_search_finds_what_is_there) {
  SeededRandom random(7);
  std::string there(24, ' ');
  for (char& c : there) c = static_cast<char>('A' + random.below(26));
  const Needle needle(there);
  BOOST_TEST(needle.count() >= 1u);
  wipe(there);
  BOOST_TEST(needle.count() == 0u);
}

BOOST_AUTO_TEST_CASE(writing_and_reading_a_key_leaves_neither_its_pem_nor_its_bytes) {
  SeededRandom random(2026);
  std::vector<Needle> needles;
  {
    const PrivateKey key = PrivateKey::generate(random);
    const auto secret = key.secret();
    const std::string_view bytes(reinterpret_cast<const char*>(secret.data()), secret.size());
    needles.emplace_back(bytes.substr(0, 12));
    needles.emplace_back(bytes.substr(16, 12));
    std::string pem = key.to_pem();
    // The algorithm comes first and is the same in every key; the secret is in the rest.
    for (const std::size_t at : {24, 36, 48}) needles.emplace_back(base64_of(pem).substr(at, 12));
    for (int i = 0; i < 3; ++i) {
      const auto read = PrivateKey::from_pem(pem);
      BOOST_REQUIRE(read.has_value());
      BOOST_TEST((read->public_key() == key.public_key()));
    }
    wipe(pem);
  }
  for (std::size_t i = 0; i < needles.size(); ++i) BOOST_TEST(needles[i].count() == 0u, "part " << i);
}

BOOST_AUTO_TEST_SUITE_END()

#endif  // MXP_SANITIZED
