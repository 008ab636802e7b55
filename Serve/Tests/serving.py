"""What the scripts beside this one share: a trained model, a running server, and requests by hand."""

from __future__ import annotations

import http.client
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


class Failure(Exception):
    """What was found wrong."""


def expect(condition: object, what: str) -> None:
    if not condition:
        raise Failure(what)


def programs() -> Path:
    """The folder with graft and graft-serve: GRAFT_BUILD, or the release build."""
    folder = Path(os.environ.get("GRAFT_BUILD", ROOT / ".build/release"))
    for name in ("graft", "graft-serve"):
        if not (folder / name).exists():
            raise Failure(f"{folder / name} is missing: make serve builds it; GRAFT_BUILD names another folder")
    return folder


def graft(*arguments: str, cwd: Path) -> str:
    """What a run of graft prints on standard output."""
    result = subprocess.run([programs() / "graft", *arguments], cwd=cwd, capture_output=True, text=True)
    if result.returncode != 0:
        raise Failure(f"graft {' '.join(arguments)} ended with {result.returncode}: {result.stderr[-500:]}")
    return result.stdout


def draw_leaves(folder: Path, *options: str) -> None:
    """Graft's drawn leaves, in leaves/; GRAFT_LEAVES names a folder that has them already, as drawing takes a debug build a minute."""
    if "GRAFT_LEAVES" in os.environ:
        shutil.copytree(os.environ["GRAFT_LEAVES"], folder / "leaves")
    else:
        graft("sample", "leaves", *options, cwd=folder)


def train_leaves(folder: Path) -> Path:
    """A model of Graft's drawn leaves; the folder then holds leaves/ and leaves.keras."""
    draw_leaves(folder)
    graft("train", "leaves", "--epochs", "10", cwd=folder)
    return folder / "leaves.keras"


def predictions(model: Path, images: list[Path], cwd: Path) -> list[dict]:
    """The objects of graft predict --json."""
    lines = graft("predict", str(model), *map(str, images), "--json", cwd=cwd).splitlines()
    return [json.loads(line) for line in lines]


class Server:
    """graft serve, or graft studio, until the end of a with statement."""

    def __init__(self, verb: str, *arguments: str, cwd: Path, environment: dict[str, str] | None = None) -> None:
        started = time.monotonic()
        self.log = open(cwd / f"{verb}.log", "w+")
        self.process = subprocess.Popen(
            [programs() / "graft", verb, *arguments, "--port", "0"], cwd=cwd, stdout=subprocess.PIPE, stderr=self.log, text=True,
            env={**os.environ, **(environment or {})})
        assert self.process.stdout is not None
        self.addresses: dict[str, str] = {}
        while len(self.addresses) < (2 if "--grpc-port" in arguments else 1):
            line = self.process.stdout.readline()
            self.seconds = time.monotonic() - started
            if not line.startswith("listening on "):
                self.process.wait(10)
                self.log.seek(0)
                raise Failure(f"graft {verb} did not start: {self.log.read()[-800:]}")
            scheme, address = line.removeprefix("listening on ").strip().split("://")
            self.addresses["grpc" if scheme == "grpc" else "http"] = address
        self.address = self.addresses["http"]
        self.port = int(self.address.rsplit(":", 1)[1])

    def __enter__(self) -> "Server":
        return self

    def __exit__(self, *_: object) -> None:
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(40)
            except subprocess.TimeoutExpired:
                self.process.kill()
        self.log.close()

    @property
    def resident(self) -> int:
        """Bytes of memory."""
        pages = int(Path(f"/proc/{self.process.pid}/statm").read_text().split()[1])
        return pages * os.sysconf("SC_PAGE_SIZE")

    def ask(self, method: str, path: str, body: bytes | None = None, headers: dict[str, str] | None = None,
            timeout: float = 30) -> tuple[int, dict[str, str], bytes]:
        """Status, header fields in lower case, and body."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=timeout)
        try:
            connection.request(method, path, body, headers or {})
            response = connection.getresponse()
            return response.status, {key.lower(): value for key, value in response.getheaders()}, response.read()
        finally:
            connection.close()


def form(files: list[tuple[str, bytes]], fields: dict[str, str] | None = None) -> tuple[bytes, dict[str, str]]:
    """A multipart body as curl -F makes it, and its header."""
    boundary = "----graft-boundary"
    parts = [f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'.encode()
             for name, value in (fields or {}).items()]
    parts += [f'--{boundary}\r\nContent-Disposition: form-data; name="image"; filename="{name}"\r\n'
              f"Content-Type: application/octet-stream\r\n\r\n".encode() + content + b"\r\n" for name, content in files]
    return b"".join(parts) + f"--{boundary}--\r\n".encode(), {"Content-Type": f"multipart/form-data; boundary={boundary}"}


def run(checks: list) -> int:
    """Runs checks in order; the first that fails ends it."""
    started = time.monotonic()
    for check in checks:
        before = time.monotonic()
        try:
            found = check()
        except Failure as failure:
            print(f"FAILED {check.__name__}: {failure}")
            return 1
        print(f"{check.__name__.replace('_', ' ')}: {found or 'as it should'} ({time.monotonic() - before:.1f} s)")
    print(f"{len(checks)} checks passed in {time.monotonic() - started:.0f} s")
    return 0


if __name__ == "__main__":
    sys.exit("run live.py, fuzz.py or studio.py")
