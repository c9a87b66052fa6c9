"""A server that is killed (SIGKILL) at random moments while it registers versions, deletes them and sweeps up, a hundred times.

Usage: killed.py --limn PROGRAM [--kills N] [--seed N]

A folder of some hundred files that say what they are is registered as a datastore; between the kills it changes, versions are registered
and deleted, and what was written so far is made two hours older, so that clean-up takes everything that nothing names. After each kill the
server starts again and goes on by itself. Every ten kills: each version is whole (as many files as it says, each the content that its name
promises) and each blob's bytes have the digest that they are named after. In the end only the last version stays, and the store holds
exactly what a fresh server holds that registered the same folder: no file, row or object more or less.
"""

import argparse
import hashlib
import os
import random
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
import zipfile
from pathlib import Path

import blake3
import coco_journey as base
import requests

FILES = 400
ENDED = ("succeeded", "failed", "cancelled")


def content(name: str, generation: int) -> bytes:
    """The first line says what the rest must hash to."""
    rest = f"{name} {generation} ".encode() * (1 + hash_of(name) % 300)
    return hashlib.sha256(rest).hexdigest().encode() + b"\n" + rest


def hash_of(name: str) -> int:
    return int.from_bytes(hashlib.sha256(name.encode()).digest()[:4], "big")


def whole(data: bytes) -> bool:
    said, _, rest = data.partition(b"\n")
    return hashlib.sha256(rest).hexdigest().encode() == said


class Studio:
    """One data directory, whose server comes and goes."""

    def __init__(self, program: Path, home: Path):
        home.mkdir(parents=True, exist_ok=True)
        self.program, self.home = program, home
        self.server = base.Server(program, home, None)

    def again(self, hours: int = 0) -> None:
        """Starts the server anew over what is there, with its clock ahead by some hours (that takes libfaketime)."""
        s = self.server
        env = dict(os.environ)
        if hours:
            library = next(Path("/usr/lib").rglob("libfaketime.so.1"), None)
            if library is None:
                sys.exit("libfaketime is missing (apt-get install faketime)")
            env |= {"LD_PRELOAD": str(library), "FAKETIME": f"+{hours}h", "FAKETIME_DONT_FAKE_MONOTONIC": "1"}
        s.process = subprocess.Popen([self.program, "serve", *s.where, "--addr", "127.0.0.1:0"], stdout=subprocess.PIPE, stderr=s.log, env=env)
        while b"Limn is ready at" not in (line := s.process.stdout.readline()):
            if s.process.poll() is not None:
                sys.exit("the server did not start again: " + (self.home / "server.log").read_text()[-3000:])
        s.url = line.split(b"ready at ")[1].split()[0].decode().rstrip("/")

    def kill(self) -> None:
        self.server.process.send_signal(signal.SIGKILL)
        self.server.process.wait()

    def database(self) -> sqlite3.Connection:
        return sqlite3.connect(next((self.home / "data").glob("*.db")))

    def age(self, seconds: int = 7200) -> None:
        """What was written so far, that much older. The server is not running."""
        with self.database() as db:
            for table in ("blob", "version_object"):
                db.execute(f"UPDATE {table} SET created_at = created_at - ?", (seconds * 1_000_000,))
            # A killed server's jobs are taken up at once then, and as often as it takes.
            db.execute(
                "UPDATE job SET attempts = 0, lease_until = lease_until - ?1, run_after = run_after - ?1, started_at = started_at - ?1 "
                "WHERE state IN ('queued', 'running')",
                (seconds * 1_000_000,),
            )
        db.close()
        for file in self.blobs():
            at = file.stat().st_mtime - seconds
            os.utime(file, (at, at))

    def blobs(self) -> list[Path]:
        return [p for p in (self.home / "data/blobs").rglob("*") if p.is_file() and p.parent.name != "tmp"]

    def settled(self) -> None:
        """Waits until every job has ended."""
        deadline = time.time() + 120
        while True:
            rows = self.server.get("/api/v1/jobs?limit=100")["rows"]
            if all(j["state"] in ENDED for j in rows):
                failed = [j for j in rows if j["state"] == "failed" and "deleted" not in (j["error"] or "")]
                if failed:
                    sys.exit(f"a job failed: {failed[0]}")
                return
            if time.time() > deadline:
                sys.exit(f"jobs do not end: {rows}")
            time.sleep(0.1)

    def versions(self, dataset: str) -> list[dict]:
        return self.server.get(f"/api/v1/datasets/{dataset}/versions")

    def check(self, dataset: str, work: Path) -> tuple[int, int]:
        """Versions and files looked at."""
        files = 0
        for v in self.versions(dataset):
            archive = work / "version.zip"
            with requests.get(f"{self.server.url}/api/v1/versions/{v['id']}/zip", headers=self.auth(), stream=True, timeout=120) as reply:
                reply.raise_for_status()
                with open(archive, "wb") as out:
                    shutil.copyfileobj(reply.raw, out)
            with zipfile.ZipFile(archive) as z:
                names = [n for n in z.namelist() if n.endswith(".txt")]
                assert len(names) == v["files"], f"version {v['number']} has {v['files']} files and gives {len(names)}"
                for name in names:
                    assert whole(z.read(name)), f"version {v['number']}: {name} is not what it was"
            files += len(names)
        for blob in self.blobs():
            assert blake3.blake3(blob.read_bytes()).hexdigest() == blob.name, f"{blob} is not what its name says"
        return len(self.versions(dataset)), files

    def register(self, dataset: str, new: dict) -> None:
        reply = requests.post(f"{self.server.url}/api/v1/datasets/{dataset}/versions", json=new, headers=self.auth(), timeout=120)
        if reply.status_code != 202:
            sys.exit(f"register: {reply.status_code} {reply.text}")

    def auth(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.server.token}"}

    def delete(self, version: str) -> None:
        reply = requests.delete(f"{self.server.url}/api/v1/versions/{version}?even_if_used=true", headers=self.auth(), timeout=120)
        if reply.status_code not in (204, 404):
            sys.exit(f"delete: {reply.status_code} {reply.text}")

    def held(self) -> tuple[int, int, int]:
        """Files of blobs, their rows, objects of versions."""
        db = self.database()
        counts = [db.execute(f"SELECT count(*) FROM {t}").fetchone()[0] for t in ("blob", "version_object")]
        db.close()
        return len(self.blobs()), *counts

    def strays(self) -> list[str]:
        """Names of files without a row."""
        db = self.database()
        rows = {r[0] for r in db.execute("SELECT digest FROM blob")}
        db.close()
        return [b.name for b in self.blobs() if b.name not in rows]


