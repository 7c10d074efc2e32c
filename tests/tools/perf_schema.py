"""The JSON Schema of mxp-perf as a judge of documents: valid by the schema, and no key that the schema does not know."""
import copy
import json

import jsonschema

from perf_support import perf


def closed(node):
    """The schema with every object closed: what it does not name is an error. Published, it is open, so that keys can be added."""
    if isinstance(node, dict):
        if isinstance(node.get("properties"), dict):
            node.setdefault("additionalProperties", False)
        for value in node.values():
            closed(value)
    elif isinstance(node, list):
        for value in node:
            closed(value)
    return node


SCHEMA = json.loads(perf("--json-schema").stdout)
jsonschema.Draft202012Validator.check_schema(SCHEMA)
OPEN, CLOSED = jsonschema.Draft202012Validator(SCHEMA), jsonschema.Draft202012Validator(closed(copy.deepcopy(SCHEMA)))


def no_constant(word):
    raise ValueError(f"{word} is no JSON")


def no_twins(pairs):
    keys = [key for key, _ in pairs]
    if len(keys) != len(set(keys)):
        raise ValueError(f"a key twice: {keys}")
    return dict(pairs)


def strict(text):
    """A document that is JSON by the letter, and what the schema says that mxp-perf writes."""
    document = json.loads(text, parse_constant=no_constant, object_pairs_hook=no_twins)
    for validator in (OPEN, CLOSED):
        errors = [f"{'/'.join(map(str, error.absolute_path))}: {error.message[:300]}" for error in validator.iter_errors(document)]
        assert not errors, f"not as docs/schema/mxp-perf-result.schema.json says: {errors}"
    return document


def report_of(*arguments):
    """The document of a test that has to succeed."""
    done = perf(*arguments, "--no-limits", "--json")
    assert done.returncode == 0, done.stderr
    return strict(done.stdout)
