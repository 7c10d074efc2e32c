#include "mxp-netem/api/toxic.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <string_view>

#include "netem/draws.h"
#include "netem/spec_units.h"

namespace mxp::tools {
namespace {

constexpr int kBadToxic = 400;
constexpr double kMostMilliseconds = std::chrono::duration<double, std::milli>(netem::kLongestTime).count();
constexpr double kMostKilobytes = 125'000'000;  // 1 Tbit/s
constexpr double kMostBytes = 9e15;             // whole numbers that a double holds

struct AttributeKind {
  std::string_view type;
  std::string_view name;
  double most;
};
constexpr std::array<AttributeKind, 5> kAttributes = {{{"latency", "latency", kMostMilliseconds},
                                                       {"latency", "jitter", kMostMilliseconds},
                                                       {"bandwidth", "rate", kMostKilobytes},
                                                       {"timeout", "timeout", kMostMilliseconds},
                                                       {"limit_data", "bytes", kMostBytes}}};

std::string_view stream_of(netem::Direction direction) {
  return direction == netem::Direction::up ? "upstream" : "downstream";
}

// Those of its type, 0 where they are not given, and no others.
ApiResult<void> read_attributes(Toxic& toxic, const nlohmann::json& json) {
  const auto found = json.find("attributes");
  static const nlohmann::json kNone = nlohmann::json::object();
  const nlohmann::json& given = found == json.end() || found->is_null() ? kNone : *found;
  if (!given.is_object()) return bad_body("attributes is an object");
  if (toxic.type == "spec") {
    const auto text = text_member(given, "spec");
    if (!text) return std::unexpected(text.error());
    if (!*text && !toxic.spec) return api_error(kBadToxic, "missing required field: attributes.spec");
    if (!*text) return {};
    auto spec = spec_of_request(**text);
    if (!spec) return bad_body(spec.error());
    toxic.spec = std::move(*spec);
    toxic.attributes["spec"] = **text;
    return {};
  }
  for (const AttributeKind& kind : kAttributes) {
    if (kind.type != toxic.type) continue;
    const std::string name(kind.name);
    const auto value = given.find(name);
    if (value == given.end()) {
      if (!toxic.attributes.contains(name)) toxic.attributes[name] = 0;
      continue;
    }
    if (!value->is_number() || !(value->get<double>() >= 0) || value->get<double>() > kind.most)
      return bad_body(fmt::format("{} is a number from 0 to {:.0f}", name, kind.most));
    toxic.attributes[name] = *value;
  }
  return {};
}

ApiResult<void> read_toxicity(Toxic& toxic, const nlohmann::json& json) {
  const auto value = json.find("toxicity");
  if (value == json.end()) return {};
  if (!value->is_number() || !(value->get<double>() >= 0) || value->get<double>() > 1)
    return bad_body("toxicity is a number from 0 to 1");
  toxic.toxicity = value->get<double>();
  return {};
}

bool is_type(std::string_view type) {
  return type == "spec" || std::any_of(kAttributes.begin(), kAttributes.end(),
                                       [&](const AttributeKind& kind) { return kind.type == type; });
}

// Toxiproxy's types that are about what datagrams do not have, with what comes nearest.
struct StreamToxic {
  std::string_view type;
  std::string_view why;
};
constexpr std::array<StreamToxic, 3> kStreamToxics = {
    {{"slicer",
      "cuts a stream of bytes up, and a datagram arrives whole or not at all; a spec with 'mtu' loses large ones"},
     {"slow_close", "delays the end of a connection, and datagrams have none; 'latency' delays each of them"},
     {"reset_peer", "resets a connection, and datagrams have none; 'timeout' and 'enabled' stop them"}}};

std::unexpected<ApiError> invalid_type(std::string_view type) {
  for (const StreamToxic& one : kStreamToxics) {
    if (one.type == type) return api_error(kBadToxic, fmt::format("invalid toxic type: {} {}", type, one.why));
  }
  return api_error(kBadToxic, "invalid toxic type: expected latency, bandwidth, timeout, limit_data or spec");
}

}  // namespace

std::unexpected<ApiError> bad_body(std::string_view what) {
  return api_error(kBadToxic, fmt::format("bad request body: {}", what));
}

ApiResult<std::optional<std::string>> text_member(const nlohmann::json& json, const char* name) {
  const auto value = json.find(name);
  if (value == json.end() || value->is_null()) return std::nullopt;
  if (!value->is_string()) return bad_body(fmt::format("{} is a text", name));
  return value->get<std::string>();
}

ApiResult<std::optional<bool>> flag_member(const nlohmann::json& json, const char* name) {
  const auto value = json.find(name);
  if (value == json.end() || value->is_null()) return std::nullopt;
  if (!value->is_boolean()) return bad_body(fmt::format("{} is true or false", name));
  return value->get<bool>();
}

std::expected<netem::LinkSpec, std::string> spec_of_request(std::string_view text) {
  constexpr std::size_t kMostSpecBytes = 16u << 10;  // our choice
  if (text.size() > kMostSpecBytes) return std::unexpected(fmt::format("more than {} bytes", kMostSpecBytes));
  auto spec = netem::parse_link_spec(text);
  if (!spec) return spec;
  // Whoever reaches the interface would have the relay open any file, and wait for it while all links stand still.
  for (const std::string* file : {&spec->trace.file, &spec->delay.table.file, &spec->slot.table.file}) {
    if (file->empty()) continue;
    return std::unexpected(
        fmt::format("'{}' would be a file: a request cannot name files; use the command line or a scenario", *file));
  }
  return spec;
}

ApiResult<Toxic> toxic_from(const nlohmann::json& json) {
  if (!json.is_object()) return bad_body("an object is expected");
  Toxic toxic;
  const auto type = text_member(json, "type");
  const auto name = text_member(json, "name");
  const auto stream = text_member(json, "stream");
  for (const auto* text : {&type, &name, &stream}) {
    if (!*text) return std::unexpected(text->error());
  }
  const std::string direction = stream->value_or("downstream");
  if (direction != "upstream" && direction != "downstream")
    return api_error(kBadToxic, "stream was invalid, can be either upstream or downstream");
  toxic.direction = direction == "upstream" ? netem::Direction::up : netem::Direction::down;
  toxic.type = type->value_or("");
  if (!is_type(toxic.type)) return invalid_type(toxic.type);
  toxic.name = name->value_or("");
  if (toxic.name.size() > kMostNameBytes) return bad_body(fmt::format("name has more than {} bytes", kMostNameBytes));
  if (toxic.name.empty()) toxic.name = fmt::format("{}_{}", toxic.type, stream_of(toxic.direction));
  if (auto read = read_toxicity(toxic, json); !read) return std::unexpected(read.error());
  if (auto read = read_attributes(toxic, json); !read) return std::unexpected(read.error());
  return toxic;
}

ApiResult<Toxic> changed_toxic(const Toxic& toxic, const nlohmann::json& json) {
  if (!json.is_object()) return bad_body("an object is expected");
  Toxic changed = toxic;
  if (auto read = read_toxicity(changed, json); !read) return std::unexpected(read.error());
  if (auto read = read_attributes(changed, json); !read) return std::unexpected(read.error());
  return changed;
}

nlohmann::json Toxic::json() const {
  return {{"name", name},
          {"type", type},
          {"stream", stream_of(direction)},
          {"toxicity", toxicity},
          {"attributes", attributes}};
}

void Toxic::apply_to(netem::LinkState& link) const {
  const auto attribute = [this](const char* attribute_name) {
    const auto value = attributes.find(attribute_name);
    return value == attributes.end() ? 0.0 : value->get<double>();
  };
  constexpr double kNanosecondsPerMillisecond = 1e6;
  if (type == "spec") {
    const std::uint32_t header_bytes = link.spec.header_bytes;
    link.spec = *spec;
    link.spec.header_bytes = header_bytes;
  } else if (type == "latency") {
    link.spec.delay.mean += Duration(std::llround(attribute("latency") * kNanosecondsPerMillisecond));
    link.spec.delay.jitter += Duration(std::llround(attribute("jitter") * kNanosecondsPerMillisecond));
  } else if (type == "bandwidth") {
    // Kilobytes of 1000 bytes; 0 is no bound, as there.
    const auto rate = ByteRate::bytes_per_second(static_cast<std::uint64_t>(attribute("rate") * 1000));
    if (!rate.is_zero() && (link.spec.rate.is_zero() || rate < link.spec.rate)) link.spec.rate = rate;
  } else if (type == "timeout") {
    link.blocked = true;
  } else if (type == "limit_data") {
    const auto bytes = static_cast<std::uint64_t>(attribute("bytes"));
    link.spec.flow_bytes = std::min(link.spec.flow_bytes.value_or(bytes), bytes);
  }
}

bool Toxic::is_for(std::uint64_t client, std::uint64_t seed) const {
  if (toxicity >= 1) return true;
  // By its name, so that adding another toxic moves nobody. FNV-1a: the answer is the same everywhere.
  std::uint64_t hash = 0xcbf29ce484222325u;
  for (const char c : name) hash = (hash ^ static_cast<std::uint8_t>(c)) * 0x100000001b3u;
  const netem::FlowDraws draws(seed ^ hash, static_cast<std::uint32_t>(direction), client);
  return draws.uniform({}, netem::Purpose::queue) < toxicity;
}

}  // namespace mxp::tools
