"""Limn beside `mlflow server`: the same requests to both, one after the other, in one run.

Usage: mlflow_race.py --limn PROGRAM [--quick]

Both on SQLite in an empty folder, driven over plain HTTP with connections kept open. What is counted in requests a second is sent as
bytes made beforehand over bare sockets, so that the client takes as little as it can of the processors that the servers need: runs/create, log-metric by one and by sixteen
writers, log-batch of 1,000, a search of 200 runs with 100 metrics and 50 parameters each, a history of 20,000 points, and the memory
of all their processes (resident; pages that several share are counted once, as PSS). Prints the table for docs/benchmarks.md.
"""

import argparse
import json
import os
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from urllib.parse import urlsplit

import coco_journey as base
import requests

API = "/api/2.0/mlflow/"


class Side:
    """A server under test."""

    def __init__(self, name: str, url: str, pid: int, token: str | None):
        self.name, self.url, self.pid = name, url, pid
        self.headers = {"Authorization": f"Bearer {token}"} if token else {}
        self.local = threading.local()

    def session(self) -> requests.Session:
        if not hasattr(self.local, "session"):
            self.local.session = requests.Session()
            self.local.session.headers.update(self.headers)
        return self.local.session

    def post(self, path: str, body: dict) -> dict:
        reply = self.session().post(self.url + API + path, json=body, timeout=120)
        if reply.status_code != 200:
            sys.exit(f"{self.name} {path}: {reply.status_code} {reply.text[:300]}")
        return reply.json()

    def get(self, path: str, **params: object) -> bytes:
        reply = self.session().get(self.url + API + path, params=params, timeout=120)
        if reply.status_code != 200:
            sys.exit(f"{self.name} {path}: {reply.status_code} {reply.text[:300]}")
        return reply.content

    def request(self, path: str, body: dict) -> bytes:
        """A request as it goes over the wire."""
        content = json.dumps(body, separators=(",", ":")).encode()
        host = urlsplit(self.url).netloc
        lines = [f"POST {API}{path} HTTP/1.1", f"Host: {host}", "Content-Type: application/json", f"Content-Length: {len(content)}"]
        lines += [f"{k}: {v}" for k, v in self.headers.items()]
        return "\r\n".join(lines).encode() + b"\r\n\r\n" + content

    def send(self, requests: list[bytes]) -> list[float]:
        """Sends one after the other over one connection. The seconds of each; ends the program when one is not answered with 200."""
        where = urlsplit(self.url)
        took = []
        with socket.create_connection((where.hostname, where.port), timeout=120) as s:
            s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            for request in requests:
                start = time.perf_counter()
                s.sendall(request)
                reply = b""
                while (end := reply.find(b"\r\n\r\n")) < 0:
                    reply += s.recv(65536) or sys.exit(f"{self.name} hung up")
                head = reply[:end].lower()
                length = int(head.split(b"content-length:")[1].split(b"\r\n")[0])
                while len(reply) < end + 4 + length:
                    reply += s.recv(65536) or sys.exit(f"{self.name} hung up")
                took.append(time.perf_counter() - start)
                if not head.startswith(b"http/1.1 200"):
                    sys.exit(f"{self.name}: {reply[:600]!r}")
        return took

    def memory(self) -> tuple[int, float]:
        """Processes, and their memory in MB."""
        everyone = {int(p): None for p in os.listdir("/proc") if p.isdigit()}
        parents = {}
        for pid in everyone:
            try:
                parents[pid] = int(Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[1])
            except OSError:
                pass
        mine = {self.pid}
        while True:
            more = {pid for pid, parent in parents.items() if parent in mine} - mine
            if not more:
                break
            mine |= more
        total = 0
        for pid in mine:
            try:
                text = Path(f"/proc/{pid}/smaps_rollup").read_text()
                total += int(text.split("\nPss:")[1].split()[0])
            except (OSError, IndexError):
                pass
        return len(mine), total / 1000


def timed(count: int, call) -> list[float]:
    took = []
    for i in range(count):
        start = time.perf_counter()
        call(i)
        took.append(time.perf_counter() - start)
    return took


def rate(took: list[float]) -> float:
    return len(took) / sum(took)


