"""Reads what Rust wrote, and writes the same for it: `cross.py msgpack|avro < REQUEST > ANSWER`.

The request is JSON: `samples`, one text of hexadecimal digits each, and for Avro the `schema`. The answer
is a list of such texts, made of the values that stand here. What was read and differs ends it.
"""

import io
import json
import math
import sys


def samples():
    first = {
        "text": "żółw 日本 🛫 \0 end",
        "yes": True,
        "small": -128,
        "unsigned": 2**32 - 1,
        "long": -(2**63),
        "single": 0.5,
        "double": 0.1,
        "absent": None,
        "present": "",
        "bytes": b"\x00\xff\xc3\x28",
        "list": [0, -1, 127, 128, -129, 65536, 2**63 - 1],
        "table": {"é": 1, "": -1},
        "kind": "by_air",
        "shapes": [
            ("Point", {}),
            ("Circle", {"field_0": 1.5}),
            ("Rectangle", {"width": 2, "height": -3}),
        ],
        "inner": {"id": 1, "note": "inside"},
        "more": [{"id": 2, "note": None}],
    }
    second = {
        **first,
        "text": "x" * 70000,
        "yes": False,
        "small": 127,
        "unsigned": 0,
        "long": 2**63 - 1,
        "single": math.inf,
        "double": -0.0,
        "absent": 0,
        "present": None,
        "bytes": b"",
        "list": list(range(20)),
        "table": {},
        "kind": "standard",
        "shapes": [],
        "more": [],
    }
    return [first, second]


def msgpack(_request):
    import msgpack

    def plain(sample):
        # serde's way to write an enum.
        def shape(name, fields):
            content = fields.get("field_0", fields)
            return {name: content} if fields else name

        return {**sample, "shapes": [shape(*s) for s in sample["shapes"]]}

    return plain, msgpack.packb, msgpack.unpackb


def avro(request):
    import fastavro

    schema = fastavro.parse_schema(request["schema"])

    def write(sample):
        datum = io.BytesIO()
        fastavro.schemaless_writer(datum, schema, sample, strict=True)
        return datum.getvalue()

    def read(datum):
        rest = io.BytesIO(datum)
        value = fastavro.schemaless_reader(rest, schema, return_record_name=True)
        assert not rest.read(), "bytes follow the datum"
        return value

    return (lambda sample: sample), write, read


def signs(sample):
    return math.copysign(1, sample["double"])


def main(codec):
    request = json.load(sys.stdin)
    plain, write, read = {"msgpack": msgpack, "avro": avro}[codec](request)
    ours = [plain(sample) for sample in samples()]
    theirs = [read(bytes.fromhex(sample)) for sample in request["samples"]]
    assert len(ours) == len(theirs)
    for expected, found in zip(ours, theirs):
        assert list(expected) == list(found), (list(expected), list(found))
        for name in expected:
            assert expected[name] == found[name], (name, expected[name], found[name])
            assert type(expected[name]) is type(found[name]), name
        assert signs(expected) == signs(found)
    json.dump([write(sample).hex() for sample in ours], sys.stdout)


main(*sys.argv[1:])
