"""Checks `graft serve` over the network against `graft predict`, with Triton's own client.

    python Serve/Tests/live.py      needs make serve, and what Serve/Tests/requirements.txt pins

Expected: every way to send an image (form, raw body, Base64, tensors as JSON and binary, files in a BYTES tensor, gzip and deflate)
gives what graft predict --json gives of the file. Probabilities may differ by 1e-5: a batch may be summed in another order.
"""

from __future__ import annotations

import base64
import gzip
import json
import os
import shutil
import signal
import socket
import ssl
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import numpy as np
import tritonclient.grpc as triton_grpc
import tritonclient.http as triton
from PIL import Image
from tritonclient.utils import InferenceServerException

from serving import Failure, Server, expect, form, predictions, programs, run, train_leaves

#: float32 sums in another order; the classes' probabilities are at most 1.
TOLERANCE = 1e-5

folder = Path(tempfile.mkdtemp(prefix="graft-live-"))
model = train_leaves(folder)
shutil.copy(model, folder / "other.keras")
images = sorted((folder / "leaves/validation").rglob("*.png"))[::9][:8]
expected = predictions(model, images, folder)
server = Server("serve", "leaves.keras", "b=other.keras", "--grpc-port", "0", cwd=folder)


def same(one: dict, other: dict) -> None:
    """Two objects of graft predict, but for the image's name."""
    expect(set(one) == set(other), f"members {sorted(one)} and {sorted(other)}")
    for name in set(one) - {"path", "probabilities", "confidence", "distance"}:
        expect(one[name] == other[name], f"{name}: {one[name]} and {other[name]}")
    expect(list(one["probabilities"]) == list(other["probabilities"]), "the classes differ")
    for name, value in one["probabilities"].items():
        expect(abs(value - other["probabilities"][name]) <= TOLERANCE, f"{name}: {value} and {other['probabilities'][name]}")
    expect(abs(one["confidence"] - other["confidence"]) <= 10 * TOLERANCE, "the confidences differ")


def answered(answer: tuple[int, dict, bytes]) -> list[dict]:
    status, _, body = answer
    expect(status == 200, f"status {status}: {body[:300]!r}")
    return json.loads(body)["predictions"]


def images_as_people_have_them() -> str:
    for path, wanted in zip(images, expected):
        content = path.read_bytes()
        body, headers = form([(path.name, content)])
        for found in (
            server.ask("POST", "/predict", body, headers),
            server.ask("POST", "/models/b/predict", content, {"Content-Type": "image/png"}),
            server.ask("POST", "/predict", content, {"Content-Type": "application/x-www-form-urlencoded"}),
            server.ask("POST", "/predict?model=b", json.dumps({"image": base64.b64encode(content).decode()}).encode()),
            server.ask("POST", "/predict", gzip.compress(content), {"Content-Encoding": "gzip"}),
        ):
            same(answered(found)[0], wanted)
    many, headers = form([(path.name, path.read_bytes()) for path in images], {"top": "5"})
    found = answered(server.ask("POST", "/predict", many, headers))
    expect([entry["path"] for entry in found] == [path.name for path in images], "the order is another")
    for one, other in zip(found, expected):
        same(one, other)
    if shutil.which("curl"):
        output = subprocess.run(["curl", "-sF", f"image=@{images[0]}", f"http://{server.address}/predict"], capture_output=True)
        same(json.loads(output.stdout)["predictions"][0], expected[0])
    return f"{len(images)} images in six ways"


