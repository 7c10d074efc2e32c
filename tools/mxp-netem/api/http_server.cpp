#include "mxp-netem/api/http_server.h"

#include <fmt/format.h>

#include <functional>
#include <string>
#include <thread>
#include <utility>

#include "mxp-netem/api/bounded_http.h"
#include "mxp-netem/api/metrics.h"
#include "mxp-netem/api/request_check.h"
#include "mxp/version.h"

namespace mxp::tools {
namespace {

constexpr int kOk = 200;
constexpr int kCreated = 201;
constexpr int kNoContent = 204;
constexpr int kNotFoundHere = 404;
constexpr int kUnavailable = 503;
constexpr const char* kJson = "application/json";

std::string text_of(const nlohmann::json& json) {
  return json.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

void answer(httplib::Response& response, const ApiError& error) {
  response.status = error.status;
  response.set_content(text_of({{"error", error.message}, {"status", error.status}}), kJson);
}

void answer(httplib::Response& response, const ApiResult<nlohmann::json>& result, int status) {
  if (!result) return answer(response, result.error());
  response.status = status;
  response.set_content(text_of(*result), kJson);
}

void answer(httplib::Response& response, const ApiResult<void>& result) {
  if (!result) return answer(response, result.error());
  response.status = kNoContent;
}

std::string status_text(int status) {
  switch (status) {
    case 404: return "not found";
    default: return "bad request";
  }
}

}  // namespace

struct HttpServer::Server {
  BoundedHttpServer http;
  LoopMailbox& mailbox;
  ProxyRegistry& registry;
  std::thread thread;

  Server(LoopMailbox& box, ProxyRegistry& proxies) : mailbox(box), registry(proxies) {}

  template <typename Task>
  auto ask(Task task) -> decltype(task()) {
    auto result = mailbox.ask(std::move(task));
    if (result) return std::move(*result);
    return api_error(kUnavailable, "the relay is ending, or too busy to answer");
  }

