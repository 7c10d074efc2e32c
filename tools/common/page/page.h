// Pages that a tool writes for people: one HTML file that holds all it needs, and loads nothing. It carries the plotting
// library (dygraphs), a style for small and large screens, light and dark, and its data as JSON.
//
//   const std::string html = make_page({.title = "capture.pcapng", .script = embedded::capture_page(), .data = json});
//
// A Content-Security-Policy lets run what the tool put there and nothing else, whatever strings a peer has made: only
// scripts with the right hash, no connection to anywhere. Data become text by the scripts' textContent, never markup.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>

namespace mxp::tools {

struct Page {
  std::string_view title;   // any text
  std::string_view script;  // ours; called with the data once the document is there: `page(data)`, see charts.js
  const nlohmann::json& data;
};

std::string make_page(const Page& page);

}  // namespace mxp::tools
