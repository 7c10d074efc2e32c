#include "common/page/page.h"

#include <fmt/format.h>
#include <openssl/evp.h>

#include <nlohmann/json.hpp>

#include "common/digest.h"
#include "common/escape.h"

namespace mxp::tools {

// What EmbedFile.cmake makes.
namespace embedded {
std::string_view dygraph_script();
std::string_view dygraph_style();
std::string_view page_style();
std::string_view charts_script();
}  // namespace embedded

namespace {

// Within a script element nothing may look like markup.
std::string in_script(const nlohmann::json& data) {
  const std::string text = data.dump(-1, ' ', true, nlohmann::json::error_handler_t::replace);
  std::string out;
  out.reserve(text.size());
  for (const char c : text) {
    if (c == '<') out += "\\u003c";
    else out += c;
  }
  return out;
}

// Of a script as it stands between its tags: https://www.w3.org/TR/CSP3/#match-element-to-source-list
std::string source_hash(std::string_view script) {
  Sha256 hash;
  hash.update({reinterpret_cast<const std::uint8_t*>(script.data()), script.size()});
  const Sha256::Value value = hash.finish();
  std::string base64(4 * ((value.size() + 2) / 3) + 1, '\0');
  base64.resize(static_cast<std::size_t>(::EVP_EncodeBlock(reinterpret_cast<unsigned char*>(base64.data()),
                                                           value.data(), static_cast<int>(value.size()))));
  return "'sha256-" + base64 + "'";
}

// The library names its source map, which is not there.
std::string_view without_source_map(std::string_view text, std::string_view mark) {
  return text.substr(0, text.rfind(mark));
}

}  // namespace

std::string make_page(const Page& page) {
  const std::string_view library = without_source_map(embedded::dygraph_script(), "\n//# sourceMappingURL");
  const std::string_view library_style = without_source_map(embedded::dygraph_style(), "\n/*# sourceMappingURL");
  const std::string own =
      fmt::format("'use strict';\n{}\n{}\nstartPage(page);\n", embedded::charts_script(), page.script);
  std::string html = fmt::format(
      "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
      "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; script-src {} {}; "
      "style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'\">\n"
      "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
      "<meta name=\"color-scheme\" content=\"light dark\">\n<meta name=\"referrer\" content=\"no-referrer\">\n"
      "<link rel=\"icon\" href=\"data:,\">\n<title>{}</title>\n",
      source_hash(library), source_hash(own), in_markup(page.title));
  html.append("<style>\n")
      .append(library_style)
      .append("\n")
      .append(embedded::page_style())
      .append("</style>\n</head>\n");
  html.append(
      "<body>\n<noscript>The charts and tables of this page are drawn by its own script: let it run. It loads "
      "nothing.</noscript>\n<main id=\"page\"></main>\n<script type=\"application/json\" id=\"data\">");
  html.append(in_script(page.data)).append("</script>\n<script>").append(library).append("</script>\n<script>");
  html.append(own).append("</script>\n</body>\n</html>\n");
  return html;
}

}  // namespace mxp::tools
