"""Waits until the nodes of an engine are ready, over the wire: neither server comes with a client.

    ready.py mongodb|kafka HOST:PORT,HOST:PORT... [PROCESS...]

MongoDB is made a replica set first, where it is none yet. Exit code 1 when it takes more than two minutes, or one of the
processes has ended.
"""

import os
import socket
import struct
import sys
import time

PATIENCE = 120


def bson(document):
    """A document of strings, integers, lists and documents."""
    out = b""
    for key, value in document.items():
        name = key.encode() + b"\0"
        if isinstance(value, str):
            data = value.encode() + b"\0"
            out += b"\x02" + name + struct.pack("<i", len(data)) + data
        elif isinstance(value, int):
            out += b"\x10" + name + struct.pack("<i", value)
        elif isinstance(value, list):
            out += b"\x04" + name + bson({str(i): v for i, v in enumerate(value)})
        else:
            out += b"\x03" + name + bson(value)
    return struct.pack("<i", len(out) + 5) + out + b"\0"


def ask(address, request, head, size):
    """Sends a request and returns the whole answer, whose head tells its size."""
    host, port = address.rsplit(":", 1)
    with socket.create_connection((host, int(port)), timeout=5) as connection:
        connection.sendall(request)
        answer, want = b"", head
        while len(answer) < want:
            part = connection.recv(65536)
            if not part:
                raise ConnectionError("closed")
            answer += part
            if want == head and len(answer) >= head:
                want = size(answer)
        return answer


def mongodb_command(address, document):
    body = struct.pack("<i", 0) + b"\0" + bson({**document, "$db": "admin"})
    request = struct.pack("<iiii", 16 + len(body), 1, 0, 2013) + body
    return ask(address, request, 4, lambda answer: struct.unpack("<i", answer[:4])[0])


def mongodb(addresses):
    """One of the nodes is the primary, all others are secondaries."""
    primaries = ready = 0
    for address in addresses:
        answer = mongodb_command(address, {"hello": 1})
        if b"\x02setName\0" not in answer:
            members = [{"_id": i, "host": a} for i, a in enumerate(addresses)]
            mongodb_command(
                addresses[0],
                {"replSetInitiate": {"_id": "rs0", "members": members, "settings": {"electionTimeoutMillis": 2000}}},
            )
            return False
        primary = b"\x08isWritablePrimary\0\x01" in answer
        primaries += primary
        ready += primary or b"\x08secondary\0\x01" in answer
    return primaries == 1 and ready == len(addresses)


def kafka(addresses):
    """Every broker tells of all brokers, and of a controller."""
    for address in addresses:
        # Metadata, version 1, of no topic
        body = struct.pack(">hhih", 3, 1, 1, -1) + struct.pack(">i", 0)
        answer = ask(address, struct.pack(">i", len(body)) + body, 4, lambda a: 4 + struct.unpack(">i", a[:4])[0])
        if struct.unpack(">i", answer[8:12])[0] != len(addresses):
            return False
    return True


def runs(process):
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass
    return True


def main():
    check, addresses = {"mongodb": mongodb, "kafka": kafka}[sys.argv[1]], sys.argv[2].split(",")
    processes = [int(p) for p in sys.argv[3:]]
    deadline, last = time.monotonic() + PATIENCE, "not ready"
    while time.monotonic() < deadline:
        ended = [p for p in processes if not runs(p)]
        if ended:
            print(f"engines: {sys.argv[1]}: process {ended[0]} has ended", file=sys.stderr)
            return 1
        try:
            if check(addresses):
                return 0
        except (OSError, struct.error) as error:
            last = error
        time.sleep(0.1)
    print(f"engines: {sys.argv[1]} at {sys.argv[2]} is not ready after {PATIENCE} s: {last}", file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main())
