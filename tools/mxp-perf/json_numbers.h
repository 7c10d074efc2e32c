// Numbers as they stand in a peer's JSON. get() would convert 1e300, -1 and true in silence, some of them with an
// undefined result; these throw nlohmann::json::exception instead.
#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <utility>

namespace mxp::perf {

template <typename Integer>
Integer whole_number(const nlohmann::json& object, const char* name) {
  const nlohmann::json& value = object.at(name);
  if (!value.is_number_unsigned() || !std::in_range<Integer>(value.get<std::uint64_t>()))
    throw nlohmann::json::out_of_range::create(401, name, &value);
  return static_cast<Integer>(value.get<std::uint64_t>());
}

// Seconds, or a rate: at least 0, and no more than any clock or line says.
inline double time_number(const nlohmann::json& object, const char* name) {
  constexpr double kMost = 1e15;
  const nlohmann::json& value = object.at(name);
  if (!value.is_number() || !(value.get<double>() >= 0 && value.get<double>() <= kMost))
    throw nlohmann::json::out_of_range::create(401, name, &value);
  return value.get<double>();
}

}  // namespace mxp::perf