def the_protocol_by_tritonclient() -> str:
    client = triton.InferenceServerClient(server.address, concurrency=4)
    expect(client.is_server_live() and client.is_server_ready() and client.is_model_ready("leaves", "1"), "not ready")
    expect("binary_tensor_data" in client.get_server_metadata()["extensions"], "extensions")
    expect([entry["name"] for entry in client.get_model_repository_index()] == ["leaves", "b"], "index")
    metadata, config = client.get_model_metadata("b"), client.get_model_config("b")
    given, wanted = metadata["inputs"][0], metadata["outputs"][0]
    expect(config["input"][0]["format"] == "FORMAT_NHWC" and config["max_batch_size"] > 0, "config")
    _, height, width, _ = given["shape"]
    pixels = np.stack([keras_resize(path, height, width) for path in images])
    names = list(expected[0]["probabilities"])
    classes = sorted(names)
    truth = np.array([[entry["probabilities"][name] for name in classes] for entry in expected], np.float32)
    count = 0
    for binary_in in (True, False):
        for binary_out in (True, False):
            for packing in (None, "gzip", "deflate"):
                # As JSON an image is a megabyte.
                some = pixels if binary_in else pixels[:1]
                tensor = triton.InferInput(given["name"], list(some.shape), "FP32")
                tensor.set_data_from_numpy(some, binary_data=binary_in)
                output = triton.InferRequestedOutput(wanted["name"], binary_data=binary_out)
                result = client.infer("b", [tensor], outputs=[output], request_id="7", request_compression_algorithm=packing,
                                      response_compression_algorithm=packing)
                found = result.as_numpy(wanted["name"])
                expect(np.abs(found - truth[:len(some)]).max() <= TOLERANCE, f"{np.abs(found - truth[:len(some)]).max()}")
                expect(result.get_response()["id"] == "7", "id")
                count += 1
    plain = triton.InferInput(given["name"], [1, *pixels.shape[1:]], "FP32")
    plain.set_data_from_numpy(pixels[:1])
    expect(np.abs(client.infer("b", [plain]).as_numpy(wanted["name"]) - truth[:1]).max() <= TOLERANCE, "without outputs")
    top = triton.InferRequestedOutput(wanted["name"], class_count=3)
    best = client.infer("b", [plain], outputs=[top]).as_numpy(wanted["name"])
    score, number, label = best[0][0].decode().split(":")
    expect(label == expected[0]["class"] and classes[int(number)] == label and abs(float(score) - truth[0].max()) <= TOLERANCE,
           f"classification: {best}")
    files = np.array([path.read_bytes() for path in images], dtype=np.object_)
    encoded = triton.InferInput(given["name"], [len(files)], "BYTES")
    encoded.set_data_from_numpy(files)
    found = client.infer("leaves", [encoded]).as_numpy(wanted["name"])
    expect(np.abs(found - truth).max() <= TOLERANCE, "files in a BYTES tensor")
    pending = [client.async_infer("leaves", [encoded]) for _ in range(8)]
    for request in pending:
        expect(np.abs(request.get_result().as_numpy(wanted["name"]) - truth).max() <= TOLERANCE, "async")
    statistics = client.get_inference_statistics("leaves")["model_stats"][0]
    expect(statistics["inference_stats"]["success"]["count"] >= 9, f"{statistics}")
    return f"{count + 4} kinds of requests"


