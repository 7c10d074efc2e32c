// All that can be said of a packet, in one list: what -Y filters by, -T fields prints, and the JSON Schema of -T json
// documents.
//
// A field is called `mxp.NAME` in a filter and NAME (or `mxp.NAME`) with -e. Names of other tools for the same thing,
// such as ip.src, are aliases.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "mxp-dump/dissect/record.h"
#include "mxp-dump/filter/field_value.h"

namespace mxp::dump {

struct Field {
  enum class Presence : std::uint8_t { always, sometimes };
  // Where the value stands in a line of -T json. `key` may be a path of two keys, with a dot between them.
  struct Json {
    std::string_view frame;  // the type of frame that it belongs to; empty: the packet itself; "*": every frame
    std::string_view key;    // empty: it is not in JSON
    Presence presence = Presence::sometimes;
    enum class Unit : std::uint8_t { as_it_is, microseconds, milliseconds, yes_or_no } unit = Unit::as_it_is;
    bool list = false;  // an array of all values
  };

  std::string_view name;
  FieldType type = FieldType::number;
  // Gives all values of the field in the packet to the sink; none where the field does not apply.
  void (*each)(const PacketRecord& record, ValueSink& sink) = nullptr;
  std::string_view meaning;
  Json json{};
  std::string_view aliases{};                 // of filters, separated by spaces
  std::span<const std::string_view> words{};  // of FieldType::word: all that there are
};

std::span<const Field> all_fields();
// By its name in a filter ("mxp.stream.id", "ip.src") or for -e ("stream.id"). nullptr: there is none.
const Field* find_field(std::string_view name);
// The name in filters that is most like a name that does not exist.
std::string nearest_field(std::string_view name);
// All names for -e, for a message.
std::string field_names();
// Appends all values, separated by commas.
void print_field(const Field& field, const PacketRecord& record, std::string& out);

}  // namespace mxp::dump
