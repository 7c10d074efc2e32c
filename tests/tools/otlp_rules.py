"""The rules of OTLP/JSON (the proto3 JSON mapping with OpenTelemetry's exceptions) for lines of TracesData.

check(text) returns the spans and raises AssertionError."""
import json
import re

KEYS = {
    "TracesData": {"resourceSpans": "list"},
    "ResourceSpans": {"resource": "dict", "scopeSpans": "list"},
    "ScopeSpans": {"scope": "dict", "spans": "list"},
    "Span": {"traceId": "hex32", "spanId": "hex16", "parentSpanId": "hex16", "flags": "u32", "name": "text", "kind": "enum5",
             "startTimeUnixNano": "u64", "endTimeUnixNano": "u64", "attributes": "list", "status": "dict"},
}


def check_value(value, kind, where):
    if kind.startswith("hex"):
        assert re.fullmatch(r"[0-9a-f]{%s}" % kind[3:], value) and set(value) != {"0"}, f"{where}: {value!r} is no id"
    elif kind == "u64":
        assert isinstance(value, str) and re.fullmatch(r"\d+", value) and int(value) < 1 << 64, f"{where}: {value!r} is no 64-bit number"
    elif kind == "u32":
        assert type(value) is int and 0 <= value < 1 << 32, f"{where}: {value!r}"
    elif kind == "enum5":
        assert type(value) is int and 0 <= value <= 5, f"{where}: {value!r} is no number of an enum"
    else:
        assert isinstance(value, {"list": list, "dict": dict, "text": str}[kind]), f"{where}: {value!r}"


def check_message(value, name):
    for key, inner in value.items():
        assert key in KEYS[name], f"{name} has no {key}"
        check_value(inner, KEYS[name][key], f"{name}.{key}")


def check_attributes(attributes):
    seen = set()
    for attribute in attributes:
        assert attribute.keys() == {"key", "value"} and attribute["key"] not in seen, attribute
        seen.add(attribute["key"])
        ((kind, value),) = attribute["value"].items()
        if kind == "intValue":
            assert isinstance(value, str) and -(1 << 63) <= int(value) < 1 << 63, attribute
        else:
            assert isinstance(value, {"stringValue": str, "doubleValue": (int, float), "boolValue": bool}[kind]), attribute


def check(text):
    assert text == "" or text.endswith("\n"), "the last line has no end"
    spans = []
    for line in text.splitlines():
        data = json.loads(line)
        check_message(data, "TracesData")
        for resource in data["resourceSpans"]:
            check_message(resource, "ResourceSpans")
            check_attributes(resource["resource"]["attributes"])
            assert any(one["key"] == "service.name" for one in resource["resource"]["attributes"])
            for scope in resource["scopeSpans"]:
                check_message(scope, "ScopeSpans")
                for span in scope["spans"]:
                    check_message(span, "Span")
                    assert span.keys() >= {"traceId", "spanId", "name", "kind", "startTimeUnixNano", "endTimeUnixNano"}
                    assert int(span["startTimeUnixNano"]) <= int(span["endTimeUnixNano"]), span
                    assert span["status"].keys() <= {"code", "message"} and span["status"].get("code", 0) in (0, 1, 2)
                    check_attributes(span["attributes"])
                    spans.append(span)
    ids = [span["spanId"] for span in spans]
    assert len(set(ids)) == len(ids), "a span's id is there twice"
    return spans
