"""A version of many small files beside `dvc`: register, register again with one more, compare, take out; then exploring it.

Usage: versions_race.py --limn PROGRAM [--files N] [--without-dvc] [--only-explore]

Both get the same folder, one after the other, in one run; `dvc` (with its cache on the same disk) takes it in with `dvc add` and takes it
out by copying, as Limn does. Bytes are what lies in Limn's data directory and in dvc's cache afterwards, as the file system counts
them. Prints the tables for docs/benchmarks.md.
"""

import argparse
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import coco_journey as base
import requests


DVC = Path(sys.executable).parent / "dvc"


def fill(folder: Path, count: int) -> None:
    """Files of some hundred bytes, a thousand a folder, no two alike."""
    for start in range(0, count, 1000):
        below = folder / f"part{start // 1000:04}"
        below.mkdir(parents=True)
        for n in range(start, min(start + 1000, count)):
            (below / f"{n:07}.txt").write_text(f"number {n}\n" + "lorem ipsum dolor sit amet " * (1 + n % 12))


def took(call) -> tuple[float, object]:
    start = time.perf_counter()
    out = call()
    return time.perf_counter() - start, out


def megabytes(folder: Path) -> float:
    return int(subprocess.run(["du", "-s", "-B1", folder], capture_output=True, text=True, check=True).stdout.split()[0]) / 1e6


def limn(
    server: "base.Server", folder: Path, home: Path, work: Path, count: int, only_explore: bool
) -> dict[str, float]:
    out = {}
    server.cli("datastore", "add", "--name", "Many", "--kind", "folder", "--set", f"path={folder}")
    register = lambda: server.cli("dataset", "register", "--dataset", "Many", "--kind", "files", "--datastore", "Many")
    out["register"], said = took(register)
    assert f"{count} files" in said, said
    quiet(server)
    out["bytes"] = megabytes(home)
    if only_explore:
        return out
    (folder / "one-more.txt").write_text("one more\n")
    out["add"], said = took(register)
    assert f"{count + 1} files" in said, said
    out["diff"], said = took(lambda: server.cli("dataset", "diff", "--dataset", "Many", "--from", "1", "--to", "2", "--files"))
    assert "one-more.txt" in said, said
    out["checkout"], _ = took(lambda: server.cli("dataset", "download", "--dataset", "Many", "--version", "2", "--out", work / "out"))
    assert (work / "out/one-more.txt").read_text() == "one more\n"
    assert sum(len(files) for _, _, files in os.walk(work / "out")) == count + 1
    shutil.rmtree(work / "out")
    return out


def quiet(server: "base.Server") -> None:
    """Waits until no job is under way: the profile that follows a registration."""
    while True:
        jobs = server.get("/api/v1/jobs?limit=50")
        rows = jobs if isinstance(jobs, list) else jobs["rows"]
        if all(j["state"] in ("succeeded", "failed", "cancelled") for j in rows):
            return
        time.sleep(1)


def dvc(folder: Path, work: Path, count: int) -> dict[str, float]:
    out = {}
    repo = work / "dvc"
    repo.mkdir()
    env = os.environ | {"DVC_NO_ANALYTICS": "1", "DVC_SITE_CACHE_DIR": str(work / "dvc-site")}

    def run(*args: str) -> str:
        done = subprocess.run([DVC, *args], cwd=repo, env=env, capture_output=True, text=True)
        if done.returncode:
            sys.exit(f"dvc {' '.join(args)}: {done.stdout}{done.stderr}")
        return done.stdout

    run("init", "--no-scm")
    run("config", "cache.type", "copy")
    (folder / "one-more.txt").unlink()
    shutil.copytree(folder, repo / "many")
    out["register"], _ = took(lambda: run("add", "--quiet", "many"))
    out["bytes"] = megabytes(repo / ".dvc")
    (repo / "many/one-more.txt").write_text("one more\n")
    out["add"], _ = took(lambda: run("add", "--quiet", "many"))
    # Without Git there is no `dvc diff` to measure.
    shutil.rmtree(repo / "many")
    out["checkout"], _ = took(lambda: run("checkout", "--quiet", "many.dvc"))
    assert sum(len(files) for _, _, files in os.walk(repo / "many")) == count + 1
    return out


