#include "common/message_names.h"

#include <fmt/format.h>

#include <charconv>
#include <utility>

namespace mxp::tools {
namespace {

constexpr unsigned kTypes = 256;
constexpr std::pair<std::string_view, MessageClass> kClasses[] = {{"critical", MessageClass::critical},
                                                                  {"control", MessageClass::control},
                                                                  {"streaming", MessageClass::streaming},
                                                                  {"background", MessageClass::background}};
constexpr unsigned kFirstOfApplications = 0x80, kLastOfApplications = 0xEF;

}  // namespace

std::optional<MessageType> message_type_of(std::string_view text) {
  for (unsigned value = 0; value < kTypes; ++value) {
    const auto type = static_cast<MessageType>(value);
    if (!text.empty() && is_valid_message_type(static_cast<std::uint8_t>(value)) && to_string(type) == text)
      return type;
  }
  if (!text.starts_with("0x")) return std::nullopt;
  unsigned value = 0;
  const auto [end, error] = std::from_chars(text.data() + 2, text.data() + text.size(), value, 16);
  const bool whole = error == std::errc() && end == text.data() + text.size();
  if (!whole || value < kFirstOfApplications || value > kLastOfApplications) return std::nullopt;
  return static_cast<MessageType>(value);
}

std::string name_of(MessageType type) {
  const std::string_view name = to_string(type);
  return name.empty() ? fmt::format("{:#04x}", static_cast<unsigned>(type)) : std::string(name);
}

std::optional<MessageClass> message_class_of(std::string_view text) {
  for (const auto& [name, traffic_class] : kClasses)
    if (name == text) return traffic_class;
  return std::nullopt;
}

std::string_view name_of(MessageClass traffic_class) {
  for (const auto& [name, value] : kClasses)
    if (value == traffic_class) return name;
  return "unknown class";
}

}  // namespace mxp::tools
