#include "mxp-dump/fields_output.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <iterator>

#include "mxp-dump/json_output.h"

namespace mxp::dump {
namespace {

template <typename T>
void print(std::string& out, const T& value) {
  fmt::format_to(std::back_inserter(out), "{}", value);
}

// A value of each frame of one kind.
template <typename F, typename Value>
void each(const PacketRecord& record, std::string& out, Value value) {
  bool first = true;
  for (const Frame& frame : record.frames) {
    const F* one = std::get_if<F>(&frame);
    if (one == nullptr) continue;
    if (!first) out += ',';
    first = false;
    print(out, value(*one));
  }
}

void yes(std::string& out, bool value) {
  if (value) out += '1';
}

struct Field {
  std::string_view name;
  FieldsWriter::Print print;
};

constexpr std::array kFieldTable{
    Field{"frame", [](const PacketRecord& r, std::string& out) { print(out, r.frame); }},
    Field{"time",
          [](const PacketRecord& r, std::string& out) {
            if (r.time_ns)
              fmt::format_to(std::back_inserter(out), "{}.{:09}", *r.time_ns / 1'000'000'000,
                             *r.time_ns % 1'000'000'000);
          }},
    Field{"src", [](const PacketRecord& r, std::string& out) { out += r.source.to_string(); }},
    Field{"dst", [](const PacketRecord& r, std::string& out) { out += r.destination.to_string(); }},
    Field{"length", [](const PacketRecord& r, std::string& out) { print(out, r.length); }},
    Field{"type", [](const PacketRecord& r, std::string& out) { out += to_string(r.type); }},
    Field{"packet_number",
          [](const PacketRecord& r, std::string& out) {
            if (r.number) print(out, r.number->value());
          }},
    Field{"connection",
          [](const PacketRecord& r, std::string& out) {
            if (r.connection != 0) print(out, r.connection);
          }},
    Field{"direction", [](const PacketRecord& r, std::string& out) { out += direction_word(r.direction); }},
    Field{"client_id",
          [](const PacketRecord& r, std::string& out) {
            if (r.client_id) out += hex(*r.client_id);
          }},
    Field{"destination_id",
          [](const PacketRecord& r, std::string& out) {
            if (r.destination_id) out += hex(*r.destination_id);
          }},
    Field{"suite",
          [](const PacketRecord& r, std::string& out) {
            if (r.suite) out += suite_word(*r.suite);
          }},
    Field{"decrypted", [](const PacketRecord& r, std::string& out) { yes(out, r.protection == Protection::opened); }},
    Field{"duplicate", [](const PacketRecord& r, std::string& out) { yes(out, r.duplicate); }},
    Field{"damaged", [](const PacketRecord& r, std::string& out) { yes(out, r.damaged); }},
    Field{"retransmission", [](const PacketRecord& r, std::string& out) { yes(out, r.retransmission); }},
    Field{"truncated", [](const PacketRecord& r, std::string& out) { yes(out, r.truncated()); }},
    Field{"fragment", [](const PacketRecord& r, std::string& out) { yes(out, r.fragment); }},
    Field{"frames.type",
          [](const PacketRecord& r, std::string& out) {
            for (std::size_t i = 0; i < r.frames.size(); ++i) {
              if (i > 0) out += ',';
              out += frame_word(r.frames[i]);
            }
          }},
    Field{"stream.id",
          [](const PacketRecord& r, std::string& out) {
            each<StreamFrame>(r, out, [](const StreamFrame& f) { return f.stream.value(); });
          }},
    Field{"stream.offset",
          [](const PacketRecord& r, std::string& out) {
            each<StreamFrame>(r, out, [](const StreamFrame& f) { return f.offset; });
          }},
    Field{"stream.length",
          [](const PacketRecord& r, std::string& out) {
            each<StreamFrame>(r, out, [](const StreamFrame& f) { return f.data.size(); });
          }},
    Field{"stream.fin",
          [](const PacketRecord& r, std::string& out) {
            each<StreamFrame>(r, out, [](const StreamFrame& f) { return f.fin ? 1 : 0; });
          }},
    Field{"datagram.length",
          [](const PacketRecord& r, std::string& out) {
            each<DatagramFrame>(r, out, [](const DatagramFrame& f) { return f.data.size(); });
          }},
    Field{"ack.largest",
          [](const PacketRecord& r, std::string& out) {
            each<AckFrame>(r, out, [](const AckFrame& f) { return f.largest.value(); });
          }},
    Field{"close.code", [](const PacketRecord& r,
                           std::string& out) { each<CloseFrame>(r, out, [](const CloseFrame& f) { return f.code; }); }},
};

const Field* find_field(std::string_view name) {
  const auto found =
      std::find_if(kFieldTable.begin(), kFieldTable.end(), [&](const Field& field) { return field.name == name; });
  return found == kFieldTable.end() ? nullptr : &*found;
}

}  // namespace

bool is_field(std::string_view name) { return find_field(name) != nullptr; }

std::string field_names() {
  std::string names;
  for (const Field& field : kFieldTable) {
    if (!names.empty()) names += ' ';
    names += field.name;
  }
  return names;
}

FieldsWriter::FieldsWriter(const std::vector<std::string>& names) {
  for (const std::string& name : names) columns_.push_back(find_field(name)->print);
}

void FieldsWriter::write(const PacketRecord& record, std::string& out) {
  for (std::size_t i = 0; i < columns_.size(); ++i) {
    if (i > 0) out += '\t';
    columns_[i](record, out);
  }
  out += '\n';
}

}  // namespace mxp::dump
