"""An experiment of 100,000 runs, one of which has 10,000 metrics: how long its pages and searches take.

Usage: many_runs.py --limn PROGRAM [--runs N]

Runs come in over the MLflow protocol, by sixteen writers, with three metrics and two parameters each. Then the pages are asked for as a
browser asks for them first (as HTML, with their first data), and searches as the client library asks. Prints a table.
"""

import argparse
import os
import statistics
import tempfile
import threading
import time
from pathlib import Path

import coco_journey as base
import requests
from mlflow_race import Side

KEYS = 10_000


def fill(side: Side, experiment: str, count: int) -> None:
    def some(worker: int) -> None:
        each = range(worker, count, 16)
        made = []
        for n in each:
            made.append((n, side.post("runs/create", {"experiment_id": experiment, "start_time": 1_700_000_000_000 + n, "run_name": f"run {n}"})))
            if len(made) == 100:
                log(made)
                made = []
        log(made)

    def log(made: list) -> None:
        for n, run in made:
            side.post("runs/log-batch", {
                "run_id": run["run"]["info"]["run_id"],
                "metrics": [{"key": k, "value": (n * f) % 1009 / 1009, "timestamp": 1_700_000_000_000 + n, "step": 0} for k, f in (("loss", 31), ("accuracy", 17), ("time", 7))],
                "params": [{"key": "rate", "value": str(n % 10 / 10)}, {"key": "depth", "value": str(n % 7)}],
            })

    threads = [threading.Thread(target=some, args=(w,)) for w in range(16)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--limn", type=Path, required=True)
    parser.add_argument("--runs", type=int, default=100_000)
    args, _ = parser.parse_known_args()
    with tempfile.TemporaryDirectory() as temporary:
        server = base.Server(args.limn.resolve(), Path(temporary), None)
        try:
            side = Side("Limn", server.url, server.process.pid, server.token)
            experiment = side.post("experiments/create", {"name": "many"})["experiment_id"]
            start = time.perf_counter()
            fill(side, experiment, args.runs)
            took = time.perf_counter() - start
            wide = side.post("runs/create", {"experiment_id": experiment, "start_time": 1})["run"]["info"]["run_id"]
            for at in range(0, KEYS, 1000):
                points = [{"key": f"layer_{k}/norm", "value": k / 3, "timestamp": 1_700_000_000_000, "step": s} for k in range(at, at + 1000) for s in range(1)]
                side.post("runs/log-batch", {"run_id": wide, "metrics": points})

            browser = requests.Session()
            signed = browser.post(f"{server.url}/api/v1/session", json={"email": "peer@example.org", "password": "correct horse battery"})
            rows = [(f"{args.runs:,} runs logged by sixteen writers", f"{took:.0f} s ({args.runs / took:.0f} runs/s)")]

            def page(what: str, path: str) -> None:
                times = []
                for _ in range(7):
                    begin = time.perf_counter()
                    reply = browser.get(server.url + path, timeout=60)
                    times.append(time.perf_counter() - begin)
                    reply.raise_for_status()
                rows.append((what, f"{times[0] * 1000:.0f} ms first, then {statistics.median(times[1:]) * 1000:.0f} ms, {len(reply.content) / 1000:.0f} kB"))

            def search(what: str, **body: object) -> None:
                times = []
                for _ in range(7):
                    begin = time.perf_counter()
                    found = side.post("runs/search", {"experiment_ids": [experiment], "max_results": 100, **body})
                    times.append(time.perf_counter() - begin)
                rows.append((what, f"{times[0] * 1000:.0f} ms first, then {statistics.median(times[1:]) * 1000:.0f} ms; {len(found.get('runs', []))} runs"))

            if signed.ok:
                page("page of the experiment", f"/experiments/{experiment}")
                page("page of the run with 10,000 metrics", f"/runs/{wide}")
            else:
                rows.append(("pages", f"not signed in: {signed.status_code} {signed.text[:200]}"))
            search("search: the newest 100")
            search("search: by a metric", order_by=["metrics.loss ASC"])
            search("search: a filter by metric and parameter, by a metric", filter="metrics.accuracy > 0.9 and params.depth = '3'", order_by=["metrics.loss ASC"])
            search("search: a filter that nothing passes", filter="metrics.loss > 2")
            search("search: by name", filter="attributes.run_name LIKE '%999%'")
            processes, memory = side.memory()
            rows.append(("memory of the server", f"{memory:.0f} MB"))
            rows.append(("database", f"{sum(f.stat().st_size for f in (Path(temporary) / 'data').glob('*.db*')) / 1e6:.0f} MB"))
        finally:
            server.stop()
    print("| what | measured |\n|---|---|")
    for row in rows:
        print("| " + " | ".join(row) + " |")


if __name__ == "__main__":
    main()
