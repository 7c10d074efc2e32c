"""What a file of draft-ietf-quic-qlog-main-schema in JSON text sequences must keep to, as far as ours use it.

Usage: qlog_rules.py FILE…; or check(bytes), which returns the records and raises AssertionError."""
import json
import re
import sys

FRAME_TYPES = {
    "padding", "ping", "ack", "stream", "reset_stream", "stop_sending", "max_data", "max_stream_data", "max_streams_bidi", "max_streams_uni",
    "data_blocked", "stream_data_blocked", "streams_blocked_bidi", "streams_blocked_uni", "ack_frequency", "immediate_ack",
    "new_connection_id", "retire_connection_id", "path_challenge", "path_response", "datagram", "message", "message_part", "expired",
    "max_messages", "messages_blocked", "drain", "close"}


def sequence(content):
    """The texts of RFC 7464: each begins with a record separator and ends with a newline, and is UTF-8."""
    assert content.startswith(b"\x1e"), "the file does not begin with a record separator"
    for number, record in enumerate(content[1:].split(b"\x1e")):
        assert record.endswith(b"\n"), f"record {number} has no newline at its end"
        yield json.loads(record.decode("utf-8"), parse_constant=lambda word: (_ for _ in ()).throw(AssertionError(f"{word} is no JSON")))


def lower_case(value, where):
    if isinstance(value, dict):
        for key, inner in value.items():
            assert key == key.lower(), f"{where}: the key {key} is not in lower case"
            lower_case(inner, where)
    elif isinstance(value, list):
        for inner in value:
            lower_case(inner, where)


def check_header(header, content):
    for key, value in (("file_schema", "urn:ietf:params:qlog:file:sequential"), ("serialization_format", "application/qlog+json-seq")):
        assert header[key] == value, f"{key} is {header[key]}"
        assert value.encode() in content[:256], f"{key} does not stand in the first 256 bytes"
    assert "qlog_version" not in header and "qlog_format" not in header
    trace = header["trace"]
    vantage = trace["vantage_point"]
    assert vantage["type"] in ("client", "server", "network")
    assert vantage["type"] != "network" or vantage["flow"] in ("client", "server"), "a network's vantage point needs its flow"
    schemas = trace["event_schemas"]
    assert schemas and all(re.fullmatch(r"(https://|urn:)\S+", schema) for schema in schemas)
    assert any(re.fullmatch(r"https://[\w.]+/(0[1-9]|1[0-2])20\d\d/mxp", schema) for schema in schemas), "no private schema with a date"
    common = trace["common_fields"]
    assert common["time_format"] in ("relative_to_epoch", "relative_to_previous_event")
    reference = common["reference_time"]
    assert reference["clock_type"] in ("system", "monotonic")
    assert reference["clock_type"] != "monotonic" or reference["epoch"] == "unknown"
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z", reference["wall_clock_time"])
    return {schema.rsplit("/", 1)[-1] for schema in schemas}


def check(content):
    header, *events = sequence(content)
    namespaces = check_header(header, content)
    on_network = header["trace"]["vantage_point"]["type"] == "network"
    lower_case(header, "the header")
    last = None
    for number, event in enumerate(events):
        where = f"event {number}"
        assert event.keys() >= {"time", "name", "data"}, where
        assert isinstance(event["time"], (int, float)) and isinstance(event["data"], dict), where
        assert last is None or event["time"] >= last, f"{where} is earlier than the one before it"
        last = event["time"]
        namespace, name = event["name"].split(":")
        assert namespace in namespaces, f"{where}: {namespace} has no schema"
        assert re.fullmatch(r"[a-z_]+", name), where
        if name in ("packet_sent", "packet_received", "packet_lost"):
            packet = event["data"]["header"]
            # Who only looks on knows the number of what it can open, and sees the handshake.
            assert packet["packet_type"] in (("initial", "response", "1RTT") if on_network else ("1RTT",)), where
            assert isinstance(packet.get("packet_number"), int) or (on_network and "frames" not in event["data"]), where
            assert event["data"]["raw"]["length"] > 0, where
        for frame in event["data"].get("frames", ()):
            assert frame["frame_type"] in FRAME_TYPES, f"{where}: {frame}"
            for first, final in frame.get("acked_ranges", ()):
                assert first <= final, f"{where}: {frame}"
        if name not in ("stream_state_updated",):  # its blocked_time has the reasons' names
            lower_case(event, where)
    return header, events


if __name__ == "__main__":
    for path in sys.argv[1:]:
        with open(path, "rb") as file:
            print(f"{path}: {len(check(file.read())[1])} events")