def the_protocol_by_grpc() -> str:
    client = triton_grpc.InferenceServerClient(server.addresses["grpc"])
    expect(client.is_server_live() and client.is_server_ready() and client.is_model_ready("b", "1"), "not ready")
    expect(client.get_server_metadata().name == "graft", "server")
    expect([entry.name for entry in client.get_model_repository_index().models] == ["leaves", "b"], "index")
    metadata, config = client.get_model_metadata("b"), client.get_model_config("b").config
    given, wanted = metadata.inputs[0], metadata.outputs[0].name
    expect(config.input[0].format == 1 and config.input[0].data_type == 11 and list(config.input[0].dims) == list(given.shape)[1:], f"{config}")
    pixels = np.stack([keras_resize(path, given.shape[1], given.shape[2]) for path in images])
    classes = sorted(expected[0]["probabilities"])
    truth = np.array([[entry["probabilities"][name] for name in classes] for entry in expected], np.float32)
    for packing in (None, "gzip", "deflate"):
        tensor = triton_grpc.InferInput(given.name, list(pixels.shape), "FP32")
        tensor.set_data_from_numpy(pixels)
        result = client.infer("b", [tensor], outputs=[triton_grpc.InferRequestedOutput(wanted)], request_id="7", compression_algorithm=packing)
        expect(np.abs(result.as_numpy(wanted) - truth).max() <= TOLERANCE and result.get_response().id == "7", f"{packing}")
    files = triton_grpc.InferInput(given.name, [len(images)], "BYTES")
    files.set_data_from_numpy(np.array([path.read_bytes() for path in images], dtype=np.object_))
    expect(np.abs(client.infer("leaves", [files]).as_numpy(wanted) - truth).max() <= TOLERANCE, "files in a BYTES tensor")
    top = client.infer("b", [tensor], outputs=[triton_grpc.InferRequestedOutput(wanted, class_count=2)]).as_numpy(wanted)
    expect(top.shape == (len(images), 2) and top[0][0].decode().split(":")[2] == expected[0]["class"], f"{top}")
    for name, code, call in (
        ("another model", "NOT_FOUND", lambda: client.get_model_metadata("none")),
        ("another version", "NOT_FOUND", lambda: client.get_model_metadata("b", "2")),
        ("another input", "INVALID_ARGUMENT", lambda: client.infer("b", [triton_grpc.InferInput("x", [1], "FP32").set_data_from_numpy(np.zeros([1], np.float32))])),
        ("loading", "UNIMPLEMENTED", lambda: client.load_model("b")),
    ):
        try:
            call()
        except InferenceServerException as error:
            expect(code in str(error.status()) and len(error.message()) > 10, f"{name}: {error}")
        else:
            raise Failure(f"{name} was answered")
    return "metadata, configuration, index, tensors, files, classes, errors"


def keras_resize(path: Path, height: int, width: int) -> np.ndarray:
    """The image as the model takes it: bilinear without antialiasing, centres at halves, which is TensorFlow's `resize`."""
    image = np.asarray(Image.open(path).convert("RGB"), np.float32)

    def places(size: int, wanted: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        position = ((np.arange(wanted, dtype=np.float32) + np.float32(0.5)) * np.float32(size / wanted)) - np.float32(0.5)
        lower = np.floor(position)
        return (np.clip(lower, 0, size - 1).astype(int), np.clip(lower + 1, 0, size - 1).astype(int), position - lower)

    top, bottom, down = places(image.shape[0], height)
    left, right, across = places(image.shape[1], width)
    across, down = across[None, :, None], down[:, None, None]
    upper = image[top][:, left] + (image[top][:, right] - image[top][:, left]) * across
    lower = image[bottom][:, left] + (image[bottom][:, right] - image[bottom][:, left]) * across
    return (upper + (lower - upper) * down).astype(np.float32)


def errors_of_tritonclient() -> None:
    client = triton.InferenceServerClient(server.address)
    tensor = triton.InferInput("nothing", [1], "FP32")
    tensor.set_data_from_numpy(np.zeros([1], np.float32))
    for name, call in {
        "another model": lambda: client.get_model_metadata("none"),
        "another version": lambda: client.get_model_metadata("leaves", "2"),
        "another input": lambda: client.infer("leaves", [tensor]),
        "load": lambda: client.load_model("leaves"),
        "shared memory": lambda: client.get_system_shared_memory_status(),
        "trace": lambda: client.get_trace_settings(),
    }.items():
        try:
            call()
        except InferenceServerException as error:
            expect(error.status() in ("400", "404") and len(error.message()) > 10, f"{name}: {error}")
        else:
            raise Failure(f"{name} was answered")


def limits() -> str:
    content = images[0].read_bytes()
    with Server("serve", "leaves.keras", "--timeout", "2", "--queue", "4", "--max-body", "1", "--max-pixels", "0.03", cwd=folder) as small:
        expect(small.ask("POST", "/predict", b"x" * 1_000_001)[0] == 413, "a large body")
        large = folder / "large.png"
        Image.new("RGB", (200, 200)).save(large)
        status, _, body = small.ask("POST", "/predict", large.read_bytes())
        expect(status == 400 and b"pixels" in body, f"a large image: {status} {body!r}")
        with socket.create_connection(("127.0.0.1", small.port)) as slow:
            slow.sendall(b"POST /predict HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000\r\n\r\nx")
            slow.settimeout(6)
            started = time.monotonic()
            expect(slow.recv(1000) == b"", "a slow client was answered")
            expect(time.monotonic() - started < 4, "a slow client was not cut off")
        statuses: list[int] = []

        def many() -> None:
            for _ in range(12):
                statuses.append(small.ask("POST", "/predict", content)[0])

        threads = [threading.Thread(target=many) for _ in range(24)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        expect(set(statuses) <= {200, 429} and 200 in statuses, f"statuses {set(statuses)}")
        refused = statuses.count(429)
        status, _, _ = small.ask("POST", "/predict", content)
        expect(status == 200, "it does not go on")
    return f"{refused} of {len(statuses)} requests refused by 429, none failed"


def a_token_and_tls() -> None:
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "1", "-subj",
         "/CN=localhost", "-addext", "subjectAltName=DNS:localhost", "-keyout", folder / "key.pem", "-out", folder / "certificate.pem"],
        check=True, capture_output=True)
    (folder / "token").write_text("a-token-of-more-than-16\n")
    with Server("serve", "leaves.keras", "--token-file", "token", "--certificate", "certificate.pem", "--key", "key.pem",
                cwd=folder) as safe:
        context = ssl.create_default_context(cafile=str(folder / "certificate.pem"))
        client = triton.InferenceServerClient(
            f"localhost:{safe.port}", ssl=True, ssl_context_factory=lambda: context)
        expect(client.is_server_ready(), "health is open")
        try:
            client.get_model_metadata("leaves")
        except InferenceServerException as error:
            expect(error.status() == "401", f"{error}")
        else:
            raise Failure("no token was asked for")
        metadata = client.get_model_metadata("leaves", headers={"Authorization": "Bearer a-token-of-more-than-16"})
        expect(metadata["name"] == "leaves", f"{metadata}")


