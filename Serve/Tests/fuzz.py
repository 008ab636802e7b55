"""Sends `graft serve` what no client should: nothing of it may end it, be answered 5xx, or take memory that stays.

    python Serve/Tests/fuzz.py [--seconds 20] [--seed 1]      needs make serve

Requests are made three ways: whole requests with wrong contents (bodies of every kind cut, repeated and changed byte by byte), requests
that are no HTTP, and requests made of the server's own OpenAPI description. 503 is an answer only to what has no time.
"""

from __future__ import annotations

import argparse
import base64
import json
import random
import re
import shutil
import socket
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

from serving import Failure, Server, expect, form, train_leaves


class Fuzzer:
    def __init__(self, server: Server, image: bytes, seed: int) -> None:
        self.server, self.image, self.random = server, image, random.Random(seed)
        self.statuses: Counter[object] = Counter()
        status, _, body = server.ask("GET", "/openapi.json")
        expect(status == 200, "no description")
        self.paths = [(method.upper(), path) for path, methods in json.loads(body)["paths"].items() for method in methods]
        metadata = json.loads(server.ask("GET", "/v2/models/leaves")[2])
        self.input, self.output = metadata["inputs"][0], metadata["outputs"][0]["name"]

    # Contents

    def number(self) -> object:
        return self.random.choice([0, 1, -1, 2, 3, 255, 1e308, -1e308, 1e-320, 2**31, 2**63 - 1, -2**63, 2**64, 1.5, None, True, "x", [], {}])

    def damaged(self, content: bytes) -> bytes:
        content = bytearray(content)
        for _ in range(self.random.randint(0, 6)):
            place = self.random.randrange(len(content) + 1)
            match self.random.randrange(5):
                case 0: content[place:place + self.random.randint(1, 64)] = b""
                case 1: content[place:place] = self.random.randbytes(self.random.randint(1, 64))
                case 2: content[place:] = b""
                case 3: content[place:place] = content[place:place + 200]
                case _: content[place:place + 1] = bytes([self.random.choice([0, 0xFF, 0x7F, 0x80, 10, 13, 34])])
        return bytes(content)

    def tensor_request(self) -> tuple[bytes, dict[str, str]]:
        shape = [1, *self.input["shape"][1:]]
        entry = {"name": self.input["name"], "shape": shape, "datatype": "FP32"}
        binary = b""
        match self.random.randrange(4):
            case 0:
                entry.update(shape=[1], datatype="BYTES", data=[base64.b64encode(self.damaged(self.image)).decode()])
            case 1:
                content = self.damaged(self.image)
                binary = len(content).to_bytes(4, "little") + content
                entry.update(shape=[1], datatype="BYTES", parameters={"binary_data_size": len(binary)})
            case 2:
                count = shape[1] * shape[2] * shape[3]
                binary = self.random.randbytes(4 * count)
                entry["parameters"] = {"binary_data_size": len(binary)}
            case _:
                entry["data"] = [self.number() for _ in range(self.random.randint(0, 9))]
        outputs = [{"name": self.output, "parameters": {"classification": self.number(), "binary_data": self.number()}}]
        request: dict = {"id": self.number(), "inputs": [entry], "outputs": outputs, "parameters": {"binary_data_output": self.number()}}
        for _ in range(self.random.randint(0, 2)):
            place = self.random.choice([request, entry, outputs[0]["parameters"]])
            place[self.random.choice(list(place))] = self.number()
        header = json.dumps(request).encode()
        if self.random.random() < 0.2:
            header = self.damaged(header)
        length = len(header) + self.random.choice([0] * 8 + [-1, 1, 10**9])
        return header + binary, {"Inference-Header-Content-Length": str(length)} if binary or self.random.random() < 0.3 else {}

    def body(self) -> tuple[bytes, dict[str, str]]:
        match self.random.randrange(7):
            case 0: return self.damaged(self.image), {}
            case 1:
                content, headers = form([("one.png", self.image)], {"top": str(self.number()), "model": str(self.number())})
                return self.damaged(content), headers
            case 2: return json.dumps({"image": self.number(), "images": [self.number()] * 3, "top": self.number()}).encode(), {}
            case 3: return b"[" * self.random.choice([3, 300, 100_000]), {"Content-Type": "application/json"}
            case 4: return self.random.randbytes(self.random.randint(0, 3000)), {"Content-Encoding": self.random.choice(["gzip", "deflate", "br", "x"])}
            case 5: return self.random.randbytes(500), {"Content-Type": self.random.choice(["multipart/form-data", "multipart/x; boundary=", "text/\u00e4"]).encode("latin-1").decode("latin-1")}
            case _: return self.tensor_request()

    # Requests

    def whole_request(self) -> None:
        method, path = self.random.choice(self.paths)
        if self.random.random() < 0.5:
            method, path = self.random.choice([("POST", "/predict"), ("POST", "/v2/models/{model}/infer")])
        path = re.sub(r"\{\w+\}", lambda _: self.random.choice(["leaves", "1", "leaves", "leaves", "%2e%2e", "..%2f..%2fetc%2fpasswd", "%00", "%ff", "x" * 3000]), path)
        if self.random.random() < 0.3:
            path += "?" + self.random.choice(["top=1", "top=-1", "top=99999999999999999999", "top", "model=%00", "&&&=", "top=1&top=x", "model=leaves"])
        if self.random.random() < 0.05:
            method = self.random.choice(["PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "HEAD", "BREW"])
        body, headers = self.body()
        try:
            status, _, answer = self.server.ask(method, path, body, headers)
        except (OSError, ValueError) as error:
            # The server may close what it refused while more is sent.
            self.statuses[type(error).__name__] += 1
            return
        except Exception as error:
            raise Failure(f"{method} {path}: {error!r}") from error
        self.statuses[status] += 1
        expect(status < 500 or status == 503, f"{method} {path} {headers}: {status} {answer[:300]!r} for {body[:300]!r}")
        if status >= 400 and method != "HEAD" and answer:
            expect("error" in json.loads(answer), f"no words: {answer[:100]!r}")

    def no_request(self) -> None:
        lines = [b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n", b"POST /predict HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
                 b"POST /predict HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\nFFFFFFFFFFFFFFFF\r\nx",
                 b"POST /predict HTTP/1.1\r\nHost: localhost\r\nContent-Length: 99999999999999999999\r\n\r\nx",
                 b"GET / HTTP/1.1\r\n" + b"X: y\r\n" * 500 + b"\r\n", b"GET / HTTP/1.1\r\nX: " + b"y" * 200_000 + b"\r\n\r\n",
                 b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", b"GET http://evil.example/ HTTP/1.1\r\n\r\n"]
        with socket.create_connection(("127.0.0.1", self.server.port)) as connection:
            connection.settimeout(0.3)
            try:
                connection.sendall(self.damaged(self.random.choice(lines)))
                first = connection.recv(64)
                match = re.match(rb"HTTP/1\.[01] (\d{3})", first)
                status = int(match.group(1)) if match else "closed"
                expect(not match or int(match.group(1)) < 500, f"{first!r}")
                self.statuses[status] += 1
            except OSError:
                self.statuses["no answer"] += 1


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=20)
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="graft-fuzz-"))
    try:
        train_leaves(folder)
        image = next((folder / "leaves/validation").rglob("*.png")).read_bytes()
        with Server("serve", "leaves.keras", "--max-body", "2", "--timeout", "10", cwd=folder) as server:
            fuzzer = Fuzzer(server, image, arguments.seed)
            start, early, count = time.monotonic(), 0, 0
            while time.monotonic() - start < arguments.seconds:
                fuzzer.no_request() if fuzzer.random.random() < 0.1 else fuzzer.whole_request()
                count += 1
                if not early and time.monotonic() - start > arguments.seconds / 4:
                    early = server.resident
            expect(server.process.poll() is None, f"the server ended with {server.process.returncode}")
            expect(server.ask("POST", "/predict", image)[0] == 200, "it does not go on")
            late = server.resident
            log = (folder / "serve.log").read_bytes()
            expect(all(byte >= 0x20 or byte == 0x0A for byte in log), "the log holds control characters")
            for line in log.decode().splitlines():
                json.loads(line)
            expect(late < 1.25 * early + 20e6, f"memory grew from {early / 1e6:.0f} to {late / 1e6:.0f} MB")
            print(f"{count} requests in {arguments.seconds:.0f} s, seed {arguments.seed}: {dict(fuzzer.statuses.most_common())}")
            print(f"memory {early / 1e6:.0f} MB after a quarter of the time, {late / 1e6:.0f} MB at the end")
    except Failure as failure:
        print(f"FAILED: {failure}")
        return 1
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
