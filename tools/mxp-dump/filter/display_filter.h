// -Y: which packets are shown. The language is that of tshark's display filters, over the fields of field_table.h:
//
//   mxp.stream == 4 && mxp.lost          mxp.frame.type in {"ack", "stream"} or not mxp.decrypted
//   ip.src == 10.0.0.0/8                 mxp.length in {1200..1452}
//   mxp.close.reason contains "full"     mxp.ack.delay > 25ms
//
// A comparison is true if it holds for any value that the packet has of the field; `!=` if it holds for all of them, and
// there is one. A field alone asks whether the packet has it, and a field that is true or false, whether it is true.
//
// An expression is checked as a whole before the first packet, so that evaluation cannot fail. It costs no memory for
// each packet but what the regular expressions of `matches` need (RE2: linear time, bounded).
#pragma once

#include <cstdint>
#include <expected>
#include <memory>
#include <string>
#include <string_view>

#include "mxp-dump/dissect/record.h"

namespace mxp::dump {

struct FilterNodes;

// What is wrong with an expression, and where.
struct FilterError {
  std::size_t column = 1;  // from 1
  std::string message;
};

class DisplayFilter {
 public:
  // Our choices: far more than anybody types, little enough for any stack.
  static constexpr std::size_t kMaxLength = 16 * 1024;
  static constexpr std::size_t kMaxDepth = 64;
  static constexpr std::size_t kMaxNodes = 1024;

  static std::expected<DisplayFilter, FilterError> parse(std::string_view expression);
  DisplayFilter(DisplayFilter&&) noexcept;
  DisplayFilter& operator=(DisplayFilter&&) noexcept;
  ~DisplayFilter();

  bool matches(const PacketRecord& record) const;
  // Whether it asks for what later packets tell (mxp.lost).
  bool needs_fates() const;

 private:
  explicit DisplayFilter(std::unique_ptr<FilterNodes> nodes);
  std::unique_ptr<FilterNodes> nodes_;
};

}  // namespace mxp::dump