def a_changed_file_without_a_dropped_request() -> str:
    content = images[0].read_bytes()
    statuses: list[int] = []
    isDone = threading.Event()

    def keep_asking() -> None:
        while not isDone.is_set():
            statuses.append(server.ask("POST", "/models/b/predict", content)[0])

    threads = [threading.Thread(target=keep_asking) for _ in range(4)]
    for thread in threads:
        thread.start()
    shutil.copy(model, folder / "new.keras")
    os.utime(folder / "new.keras")
    os.replace(folder / "new.keras", folder / "other.keras")
    for _ in range(100):
        time.sleep(0.1)
        if b'graft_model_reloads_total{model="b"} 1' in server.ask("GET", "/metrics")[2]:
            break
    isDone.set()
    for thread in threads:
        thread.join()
    expect(b'graft_model_reloads_total{model="b"} 1' in server.ask("GET", "/metrics")[2], "the file was not read again")
    expect(set(statuses) == {200}, f"statuses {set(statuses)}")
    return f"{len(statuses)} requests meanwhile"


def a_graceful_stop() -> str:
    content = images[0].read_bytes()
    statuses: list[object] = []

    def ask() -> None:
        try:
            statuses.append(server.ask("POST", "/predict", content)[0])
        except OSError:
            statuses.append("refused")

    threads = [threading.Thread(target=ask) for _ in range(32)]
    for thread in threads:
        thread.start()
    time.sleep(0.05)
    server.process.send_signal(signal.SIGTERM)
    for thread in threads:
        thread.join()
    expect(server.process.wait(20) == 0, f"exit code {server.process.returncode}")
    expect(set(statuses) <= {200, "refused"}, f"{statuses}")
    return f"{statuses.count(200)} answered, {statuses.count('refused')} came too late"


if __name__ == "__main__":
    try:
        with server:
            print(f"ready {server.seconds:.2f} s after the start, {server.resident / 1e6:.0f} MB, {programs()}")
            code = run([images_as_people_have_them, the_protocol_by_tritonclient, the_protocol_by_grpc, errors_of_tritonclient, limits, a_token_and_tls,
                        a_changed_file_without_a_dropped_request, a_graceful_stop])
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    sys.exit(code)