def measure(side: Side, quick: bool) -> dict[str, object]:
    figures: dict[str, object] = {}
    n = 40 if quick else 150
    experiment = side.post("experiments/create", {"name": f"race{time.time_ns()}"})["experiment_id"]
    create = lambda i: side.request("runs/create", {"experiment_id": experiment, "start_time": 1000 + i})
    figures["create"] = rate(side.send([create(i) for i in range(n + 5)])[5:])

    run = side.post("runs/create", {"experiment_id": experiment, "start_time": 1000})["run"]["info"]["run_id"]
    log = lambda key, count: [
        side.request("runs/log-metric", {"run_id": run, "key": key, "value": i / 7, "timestamp": 1_700_000_000_000 + i, "step": i})
        for i in range(count)
    ]
    took = side.send(log("one", n * 2 + 5))[5:]
    figures["one"] = (rate(took), statistics.median(took) * 1000, sorted(took)[int(len(took) * 0.99)] * 1000)

    each = n // 2 if quick else n
    lists = [log(f"w{k}", each) for k in range(16)]
    threads = [threading.Thread(target=side.send, args=(requests,)) for requests in lists]
    start = time.perf_counter()
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    figures["sixteen"] = 16 * each / (time.perf_counter() - start)
    for k in range(16):
        assert len(json.loads(side.get("metrics/get-history", run_id=run, metric_key=f"w{k}"))["metrics"]) == each

    batch = lambda i: side.request(
        "runs/log-batch",
        {"run_id": run, "metrics": [{"key": f"b{k}", "value": k + i, "timestamp": 1_700_000_000_000 + i, "step": i} for k in range(1000)]},
    )
    figures["batch"] = 1000 * rate(side.send([batch(i) for i in range(11)])[1:])

    # 200 runs of 100 metrics and 50 parameters.
    other = side.post("experiments/create", {"name": f"search{time.time_ns()}"})["experiment_id"]
    for r in range(200):
        one = side.post("runs/create", {"experiment_id": other, "start_time": 1000 + r})["run"]["info"]["run_id"]
        metrics = [{"key": f"metric_{k}", "value": (r * 31 + k) % 97 / 97, "timestamp": 1_700_000_000_000, "step": 0} for k in range(100)]
        params = [{"key": f"param_{k}", "value": str((r + k) % 7)} for k in range(50)]
        side.post("runs/log-batch", {"run_id": one, "metrics": metrics, "params": params})
    find = lambda _: side.post(
        "runs/search", {"experiment_ids": [other], "filter": "metrics.metric_3 < 2", "max_results": 200, "order_by": ["metrics.metric_3 ASC"]}
    )
    cold = timed(1, find)[0]
    assert len(find(0)["runs"]) == 200
    figures["search"] = (cold * 1000, statistics.median(timed(7, find)) * 1000)

    # A history of 20,000 points.
    for i in range(20):
        points = [{"key": "long", "value": k / 3, "timestamp": 1_700_000_000_000 + i * 1000 + k, "step": i * 1000 + k} for k in range(1000)]
        side.post("runs/log-batch", {"run_id": run, "metrics": points})
    history = lambda _: side.get("metrics/get-history", run_id=run, metric_key="long", max_results=25_000)
    assert len(json.loads(history(0))["metrics"]) == 20_000
    figures["history"] = statistics.median(timed(7, history)) * 1000
    figures["memory"] = side.memory()
    return figures


def peer(work: Path) -> tuple[subprocess.Popen, str]:
    """`mlflow server` as it comes, on SQLite."""
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        port = s.getsockname()[1]
    program = Path(sys.executable).parent / "mlflow"
    env = os.environ | {"MLFLOW_DISABLE_TELEMETRY": "true"}
    process = subprocess.Popen(
        [program, "server", "--port", str(port), "--backend-store-uri", f"sqlite:///{work}/peer.db", "--artifacts-destination", str(work / "peer")],
        cwd=work, env=env, stdout=open(work / "peer.log", "wb"), stderr=subprocess.STDOUT,
    )
    url = f"http://127.0.0.1:{port}"
    deadline = time.time() + 180
    while True:
        try:
            if requests.get(url + "/health", timeout=2).status_code == 200:
                return process, url
        except requests.RequestException:
            pass
        if time.time() > deadline or process.poll() is not None:
            sys.exit("mlflow server did not start: " + (work / "peer.log").read_text()[-2000:])
        time.sleep(0.3)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--limn", type=Path, required=True)
    parser.add_argument("--quick", action="store_true")
    args, _ = parser.parse_known_args()
    with tempfile.TemporaryDirectory() as temporary:
        work = Path(temporary)
        ours = base.Server(args.limn.resolve(), work, None)
        us = measure(Side("Limn", ours.url, ours.process.pid, ours.token), args.quick)
        ours.stop()
        process, url = peer(work)
        try:
            them = measure(Side("mlflow server", url, process.pid, None), args.quick)
        finally:
            process.terminate()
            process.wait(timeout=60)
    import mlflow

    more = lambda a, b: f"{a / b:.1f} x"
    rows = [
        ("runs/create, one after the other", f"{us['create']:.0f}/s", f"{them['create']:.1f}/s", more(us["create"], them["create"])),
        ("log-metric, one writer", f"{us['one'][0]:.0f}/s, p50 {us['one'][1]:.1f} ms, p99 {us['one'][2]:.1f} ms",
         f"{them['one'][0]:.1f}/s, p50 {them['one'][1]:.0f} ms, p99 {them['one'][2]:.0f} ms", more(us["one"][0], them["one"][0])),
        ("log-metric, 16 writers", f"{us['sixteen']:.0f}/s", f"{them['sixteen']:.0f}/s", more(us["sixteen"], them["sixteen"])),
        ("log-batch of 1,000 metrics", f"{us['batch']:.0f} metrics/s", f"{them['batch']:.0f} metrics/s", more(us["batch"], them["batch"])),
        ("search, 200 runs x 100 metrics x 50 params: first", f"{us['search'][0]:.0f} ms", f"{them['search'][0]:.0f} ms", more(them["search"][0], us["search"][0])),
        ("the same again", f"{us['search'][1]:.0f} ms", f"{them['search'][1]:.0f} ms", more(them["search"][1], us["search"][1])),
        ("history of 20,000 points", f"{us['history']:.0f} ms", f"{them['history']:.0f} ms", more(them["history"], us["history"])),
        ("processes, memory afterwards", f"{us['memory'][0]}, {us['memory'][1]:.0f} MB", f"{them['memory'][0]}, {them['memory'][1]:.0f} MB",
         more(them["memory"][1], us["memory"][1])),
    ]
    print(f"| what | Limn | mlflow server {mlflow.__version__} | ratio |\n|---|---|---|---|")
    for row in rows:
        print("| " + " | ".join(row) + " |")


if __name__ == "__main__":
    main()
