#include "mxp-netem/api/request_check.h"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <strings.h>

#include <algorithm>
#include <array>

#include "netem/words.h"

namespace mxp::tools {
namespace {

constexpr int kBadBody = 400;
constexpr int kNotAllowed = 403;
constexpr int kNoSuchMethod = 405;
constexpr int kTooLarge = 413;
constexpr int kOtherMedia = 415;

std::unexpected<ApiError> too_large() {
  return api_error(kTooLarge, fmt::format("the body is larger than {} bytes", kMostBodyBytes));
}

bool is_address(int family, const std::string& text) {
  std::array<unsigned char, sizeof(in6_addr)> address;
  return ::inet_pton(family, text.c_str(), address.data()) == 1;
}

}  // namespace

bool is_host_of_this_machine(std::string_view host) {
  const bool bracketed = host.starts_with('[');
  const std::size_t end = bracketed ? host.find(']') : host.find(':');
  if (bracketed && end == std::string_view::npos) return false;
  std::string_view port = end == std::string_view::npos ? std::string_view() : host.substr(end + (bracketed ? 1 : 0));
  if (!port.empty() && (port.front() != ':' || port.find_first_not_of("0123456789", 1) != std::string_view::npos))
    return false;
  const std::string name(bracketed ? host.substr(1, end - 1) : host.substr(0, end));
  if (bracketed) return is_address(AF_INET6, name);
  return is_address(AF_INET, name) || ::strcasecmp(name.c_str(), "localhost") == 0;
}

std::optional<ApiError> refusal_of(const httplib::Request& request) {
  constexpr std::array<std::string_view, 5> kMethods = {"GET", "HEAD", "POST", "PATCH", "DELETE"};
  if (request.get_header_value("User-Agent").rfind("Mozilla/", 0) == 0 || request.has_header("Origin") ||
      request.has_header("Sec-Fetch-Site"))
    return ApiError{kNotAllowed, "browsers are not allowed here"};
  if (request.get_header_value_count("Host") > 1 ||
      (request.has_header("Host") && !is_host_of_this_machine(request.get_header_value("Host"))))
    return ApiError{kNotAllowed, "Host has to be an address or localhost"};
  if (std::find(kMethods.begin(), kMethods.end(), request.method) == kMethods.end())
    return ApiError{kNoSuchMethod, "method not allowed"};
  if (request.has_header("Content-Encoding")) return ApiError{kOtherMedia, "a body has to come without an encoding"};
  if (request.is_multipart_form_data()) return ApiError{kOtherMedia, "a body has to be JSON"};
  return std::nullopt;
}

ApiResult<nlohmann::json> json_of(const std::string& text) {
  if (text.empty()) return nlohmann::json::object();
  bool too_deep = false;
  // What is too deep is not kept: copying a value takes stack for each of its levels.
  const auto keep = [&](int outside, nlohmann::json::parse_event_t event, nlohmann::json&) {
    using Event = nlohmann::json::parse_event_t;
    const bool begins = event == Event::array_start || event == Event::object_start;
    too_deep = too_deep || (begins && outside >= kMostJsonDepth);
    return !too_deep;
  };
  auto json = nlohmann::json::parse(text, keep, false);
  if (too_deep) return bad_body(fmt::format("more than {} levels of JSON", kMostJsonDepth));
  if (json.is_discarded()) return bad_body("this is not JSON");
  return json;
}

ApiResult<nlohmann::json> body_of(const httplib::Request& request, const httplib::ContentReader& read) {
  const bool has_length = request.has_header("Content-Length");
  // Without either there is no body (RFC 9112 §6.3), and none is waited for.
  if (!has_length && !request.has_header("Transfer-Encoding")) return nlohmann::json::object();
  if (has_length) {
    const auto length = netem::whole_number<std::uint64_t>(request.get_header_value("Content-Length"));
    if (!length) return api_error(kBadBody, "Content-Length is not a number");
    if (*length > kMostBodyBytes) return too_large();
  }
  std::string body;
  bool fits = true;
  const bool whole = read([&](const char* bytes, std::size_t size) {
    fits = size <= kMostBodyBytes - body.size();
    if (fits) body.append(bytes, size);
    return fits;
  });
  if (!fits) return too_large();
  if (!whole) return bad_body("it does not come to its end");
  return json_of(body);
}

}  // namespace mxp::tools