  void set_up();
  void set_up_proxies();
  void set_up_toxics();
  // httplib reads the body of any POST, PATCH and DELETE before a handler without a reader hears of it, and its own
  // bound is for bodies that say their length. So all of them have readers.
  using BodyHandler = std::function<void(const httplib::Request&, httplib::Response&, const nlohmann::json&)>;
  static httplib::Server::HandlerWithContentReader with_body(BodyHandler handler) {
    return [handler = std::move(handler)](const httplib::Request& request, httplib::Response& response,
                                          const httplib::ContentReader& read) {
      const auto json = body_of(request, read);
      if (!json) return answer(response, json.error());
      handler(request, response, *json);
    };
  }
  void add_change(const std::string& path, const BodyHandler& handler) {
    http.Post(path, with_body(handler));
    http.Patch(path, with_body(handler));
  }
  void add_removal(const std::string& path, const httplib::Server::Handler& handler) {
    http.Delete(path, [handler](const httplib::Request& request, httplib::Response& response,
                                const httplib::ContentReader&) { handler(request, response); });
  }
};

namespace {

constexpr const char* kProxyPath = R"(/proxies/([^/]+))";
constexpr const char* kToxicsPath = R"(/proxies/([^/]+)/toxics)";
constexpr const char* kToxicPath = R"(/proxies/([^/]+)/toxics/([^/]+))";

ApiResult<std::vector<ProxyRequest>> proxy_requests_from(const nlohmann::json& json) {
  if (!json.is_array()) return bad_body("a list of proxies is expected");
  std::vector<ProxyRequest> requests;
  for (const nlohmann::json& one : json) {
    if (requests.size() == ProxyRegistry::kMostProxies)
      return bad_body(fmt::format("more than {} proxies", ProxyRegistry::kMostProxies));
    auto request = proxy_request_from(one);
    if (!request) return std::unexpected(request.error());
    requests.push_back(std::move(*request));
  }
  return requests;
}

}  // namespace

void HttpServer::Server::set_up() {
  // httplib's own choice, SO_REUSEPORT, would let two processes share a port, each with half of the requests.
  http.set_socket_options([](socket_t fd) {
    constexpr int kOn = 1;
    ::setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &kOn, sizeof kOn);
  });
  http.set_pre_routing_handler([](const httplib::Request& request, httplib::Response& response) {
    const auto refusal = refusal_of(request);
    if (!refusal) return httplib::Server::HandlerResponse::Unhandled;
    answer(response, *refusal);
    return httplib::Server::HandlerResponse::Handled;
  });
  http.set_error_handler([](const httplib::Request&, httplib::Response& response) {
    if (response.body.empty() && response.status != kNoContent)
      answer(response, ApiError{response.status, status_text(response.status)});
  });
  http.Get("/version", [](const httplib::Request&, httplib::Response& response) {
    response.set_content(text_of({{"version", std::string(kLibraryVersion)}}), kJson);
  });
  http.Get("/metrics", [this](const httplib::Request&, httplib::Response& response) {
    const auto text = ask([this]() -> ApiResult<std::string> { return metrics_text(registry.proxies()); });
    if (!text) return answer(response, text.error());
    response.set_content(*text, "text/plain; version=0.0.4; charset=utf-8");
  });
  http.Post("/reset", with_body([this](const httplib::Request&, httplib::Response& response, const nlohmann::json&) {
              answer(response, ask([this]() -> ApiResult<void> {
                       registry.reset();
                       return {};
                     }));
            }));
  set_up_proxies();
  set_up_toxics();
  // The last ones: any other path.
  constexpr const char* kAny = R"([^]*)";
  const auto unknown = [](const httplib::Request&, httplib::Response& response) {
    answer(response, ApiError{kNotFoundHere, "not found"});
  };
  const auto unread = [unknown](const httplib::Request& request, httplib::Response& response,
                                const httplib::ContentReader&) { unknown(request, response); };
  http.Post(kAny, unread);
  http.Patch(kAny, unread);
  http.Delete(kAny, unread);
}

void HttpServer::Server::set_up_proxies() {
  http.Get("/proxies", [this](const httplib::Request&, httplib::Response& response) {
    answer(response, ask([this]() -> ApiResult<nlohmann::json> { return registry.all(); }), kOk);
  });
  http.Post("/proxies",
            with_body([this](const httplib::Request&, httplib::Response& response, const nlohmann::json& json) {
              const auto wanted = proxy_request_from(json);
              if (!wanted) return answer(response, wanted.error());
              answer(response, ask([this, wanted = *wanted] { return registry.create(wanted); }), kCreated);
            }));
  http.Post("/populate",
            with_body([this](const httplib::Request&, httplib::Response& response, const nlohmann::json& json) {
              const auto wanted = proxy_requests_from(json);
              if (!wanted) return answer(response, wanted.error());
              answer(response, ask([this, wanted = *wanted] { return registry.populate(wanted); }), kCreated);
            }));
  http.Get(kProxyPath, [this](const httplib::Request& request, httplib::Response& response) {
    answer(response, ask([this, name = request.matches[1].str()] { return registry.show(name); }), kOk);
  });
  add_change(
      kProxyPath, [this](const httplib::Request& request, httplib::Response& response, const nlohmann::json& json) {
        const auto wanted = proxy_request_from(json);
        if (!wanted) return answer(response, wanted.error());
        answer(response,
               ask([this, name = request.matches[1].str(), wanted = *wanted] { return registry.update(name, wanted); }),
               kOk);
      });
  add_removal(kProxyPath, [this](const httplib::Request& request, httplib::Response& response) {
    answer(response, ask([this, name = request.matches[1].str()] { return registry.remove(name); }));
  });
}

void HttpServer::Server::set_up_toxics() {
  http.Get(kToxicsPath, [this](const httplib::Request& request, httplib::Response& response) {
    answer(response, ask([this, name = request.matches[1].str()] { return registry.toxics(name); }), kOk);
  });
  http.Post(kToxicsPath,
            with_body([this](const httplib::Request& request, httplib::Response& response, const nlohmann::json& json) {
              const auto toxic = toxic_from(json);
              if (!toxic) return answer(response, toxic.error());
              answer(response, ask([this, name = request.matches[1].str(), toxic = *toxic] {
                       return registry.add_toxic(name, toxic);
                     }),
                     kOk);
            }));
  http.Get(kToxicPath, [this](const httplib::Request& request, httplib::Response& response) {
    answer(response, ask([this, name = request.matches[1].str(), toxic = request.matches[2].str()] {
             return registry.show_toxic(name, toxic);
           }),
           kOk);
  });
  add_change(kToxicPath,
             [this](const httplib::Request& request, httplib::Response& response, const nlohmann::json& json) {
               answer(response, ask([this, name = request.matches[1].str(), toxic = request.matches[2].str(), json] {
                        return registry.update_toxic(name, toxic, json);
                      }),
                      kOk);
             });
  add_removal(kToxicPath, [this](const httplib::Request& request, httplib::Response& response) {
    answer(response, ask([this, name = request.matches[1].str(), toxic = request.matches[2].str()] {
             return registry.remove_toxic(name, toxic);
           }));
  });
}

HttpServer::HttpServer(std::unique_ptr<Server> server, SocketAddress local)
    : server_(std::move(server)), local_(local) {}

HttpServer::~HttpServer() {
  server_->http.end();
  if (server_->thread.joinable()) server_->thread.join();
}

Result<std::unique_ptr<HttpServer>> HttpServer::open(const SocketAddress& address, LoopMailbox& mailbox,
                                                     ProxyRegistry& registry) {
  auto server = std::make_unique<Server>(mailbox, registry);
  server->set_up();
  SocketAddress host = address;
  host.port = 0;
  std::string name = host.to_string();
  name = name.substr(0, name.rfind(':'));
  if (name.front() == '[') name = name.substr(1, name.size() - 2);
  int port = address.port;
  if (port == 0) {
    port = server->http.bind_to_any_port(name);
  } else if (!server->http.bind_to_port(name, port)) {
    port = -1;
  }
  if (port <= 0)
    return fail(
        ErrorKind::network,
        fmt::format("--http: cannot listen on {}: choose another port, or 0 for any free one", address.to_string()));
  SocketAddress local = address;
  local.port = static_cast<std::uint16_t>(port);
  server->thread = std::thread([raw = server.get()] { raw->http.listen_after_bind(); });
  // stop() before listen_after_bind() has begun would be forgotten.
  while (!server->http.is_running()) std::this_thread::yield();
  return std::unique_ptr<HttpServer>(new HttpServer(std::move(server), local));
}

}  // namespace mxp::tools
