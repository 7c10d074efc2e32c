// What a request of the HTTP interface is refused for before anything of it is looked at, and how its body is read.
#pragma once

#include <httplib.h>

#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>

#include "mxp-netem/api/toxic.h"

namespace mxp::tools {

inline constexpr std::size_t kMostBodyBytes = 1u << 20;  // our choices: a request is small
inline constexpr int kMostJsonDepth = 16;

// A page in a browser could send requests here in its user's name: from a page of elsewhere (Origin, Sec-Fetch-Site),
// or from a name that its owner points to this machine (Host). Toxiproxy refuses browsers as well.
std::optional<ApiError> refusal_of(const httplib::Request& request);

// Whether it is an address or `localhost`, with or without a port: nothing that someone else's name server decides.
bool is_host_of_this_machine(std::string_view host);

// The JSON of a body. Empty is an empty object: curl -X POST without data.
ApiResult<nlohmann::json> json_of(const std::string& text);

// Reads the body, up to the bound, however it is framed.
ApiResult<nlohmann::json> body_of(const httplib::Request& request, const httplib::ContentReader& read);

}  // namespace mxp::tools
