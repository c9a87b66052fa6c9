"""A server that is killed (SIGKILL) at random moments while it registers versions, deletes them and sweeps up, a hundred times.

Usage: killed.py --limn PROGRAM [--kills N] [--seed N] [--bucket]

Two folders of some hundred files that say what they are are registered as datastores. The files of one are copied; it changes between the
kills. Those of the other are left where they lie; it only grows, in part by content that the first one has as well. Versions of both are
registered and deleted, and what was written so far is made two hours older, so that clean-up takes everything that nothing names. After
each kill the server starts again and goes on by itself. Every ten kills: each version is whole (as many files as it says, each the content
that its name promises) and each blob's bytes have the digest that they are named after. In the end only the last version of each stays, and
the database knows exactly what that of a fresh server knows that registered the same folders: no row or object more or less. The store holds
the bytes of every row that says so and no others, and every other row has a place in a datastore.

With --bucket the bytes lie in an object store (small_bucket.py) instead of a folder.
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
import small_bucket

FILES = 400
LEFT = 100
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

    def __init__(self, program: Path, home: Path, bucket: small_bucket.Bucket | None):
        home.mkdir(parents=True, exist_ok=True)
        self.program, self.home, self.bucket = program, home, bucket
        if bucket:
            # Also for everything that is started later: there is one studio at a time.
            os.environ |= {
                "LIMN__STORAGE__KIND": "s3",
                "LIMN__STORAGE__ENDPOINT": bucket.endpoint,
                "LIMN__STORAGE__BUCKET": small_bucket.BUCKET,
                "LIMN__STORAGE__PREFIX": home.name,
                "LIMN__STORAGE__ACCESS_KEY_ID": "killed",
                "LIMN__STORAGE__SECRET_ACCESS_KEY": "killed",
            }
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
            db.execute("UPDATE dataset_file SET noted_at = noted_at - ?", (seconds * 1_000_000,))
            db.execute("UPDATE blob_hold SET held_until = held_until - ?1, doomed_until = doomed_until - ?1", (seconds * 1_000_000,))
            # A killed server's jobs are taken up at once then, and as often as it takes.
            db.execute(
                "UPDATE job SET attempts = 0, lease_until = lease_until - ?1, run_after = run_after - ?1, started_at = started_at - ?1 "
                "WHERE state IN ('queued', 'running')",
                (seconds * 1_000_000,),
            )
        db.close()
        if self.bucket:
            self.bucket.age(seconds)
            return
        for file in self.files():
            at = file.stat().st_mtime - seconds
            os.utime(file, (at, at))

    def files(self) -> list[Path]:
        """Those of blobs; processes lock a file beside them."""
        found = (self.home / "data/blobs").rglob("*")
        return [p for p in found if p.is_file() and p.parent.name != "tmp" and p.name != "lock"]

    def names(self) -> set[str]:
        """What blobs in the store are called."""
        if self.bucket:
            return set(self.bucket.below(f"{self.home.name}/blobs/"))
        return {file.name for file in self.files()}

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
        if self.bucket:
            blobs = self.bucket.below(f"{self.home.name}/blobs/")
        else:
            blobs = {file.name: file.read_bytes() for file in self.files()}
        for name, data in blobs.items():
            assert blake3.blake3(data).hexdigest() == name, f"{name} is not what its name says"
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

    def held(self) -> tuple[int, int]:
        """Rows of blobs, objects of versions."""
        db = self.database()
        counts = [db.execute(f"SELECT count(*) FROM {t}").fetchone()[0] for t in ("blob", "version_object")]
        db.close()
        return counts[0], counts[1]

    def strays(self) -> set[str]:
        """Names of blobs without a row."""
        db = self.database()
        rows = {r[0] for r in db.execute("SELECT digest FROM blob")}
        db.close()
        return self.names() - rows

    def bytes_are_where_rows_say(self) -> None:
        db = self.database()
        here = {r[0] for r in db.execute("SELECT digest FROM blob WHERE is_here")}
        nowhere = db.execute(
            "SELECT count(*) FROM blob b WHERE NOT is_here AND NOT EXISTS (SELECT 1 FROM blob_place p WHERE p.digest = b.digest)"
        ).fetchone()[0]
        db.close()
        lost, more = here - self.names(), self.names() - here
        assert not (lost or more or nowhere), f"{len(lost)} blobs are lost, {len(more)} are too many, {nowhere} lie nowhere"


def begin(studio: Studio, name: str, folder: Path, in_place: bool) -> tuple[str, dict]:
    """The dataset, and what registers a version of it."""
    s = studio.server
    s.cli("datastore", "add", "--name", name, "--kind", "folder", "--set", f"path={folder}")
    how = ["--in-place"] if in_place else []
    s.cli("dataset", "register", "--dataset", name, "--kind", "files", "--datastore", name, *how)
    stores = s.get("/api/v1/datastores")
    store = next(d for d in (stores if isinstance(stores, list) else stores["rows"]) if d["name"] == name)
    source = {"from": "datastore", "datastore_id": store["id"], "glob": "", "mode": "replace", "in_place": in_place}
    return s.get(f"/api/v1/datasets/find?name={name}")["id"], source


def fill(folder: Path, files: int) -> None:
    for n in range(files):
        below = folder / f"part{n % 8}"
        below.mkdir(parents=True, exist_ok=True)
        (below / f"{n:04}.txt").write_bytes(content(f"{n:04}.txt", 0))


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


def grow(folder: Path, generation: int) -> None:
    """More files; some are new in the other folder too."""
    for name in (f"g{generation}-0.txt", f"g{generation}-1.txt", f"left{generation}.txt"):
        (folder / name).write_bytes(content(name, generation))


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--limn", type=Path, required=True)
    parser.add_argument("--kills", type=int, default=100)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--bucket", action="store_true")
    args, _ = parser.parse_known_args()
    rng = random.Random(args.seed)
    with tempfile.TemporaryDirectory() as temporary:
        work = Path(temporary)
        bucket = small_bucket.Bucket() if args.bucket else None
        folder, left = work / "stores/folder", work / "stores/left"
        os.environ["LIMN__DATASTORES__FOLDERS"] = str(work / "stores")
        fill(folder, FILES)
        # What is copied is left here, too, as long as the other folder has it.
        fill(left, LEFT)
        studio = Studio(args.limn.resolve(), work / "killed", bucket)
        both = [begin(studio, "Killed", folder, in_place=False), begin(studio, "Left", left, in_place=True)]
        killed_in = {"nothing": 0, "registering": 0, "other work": 0}
        for kill in range(1, args.kills + 1):
            # A registration that a kill cut off reads the folder again: it changes when none is under way.
            rows = studio.server.get("/api/v1/jobs?limit=100")["rows"]
            if all(j["state"] in ENDED for j in rows):
                change(folder, rng, kill)
                grow(left, kill)
                for dataset, new in both:
                    studio.register(dataset, new)
            for dataset, _ in both:
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
                checked = [studio.check(dataset, work) for dataset, _ in both]
                count, files = (sum(n) for n in zip(*checked))
                print(f"{kill} kills: {count} versions with {files} files are whole; {studio.held()} held", flush=True)
        studio.settled()
        # The last content as a version, all others gone, everything old, and two clean-ups.
        for dataset, new in both:
            studio.register(dataset, new)
        studio.settled()
        for dataset, _ in both:
            for v in sorted(studio.versions(dataset), key=lambda v: v["number"])[:-1]:
                studio.delete(v["id"])
        for _ in range(3):
            studio.settled()
            studio.kill()
            studio.age()
            studio.again()
            time.sleep(3)
        studio.settled()
        # A file without a row is taken by the clean-up of its hour: each hour looks at one of 256 parts of the store.
        strays = studio.strays()
        for part in sorted({int(name[:2], 16) for name in strays}):
            studio.kill()
            studio.again(hours=((part - int(time.time()) // 3600) % 256) or 256)
            time.sleep(1.5)
        studio.kill()
        studio.again()
        files = sum(studio.check(dataset, work)[1] for dataset, _ in both)
        studio.kill()
        studio.bytes_are_where_rows_say()
        fresh = Studio(args.limn.resolve(), work / "fresh", bucket)
        begin(fresh, "Killed", folder, in_place=False)
        begin(fresh, "Left", left, in_place=True)
        fresh.settled()
        fresh.bytes_are_where_rows_say()
        have, want = studio.held(), fresh.held()
        print(f"killed while: {killed_in}; {len(strays)} files without a row, taken by later clean-ups")
        print(f"in the end: {files} files whole; rows, objects {have}; a fresh server's {want}")
        fresh.server.stop()
        assert have == want, "something dangles or is lost"


if __name__ == "__main__":
    main()