def explore(server: "base.Server") -> list[tuple[str, str]]:
    """The first page with all counts, by different filters, over HTTP."""
    dataset = server.get("/api/v1/datasets/find?name=Many")["id"]
    version = server.get(f"/api/v1/datasets/{dataset}/versions/find?version=latest")["id"]
    session = requests.Session()
    session.headers["Authorization"] = f"Bearer {server.token}"

    def ask(**query: object) -> dict:
        answer = session.post(f"{server.url}/api/v1/versions/{version}/explore", json={"limit": 60, **query}, timeout=600)
        answer.raise_for_status()
        return answer.json()["page"]

    while ask() is None:
        time.sleep(1)
    first, whole = took(lambda: ask())
    facets = {f["name"]: f for f in whole["facets"]}
    names = ", ".join(facets)
    rows = [(f"first answer once it is indexed ({whole['matched']:,} files; facets {names})", f"{first * 1000:.0f} ms")]
    folder = next(f for f in whole["facets"] if f["name"] == "folder")["values"][-1]["value"]
    for what, query in {
        "first page and all counts, no filter": {},
        "one folder": {"facets": {"folder": [folder]}},
        "part of a path": {"text": "77.txt"},
        "a range of sizes, largest first": {"ranges": {"size": {"min": 100, "max": 250}}, "sort": "size", "descending": True},
        "a page from the middle": {"rows_only": True, "offset": whole["matched"] // 2},
    }.items():
        times = [took(lambda: ask(**query))[0] for _ in range(9)]
        rows.append((what, f"{statistics.median(times) * 1000:.0f} ms (most {max(times) * 1000:.0f})"))
    return rows


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--limn", type=Path, required=True)
    parser.add_argument("--files", type=int, default=300_000)
    parser.add_argument("--without-dvc", action="store_true")
    parser.add_argument("--only-explore", action="store_true")
    args, _ = parser.parse_known_args()
    without_dvc = args.without_dvc or args.only_explore
    if not without_dvc and not DVC.exists():
        sys.exit(f"dvc is not beside this Python ({DVC}); install it there, or say --without-dvc")
    with tempfile.TemporaryDirectory() as temporary:
        work = Path(temporary)
        folder, home = work / "stores/many", work / "server"
        home.mkdir()
        fill(folder, args.files)
        os.environ["LIMN__DATASTORES__FOLDERS"] = str(work / "stores")
        server = base.Server(args.limn.resolve(), home, None)
        try:
            us = limn(server, folder, home, work, args.files, args.only_explore)
            quiet(server)
            pages = explore(server)
            # What is known is not lost if the peer fails.
            print(us, pages, file=sys.stderr, flush=True)
        finally:
            server.stop()
        them = {} if without_dvc else dvc(folder, work, args.files)
    version = "" if without_dvc else subprocess.run(
        [DVC, "--version"], capture_output=True, text=True, check=True
    ).stdout.strip()
    print(f"| {args.files:,} files | Limn | dvc {version} | ratio |\n|---|---|---|---|")
    for key, what in {"register": "register", "add": "register again with one more", "diff": "compare the two", "checkout": "take out"}.items():
        if key not in us:
            continue
        peer = them.get(key)
        print(f"| {what} | {us[key]:.1f} s | {f'{peer:.1f} s' if peer else '-'} | {f'{peer / us[key]:.1f} x' if peer else ''} |")
    ours, size = us["bytes"], them.get("bytes")
    print(f"| kept on disk | {ours:.0f} MB | {f'{size:.0f} MB' if size else '-'} | {f'{size / ours:.1f} x' if size else ''} |")
    print("\n| explore | |\n|---|---|")
    for what, time_ in pages:
        print(f"| {what} | {time_} |")


if __name__ == "__main__":
    main()
