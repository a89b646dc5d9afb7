"""Reads JSON-RPC bodies as a server in Python does and says what it found in them.

Standard input: for each body its length in four bytes, big endian, then the body; length 0 asks to write out what is
done. Standard output: for each body one line of JSON, see the interface Found.
"""

import json
import sys


def text(value):
    return value if isinstance(value, str) else None


def member(value, name):
    return value.get(name) if isinstance(value, dict) else None


def found(message):
    if not isinstance(message, dict):
        return None
    params = message.get("params")
    ref = member(params, "ref")
    return {
        "method": text(message.get("method")),
        "name": text(member(params, "name")),
        "uri": text(member(params, "uri")),
        "refType": text(member(ref, "type")),
        "refName": text(member(ref, "name")),
        "refUri": text(member(ref, "uri")),
        "assertion": text(member(member(params, "_meta"), "io.portcullis/assertion")),
        "id": message.get("id"),
    }


def main():
    while len(head := sys.stdin.buffer.read(4)) == 4:
        length = int.from_bytes(head, "big")
        if length == 0:
            sys.stdout.flush()
            continue
        body = sys.stdin.buffer.read(length)
        try:
            value = json.loads(body)
        except (ValueError, RecursionError):
            print("null")
            continue
        messages = value if isinstance(value, list) else [value]
        print(json.dumps([found(message) for message in messages], allow_nan=False, default=str))


main()
