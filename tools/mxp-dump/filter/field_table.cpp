#include "mxp-dump/filter/field_table.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <vector>

#include "mxp-dump/filter/field_lists.h"

namespace mxp::dump {
namespace {

constexpr std::string_view kPrefix = "mxp.";

bool is_alias(const Field& field, std::string_view name) {
  std::string_view rest = field.aliases;
  while (!rest.empty()) {
    const std::string_view alias = rest.substr(0, rest.find(' '));
    if (alias == name) return true;
    rest.remove_prefix(std::min(alias.size() + 1, rest.size()));
  }
  return false;
}

// How many letters have to be changed, added or taken away to make one of the other (Levenshtein's distance).
std::size_t distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row(b.size() + 1);
  for (std::size_t j = 0; j < row.size(); ++j) row[j] = j;
  for (std::size_t i = 0; i < a.size(); ++i) {
    std::size_t diagonal = row[0];
    row[0] = i + 1;
    for (std::size_t j = 0; j < b.size(); ++j) {
      const std::size_t changed = diagonal + (a[i] == b[j] ? 0 : 1);
      diagonal = row[j + 1];
      row[j + 1] = std::min({changed, row[j] + 1, row[j + 1] + 1});
    }
  }
  return row.back();
}

class PrintingSink final : public ValueSink {
 public:
  PrintingSink(const Field& field, std::string& out) : field_(field), out_(out) {}

  void take(const FieldValue& value) override {
    if (field_.type == FieldType::flag && value.number == 0) return;
    if (!first_) out_ += ',';
    first_ = false;
    const auto out = std::back_inserter(out_);
    switch (field_.type) {
      case FieldType::flag:
      case FieldType::boolean:
      case FieldType::number: fmt::format_to(out, "{}", value.number); return;
      case FieldType::time:
      case FieldType::duration:
        fmt::format_to(out, "{}.{:09}", value.number / 1'000'000'000, value.number % 1'000'000'000);
        return;
      case FieldType::text:
      case FieldType::word: out_ += value.text; return;
      case FieldType::id: fmt::format_to(out, "{:016x}", value.number); return;
      case FieldType::ip: {
        const std::string text = value.address->to_string();
        std::string_view ip = std::string_view(text).substr(0, text.rfind(':'));
        if (ip.starts_with('[')) ip = ip.substr(1, ip.size() - 2);
        out_ += ip;
        return;
      }
      case FieldType::endpoint: out_ += value.address->to_string(); return;
      case FieldType::range: fmt::format_to(out, "{}-{}", value.number, value.last); return;
      case FieldType::packet_times: fmt::format_to(out, "{}:{}", value.number, value.last); return;
    }
  }

 private:
  const Field& field_;
  std::string& out_;
  bool first_ = true;
};

}  // namespace

std::string_view to_string(FieldType type) {
  switch (type) {
    case FieldType::flag:
    case FieldType::boolean: return "true or false";
    case FieldType::number: return "a number";
    case FieldType::time: return "a time";
    case FieldType::duration: return "a duration";
    case FieldType::text: return "text";
    case FieldType::word: return "one of several words";
    case FieldType::id: return "a connection id of 16 hexadecimal digits";
    case FieldType::ip: return "an IP address";
    case FieldType::endpoint: return "an address with a port";
    case FieldType::range: return "packet numbers";
    case FieldType::packet_times: return "packet numbers with times";
  }
  return "?";
}

std::span<const Field> all_fields() {
  static const std::vector<Field> kAll = [] {
    std::vector<Field> all(packet_fields().begin(), packet_fields().end());
    all.insert(all.end(), frame_fields().begin(), frame_fields().end());
    return all;
  }();
  return kAll;
}

const Field* find_field(std::string_view name) {
  const std::string_view bare = name.starts_with(kPrefix) ? name.substr(kPrefix.size()) : name;
  for (const Field& field : all_fields())
    if (field.name == bare || is_alias(field, name)) return &field;
  return nullptr;
}

std::string nearest_field(std::string_view name) {
  constexpr std::size_t kLongest = 64;  // our choice: more than any name, so that a wrong one costs little
  name = name.substr(0, kLongest);
  std::string nearest;
  std::size_t least = kLongest + 1;
  const auto consider = [&](std::string candidate) {
    const std::size_t far = distance(name, candidate);
    if (far < least) {
      least = far;
      nearest = std::move(candidate);
    }
  };
  for (const Field& field : all_fields()) {
    consider(std::string(kPrefix) + std::string(field.name));
    std::string_view rest = field.aliases;
    while (!rest.empty()) {
      const std::string_view alias = rest.substr(0, rest.find(' '));
      consider(std::string(alias));
      rest.remove_prefix(std::min(alias.size() + 1, rest.size()));
    }
  }
  return nearest;
}

std::string field_names() {
  std::string names;
  for (const Field& field : all_fields()) {
    if (!names.empty()) names += ' ';
    names += field.name;
  }
  return names;
}

void print_field(const Field& field, const PacketRecord& record, std::string& out) {
  PrintingSink sink(field, out);
  field.each(record, sink);
}

}  // namespace mxp::dump
