"""How labelers fare while a network is trained on the same server.

Usage: training_load.py --limn PROGRAM [--labelers N] [--seconds S]

N labelers (separate processes would share the cores; these are threads that wait most of the time) each save a changed box five times a second,
which no hand does, first with nothing else going on, then while `limn train` learns to find boxes, then idle again. Prints the row for
docs/benchmarks.md; exits with 1 when the 95th percentile of a save while training is more than twice the idle one.
"""

import argparse
import random
import statistics
import subprocess
import sys
import tempfile
import threading
import time
import uuid
from pathlib import Path

import coco_journey as base
import requests

PACE = 0.2


def project(server: "base.Server", work: Path, pictures: int) -> tuple[str, list]:
    base.draw_set(work / "voc", pictures)
    server.cli("projects", "create", "--name", "Load", "--task", "detection")
    server.cli("import", "--project", "Load", "--format", "voc", work / "voc")
    found = server.get("/api/v1/projects/find?name=Load")
    number = found.get("id") or found["summary"]["id"]
    return number, server.get(f"/api/v1/projects/{number}/items?limit=200")["rows"]


def labelers(server: "base.Server", rows: list, count: int, seconds: float) -> list[float]:
    took: list[float] = []
    lock = threading.Lock()

    def work(n: int) -> None:
        session = requests.Session()
        session.headers["Authorization"] = f"Bearer {server.token}"
        item = rows[n % len(rows)]
        item = (item.get("item") or item)["id"]
        rng = random.Random(n)
        mine: list[float] = []
        now = session.get(f"{server.url}/api/v1/items/{item}/annotations").json()
        box = next(a for a in now["annotations"] if a["kind"] == "box")
        revision = now["revision"]
        time.sleep(rng.random() * PACE)
        end = time.perf_counter() + seconds
        while time.perf_counter() < end:
            box["rect"] = dict(box["rect"], x=rng.random(), y=rng.random())
            change = {"change_id": str(uuid.uuid4()), "base_revision": revision, "upserts": [box], "removes": [], "active_ms": 0}
            began = time.perf_counter()
            reply = session.put(f"{server.url}/api/v1/items/{item}/annotations", json=change)
            mine.append(time.perf_counter() - began)
            reply.raise_for_status()
            revision = reply.json()["revision"]
            time.sleep(max(0.0, PACE - mine[-1]))
        with lock:
            took.extend(mine)

    threads = [threading.Thread(target=work, args=(n,)) for n in range(count)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    return took


def said(name: str, took: list[float]) -> float:
    p95 = statistics.quantiles(took, n=20)[18] * 1e3
    print(f"{name}: {len(took)} saves, median {statistics.median(took) * 1e3:.1f} ms, p95 {p95:.1f} ms", flush=True)
    return p95


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--limn", type=Path, required=True)
    parser.add_argument("--database-url")
    parser.add_argument("--labelers", type=int, default=16)
    parser.add_argument("--seconds", type=float, default=20)
    args, _ = parser.parse_known_args()
    with tempfile.TemporaryDirectory() as temporary:
        work = Path(temporary)
        server = base.Server(args.limn.resolve(), work, args.database_url)
        try:
            number, rows = project(server, work, 60)
            with_boxes = [r for r in rows if any(a["kind"] == "box" for a in r["annotations"])]
            server.cli("dataset", "register", "--dataset", "Load", "--project", "Load")
            said("warming up", labelers(server, with_boxes, args.labelers, 3))
            idle = said("idle", labelers(server, with_boxes, args.labelers, args.seconds))
            env = {"LIMN_URL": server.url, "LIMN_TOKEN": server.token, "PATH": "/usr/bin:/bin"}
            training = subprocess.Popen(
                [server.program, "train", "--dataset", "Load", "--task", "detection", "--steps", "2000", "--no-register"],
                env=env, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
            )
            time.sleep(8)
            busy = said("while training", labelers(server, with_boxes, args.labelers, args.seconds))
            assert training.poll() is None, "the training ended too early: " + training.stderr.read().decode()
            training.terminate()
            training.wait()
            time.sleep(2)
            again = said("idle again", labelers(server, with_boxes, args.labelers, args.seconds))
        finally:
            server.stop()
    calm = max(idle, again)
    print(f"\n| save a box, {args.labelers} labelers five times a second | p95 idle {idle:.1f} ms, {again:.1f} ms | while training {busy:.1f} ms | {busy / calm:.2f} x |")
    sys.exit(busy > 2 * calm)


if __name__ == "__main__":
    main()
