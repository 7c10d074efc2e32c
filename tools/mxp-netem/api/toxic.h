// Toxics: what Toxiproxy calls the troubles that its clients add to a proxy, one by one, in JSON. Here each is a part
// of a link. Those that make sense for datagrams: latency, bandwidth, timeout, limit_data; and `spec`, which takes the
// words of a SPEC.
#pragma once

#include <cstdint>
#include <expected>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "netem/link.h"
#include "netem/timeline.h"

namespace mxp::tools {

// What a request is answered with when it fails; the texts and codes are Toxiproxy's.
struct ApiError {
  int status = 500;
  std::string message;
};
template <typename T>
using ApiResult = std::expected<T, ApiError>;
inline std::unexpected<ApiError> api_error(int status, std::string message) {
  return std::unexpected(ApiError{status, std::move(message)});
}
// 400, for what a body says.
std::unexpected<ApiError> bad_body(std::string_view what);

struct Toxic {
  std::string name;
  std::string type;
  netem::Direction direction = netem::Direction::down;
  double toxicity = 1;  // the share of clients that it is for
  nlohmann::json attributes = nlohmann::json::object();
  std::optional<netem::LinkSpec> spec;  // of type `spec`, read from the attributes

  nlohmann::json json() const;
  // Makes the link of a client what the toxic makes of it.
  void apply_to(netem::LinkState& link) const;
  // Whether it is for this client: the same answer for the same seed.
  bool is_for(std::uint64_t client, std::uint64_t seed) const;
};

// A new toxic of a proxy; without a name it is called "TYPE_STREAM".
ApiResult<Toxic> toxic_from(const nlohmann::json& json);
// Another toxicity and other attributes; type, name and stream stay.
ApiResult<Toxic> changed_toxic(const Toxic& toxic, const nlohmann::json& json);

inline constexpr std::size_t kMostNameBytes = 128;  // our choice: of proxies and toxics

// The link of a text that came over HTTP: as parse_link_spec(), but of bounded length and without words that name
// files.
std::expected<netem::LinkSpec, std::string> spec_of_request(std::string_view text);

// A member of a JSON object, if it is there and of this type. Anything else of this name is a bad request.
ApiResult<std::optional<std::string>> text_member(const nlohmann::json& json, const char* name);
ApiResult<std::optional<bool>> flag_member(const nlohmann::json& json, const char* name);

}  // namespace mxp::tools
