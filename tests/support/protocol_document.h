// The examples of docs/protocol.md, held against the library. An example stands between two markers,
//
//     <!-- example:NAME -->
//     ```text
//     …
//     ```
//     <!-- /example -->
//
// and expect_example() compares it with what the library makes now. With MXP_UPDATE_DOCS=1 in the environment it writes
// the document instead: run the tests once so, look at the difference, commit it.
#pragma once

#include <algorithm>
#include <array>
#include <boost/test/unit_test.hpp>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <set>
#include <string>
#include <string_view>

#include "mxp/bytes.h"

namespace mxp::test {

inline std::string hex_of(ByteView bytes) {
  static constexpr std::string_view kDigits = "0123456789abcdef";
  std::string text;
  for (const std::uint8_t byte : bytes) {
    text += kDigits[byte >> 4];
    text += kDigits[byte & 15];
  }
  return text;
}

// Lines of "name  hex", 32 bytes in a line.
class ExampleText {
 public:
  void field(std::string_view name, ByteView bytes, std::string_view note = {}) {
    std::string label(name);
    label.resize(std::max(label.size() + 2, kLabelWidth), ' ');
    if (bytes.empty()) text_ += label + "(empty)";
    for (std::size_t at = 0; at < bytes.size(); at += kBytesInLine) {
      if (at != 0) text_ += "\n" + std::string(kLabelWidth, ' ');
      else text_ += label;
      text_ += hex_of(bytes.subspan(at, std::min(kBytesInLine, bytes.size() - at)));
    }
    if (!note.empty()) text_ += "   " + std::string(note);
    text_ += "\n";
  }
  void line(std::string_view words) { text_ += std::string(words) + "\n"; }
  const std::string& text() const { return text_; }

 private:
  static constexpr std::size_t kLabelWidth = 26;
  static constexpr std::size_t kBytesInLine = 32;
  std::string text_;
};

inline const std::string kProtocolDocument = MXP_SOURCE_DIR "/docs/protocol.md";

inline std::string read_protocol_document() {
  std::ifstream file(kProtocolDocument, std::ios::binary);
  BOOST_REQUIRE(file.good());
  return {std::istreambuf_iterator<char>(file), {}};
}

// The names of all examples in the document, in order.
inline std::vector<std::string> names_of_examples() {
  static constexpr std::string_view kBegin = "<!-- example:", kEnd = " -->";
  const std::string document = read_protocol_document();
  std::vector<std::string> names;
  for (std::size_t at = document.find(kBegin); at != std::string::npos; at = document.find(kBegin, at + 1)) {
    const std::size_t name = at + kBegin.size();
    names.push_back(document.substr(name, document.find(kEnd, name) - name));
  }
  return names;
}

inline void expect_example(const std::string& name, const std::string& text) {
  std::string document = read_protocol_document();
  const std::string opening = "<!-- example:" + name + " -->\n```text\n";
  const std::string closing = "```\n<!-- /example -->";
  const std::size_t begin = document.find(opening);
  BOOST_REQUIRE_MESSAGE(begin != std::string::npos, "docs/protocol.md has no example '" << name << "'");
  const std::size_t from = begin + opening.size();
  const std::size_t end = document.find(closing, from);
  BOOST_REQUIRE_MESSAGE(end != std::string::npos, "example '" << name << "' of docs/protocol.md has no end");

  const char* const update = std::getenv("MXP_UPDATE_DOCS");
  if (update != nullptr && std::string_view(update) == "1") {
    document.replace(from, end - from, text);
    std::ofstream file(kProtocolDocument, std::ios::binary | std::ios::trunc);
    file << document;
    BOOST_REQUIRE(file.good());
    return;
  }
  BOOST_TEST(document.substr(from, end - from) == text,
             "example '" << name
                         << "' of docs/protocol.md is not what the library makes (MXP_UPDATE_DOCS=1 rewrites it):\n"
                         << text);
}

}  // namespace mxp::test
