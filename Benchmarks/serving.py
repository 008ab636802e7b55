"""Load on `graft serve` and on a FastAPI + ONNX Runtime server: the same network, the same images, one after the other.

    python Benchmarks/serving.py [--seconds 10] [--clients 1 8 64 512] [--base inception-v3] [--json FILE]
        needs make serve, Benchmarks/requirements.txt, and Benchmarks/serving_requirements.txt

Each client keeps a connection and asks again as soon as it is answered, or half a second after a 429. A row is a number of clients: answers a
second, their time by percentiles, what was refused, and the most memory. The load itself takes a core: read the rows beside each other,
not as what a machine can do.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from PIL import Image

ROOT = Path(__file__).resolve().parent.parent
PROGRAMS = Path(os.environ.get("GRAFT_BUILD", ROOT / ".build/release"))


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return listener.getsockname()[1]


def wait_for(port: int, process: subprocess.Popen) -> None:
    for _ in range(600):
        if process.poll() is not None:
            raise SystemExit(f"the server ended with {process.returncode}")
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
            return
        except OSError:
            time.sleep(0.1)
    raise SystemExit("the server did not start")


async def client(port: int, bodies: list[bytes], end: float, times: list[float], refused: list[int]) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    number = 0
    try:
        while time.monotonic() < end:
            body = bodies[number % len(bodies)]
            number += 1
            start = time.monotonic()
            writer.write(b"POST /predict HTTP/1.1\r\nHost: localhost\r\nContent-Type: image/jpeg\r\nContent-Length: %d\r\n\r\n" % len(body) + body)
            head = await reader.readuntil(b"\r\n\r\n")
            length = next(int(line.split(b":")[1]) for line in head.split(b"\r\n") if line.lower().startswith(b"content-length"))
            await reader.readexactly(length)
            status = int(head.split(b" ", 2)[1])
            if status == 200:
                times.append(time.monotonic() - start)
            elif status == 429:
                refused.append(1)
                await asyncio.sleep(0.5)
            else:
                raise SystemExit(f"status {status}")
    finally:
        writer.close()


async def load(port: int, bodies: list[bytes], clients: int, seconds: float) -> tuple[list[float], int]:
    times: list[float] = []
    refused: list[int] = []
    end = time.monotonic() + seconds
    await asyncio.gather(*(client(port, bodies, end, times, refused) for _ in range(clients)))
    return sorted(times), len(refused)


def peak(process: subprocess.Popen) -> int:
    lines = Path(f"/proc/{process.pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM")) * 1024


def measure(name: str, command: list[str], port: int, bodies: list[bytes], arguments: argparse.Namespace) -> list[dict]:
    started = time.monotonic()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    rows = []
    try:
        wait_for(port, process)
        ready = time.monotonic() - started
        for clients in arguments.clients:
            asyncio.run(load(port, bodies, clients, min(1.0, arguments.seconds)))
            times, refused = asyncio.run(load(port, bodies, clients, arguments.seconds))
            at = lambda share: 1000 * times[min(int(share * len(times)), len(times) - 1)] if times else float("nan")
            rows.append({"server": name, "clients": clients, "per_second": len(times) / arguments.seconds, "p50_ms": at(0.5), "p99_ms": at(0.99),
                         "refused": refused, "peak_mb": peak(process) / 1e6, "ready_s": ready})
            print("| {server} | {clients} | {per_second:.0f} | {p50_ms:.1f} | {p99_ms:.1f} | {refused} | {peak_mb:.0f} | {ready_s:.2f} |".format(**rows[-1]), flush=True)
    finally:
        process.terminate()
        process.wait()
    return rows


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=10)
    parser.add_argument("--clients", type=int, nargs="+", default=[1, 8, 64, 512])
    parser.add_argument("--base", default="pocket")
    parser.add_argument("--json", type=Path)
    arguments = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="graft-load-"))
    try:
        def graft(*words: str) -> None:
            subprocess.run([PROGRAMS / "graft", *words], cwd=folder, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

        graft("sample", "leaves")
        graft("train", "leaves", "--base", arguments.base, "--epochs", "2", "--output", "model.keras")
        graft("export", "model.keras", "--output", "model.onnx")
        bodies = []
        for number, path in enumerate(sorted((folder / "leaves/validation").rglob("*.png"))[::8]):
            # As a camera's, small enough that the network decides.
            Image.open(path).convert("RGB").resize((640, 480)).save(folder / f"{number}.jpg", quality=90)
            bodies.append((folder / f"{number}.jpg").read_bytes())
        print(f"{arguments.base}, {len(bodies)} JPEG of 640 x 480, {sum(map(len, bodies)) // len(bodies) // 1000} KB, {os.cpu_count()} cores")
        print("| server | clients | answers/s | p50 ms | p99 ms | refused | peak MB | ready s |\n|---|---|---|---|---|---|---|---|", flush=True)
        rows = []
        port = free_port()
        rows += measure("graft serve", [str(PROGRAMS / "graft"), "serve", str(folder / "model.keras"), "--port", str(port), "--log-level", "error"], port, bodies, arguments)
        port = free_port()
        rows += measure("FastAPI, ONNX Runtime", [sys.executable, str(ROOT / "Benchmarks/serving_rival.py"), str(folder / "model.onnx"), str(port)], port, bodies, arguments)
        if arguments.json:
            arguments.json.write_text(json.dumps(rows, indent=1) + "\n")
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