def begin(studio: Studio, folder: Path) -> tuple[str, dict]:
    """The dataset, and what registers a version of it."""
    s = studio.server
    s.cli("datastore", "add", "--name", "Killed", "--kind", "folder", "--set", f"path={folder}")
    s.cli("dataset", "register", "--dataset", "Killed", "--kind", "files", "--datastore", "Killed")
    stores = s.get("/api/v1/datastores")
    store = next(d for d in (stores if isinstance(stores, list) else stores["rows"]) if d["name"] == "Killed")
    source = {"from": "datastore", "datastore_id": store["id"], "glob": "", "mode": "replace"}
    return s.get("/api/v1/datasets/find?name=Killed")["id"], source


def change(folder: Path, rng: random.Random, generation: int) -> None:
    names = sorted(folder.rglob("*.txt"))
    for file in rng.sample(names, 12):
        file.unlink()
    for file in rng.sample(sorted(folder.rglob("*.txt")), 12):
        file.write_bytes(content(file.name, generation))
    for n in range(12):
        below = folder / f"part{n % 4}"
        below.mkdir(exist_ok=True)
        (below / f"g{generation}-{n}.txt").write_bytes(content(f"g{generation}-{n}.txt", generation))


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--limn", type=Path, required=True)
    parser.add_argument("--kills", type=int, default=100)
    parser.add_argument("--seed", type=int, default=1)
    args, _ = parser.parse_known_args()
    rng = random.Random(args.seed)
    with tempfile.TemporaryDirectory() as temporary:
        work = Path(temporary)
        folder = work / "stores/folder"
        os.environ["LIMN__DATASTORES__FOLDERS"] = str(work / "stores")
        for n in range(FILES):
            below = folder / f"part{n % 8}"
            below.mkdir(parents=True, exist_ok=True)
            (below / f"{n:04}.txt").write_bytes(content(f"{n:04}.txt", 0))
        studio = Studio(args.limn.resolve(), work / "killed")
        dataset, new = begin(studio, folder)
        killed_in = {"nothing": 0, "registering": 0, "other work": 0}
        for kill in range(1, args.kills + 1):
            # A registration that a kill cut off reads the folder again: it changes when none is under way.
            rows = studio.server.get("/api/v1/jobs?limit=100")["rows"]
            if all(j["state"] in ENDED for j in rows):
                change(folder, rng, kill)
                studio.register(dataset, new)
            versions = studio.versions(dataset)
            if len(versions) > 4:
                studio.delete(rng.choice(versions[1:])["id"])
            time.sleep(rng.choice([0.2, 1.5]) * rng.random())
            under_way = [j["kind"] for j in studio.server.get("/api/v1/jobs?limit=100")["rows"] if j["state"] not in ENDED]
            killed_in["registering" if "version" in under_way else "other work" if under_way else "nothing"] += 1
            studio.kill()
            studio.age()
            studio.again()
            # Into the clean-up that every start begins with.
            if kill % 3 == 0:
                time.sleep(rng.uniform(0.0, 0.15))
                studio.kill()
                studio.age()
                studio.again()
            if kill % 10 == 0:
                studio.settled()
                count, files = studio.check(dataset, work)
                print(f"{kill} kills: {count} versions with {files} files are whole; {studio.held()} held", flush=True)
        studio.settled()
        # The last content as a version, all others gone, everything old, and two clean-ups.
        studio.register(dataset, new)
        studio.settled()
        for v in sorted(studio.versions(dataset), key=lambda v: v["number"])[:-1]:
            studio.delete(v["id"])
        for _ in range(3):
            studio.settled()
            studio.kill()
            studio.age()
            studio.again()
            time.sleep(3)
        studio.settled()
        _, files = studio.check(dataset, work)
        # A file without a row is taken by the clean-up of its hour: each hour looks at one of 256 parts of the store.
        strays = studio.strays()
        for part in sorted({int(name[:2], 16) for name in strays}):
            studio.kill()
            studio.again(hours=((part - int(time.time()) // 3600) % 256) or 256)
            time.sleep(1.5)
        studio.kill()
        studio.again()
        _, files = studio.check(dataset, work)
        fresh = Studio(args.limn.resolve(), work / "fresh")
        begin(fresh, folder)
        fresh.settled()
        have, want = studio.held(), fresh.held()
        print(f"killed while: {killed_in}; {len(strays)} files without a row, taken by later clean-ups")
        print(f"in the end: {files} files whole; files, rows, objects {have}; a fresh server's {want}")
        studio.kill()
        fresh.server.stop()
        assert have == want, "something dangles or is lost"


if __name__ == "__main__":
    main()
