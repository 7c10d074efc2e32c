#include "mxp-dump/output/json_schema.h"

#include <nlohmann/json.hpp>

#include "mxp-dump/dissect/words.h"
#include "mxp-dump/filter/field_table.h"

namespace mxp::dump {
namespace {

using SchemaJson = nlohmann::ordered_json;

SchemaJson count_schema() { return {{"type", "integer"}, {"minimum", 0}}; }

SchemaJson pair_schema() { return {{"type", "array"}, {"items", count_schema()}, {"minItems", 2}, {"maxItems", 2}}; }

SchemaJson value_schema(const Field& field) {
  switch (field.type) {
    case FieldType::flag:
    case FieldType::boolean: return {{"type", "boolean"}};
    case FieldType::number:
    case FieldType::duration: return count_schema();
    case FieldType::time: return {{"type", "number"}, {"minimum", 0}};
    case FieldType::word: return {{"enum", std::vector<std::string>(field.words.begin(), field.words.end())}};
    case FieldType::id: return {{"type", "string"}, {"pattern", "^[0-9a-f]{16}$"}};
    case FieldType::text:
    case FieldType::ip:
    case FieldType::endpoint: return {{"type", "string"}};
    case FieldType::range:
    case FieldType::packet_times: return pair_schema();
  }
  return {};
}

SchemaJson object_schema() {
  return {{"type", "object"},
          {"properties", SchemaJson::object()},
          {"required", SchemaJson::array()},
          {"additionalProperties", false}};
}

// A key with a dot is one of an object inside, which has all of its keys if it is there.
void add_property(SchemaJson& object, const Field& field) {
  std::string key(field.json.key);
  SchemaJson* in = &object;
  bool always = field.json.presence == Field::Presence::always;
  if (const std::size_t dot = key.find('.'); dot != std::string::npos) {
    SchemaJson& inner = object["properties"][key.substr(0, dot)];
    if (inner.is_null()) inner = object_schema();
    in = &inner;
    key.erase(0, dot + 1);
    always = true;
  }
  SchemaJson value = value_schema(field);
  if (field.json.list) value = {{"type", "array"}, {"items", std::move(value)}};
  value["description"] = field.meaning;
  (*in)["properties"][key] = std::move(value);
  if (always) (*in)["required"].push_back(key);
}

SchemaJson frame_schema(std::string_view type) {
  SchemaJson object = object_schema();
  object["properties"]["type"] = {{"const", type}};
  object["required"].push_back("type");
  for (const Field& field : all_fields())
    if (field.json.frame == type) add_property(object, field);
  return object;
}

}  // namespace

std::string json_schema() {
  SchemaJson schema{{"$schema", "https://json-schema.org/draft/2020-12/schema"},
                    {"$id", "urn:mxp:mxp-dump:packet:1"},
                    {"title", "A packet as mxp-dump -T json prints it, one in each line"},
                    {"description",
                     "Keys that do not apply are absent. Within version 1 keys and types of frames may be "
                     "added, and none changes its meaning or its type."}};
  schema.update(object_schema());
  for (const Field& field : all_fields())
    if (field.json.frame.empty() && !field.json.key.empty()) add_property(schema, field);
  SchemaJson kinds = SchemaJson::array();
  for (const std::string_view type : frame_words()) kinds.push_back(frame_schema(type));
  schema["properties"]["frames"] = {{"type", "array"},
                                    {"items", {{"oneOf", std::move(kinds)}}},
                                    {"description", "the frames of a packet that was decrypted, in their order"}};
  return schema.dump(2) + "\n";
}

}  // namespace mxp::dump
