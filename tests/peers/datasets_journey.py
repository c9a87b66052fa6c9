"""Versions of datasets, got by the very snippets that the Consume tab shows.

Usage: datasets_journey.py --limn PROGRAM [--database-url URL] [--without-torch]

A labeled project becomes a version, then the project changes. Checks: the command line, curl and Python snippets bring the version's files,
byte for byte; those for boto3, pandas, DuckDB and Croissant say of its files what it says; the COCO snippet's archive loads in torchvision's CocoDetection with every box of the version (left out with
--without-torch); run again, each brings the same bytes.
"""

import argparse
import hashlib
import importlib.util
import json
import os
import platform
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import coco_journey as base


def digests(folder: Path) -> dict[str, str]:
    """SHA-256 by relative path."""
    return {
        str(p.relative_to(folder)): hashlib.sha256(p.read_bytes()).hexdigest()
        for p in sorted(folder.rglob("*"))
        if p.is_file()
    }


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--limn", type=Path, required=True)
    parser.add_argument("--database-url")
    parser.add_argument("--without-torch", action="store_true")
    args, _ = parser.parse_known_args()
    program = args.limn.resolve()
    with tempfile.TemporaryDirectory() as temporary:
        work = Path(temporary)
        base.draw_set(work / "set", 12)
        server = base.Server(program, work, args.database_url)
        try:
            journey(server, work, program, args.without_torch)
        finally:
            server.stop()


def journey(server: "base.Server", work: Path, program: Path, without_torch: bool) -> None:
    name = "It's a \"set\""
    server.cli("projects", "create", "--name", base.PROJECT, "--task", "detection")
    server.cli("import", "--project", base.PROJECT, "--format", "voc", work / "set/images", work / "set/annotations")
    # Croissant recommends a licence.
    server.post("/api/v1/datasets", {"name": name, "kind": "images", "licence": "CC0-1.0"})
    server.cli("dataset", "register", "--dataset", name, "--project", base.PROJECT, "--all")
    version = json.loads(server.cli("dataset", "versions", "--dataset", name, "--json"))[0]
    snippets = json.loads(server.cli("dataset", "snippets", "--dataset", name, "--version", version["digest"], "--json"))
    boxes = version["counts"]["labels"]
    # The project goes on; a second version is the newest one by then.
    extra = work / "more"
    base.draw_set(extra, 3)
    for picture in (extra / "images").iterdir():
        picture.rename(picture.with_name("more-" + picture.name))
    server.cli("upload", "--project", base.PROJECT, extra / "images")
    server.cli("dataset", "register", "--dataset", name, "--project", base.PROJECT, "--all")

    wanted = digests(work / "set/images")
    key = server.post("/api/v1/tokens", {"name": "s3", "scope": "read", "dataset_id": version["dataset_id"]})["s3"]
    env = os.environ | {
        "LIMN_TOKEN": server.token,
        "PATH": f"{program.parent}{os.pathsep}{os.environ['PATH']}",
        "AWS_ACCESS_KEY_ID": key["access_key_id"],
        "AWS_SECRET_ACCESS_KEY": key["secret_access_key"],
        "HOME": str(work),
    }
    duckdb_extension(work)
    # The checksums come with the profile, which a registration starts.
    for _ in range(200):
        if server.get(f"/api/v1/versions/{version['id']}/croissant", missing=True):
            break
        time.sleep(0.1)
    titles = []
    for snippet in snippets:
        title = snippet["title"]
        if without_torch and "torchvision" in snippet["code"]:
            continue
        titles.append(title)
        kept = []
        for attempt in ("first", "second"):
            folder = work / f"{title}-{attempt}".replace(" ", "-")
            folder.mkdir()
            is_shell = title in ("Command line", "curl")
            command = ["bash", "-ec", snippet["code"]] if is_shell else [sys.executable, "-c", snippet["code"]]
            done = subprocess.run(command, cwd=folder, env=env, capture_output=True, text=True)
            if done.returncode:
                sys.exit(f"{title}: exit {done.returncode}\n{done.stdout}{done.stderr}")
            if title == "curl":
                subprocess.run(["python3", "-m", "zipfile", "-e", "data.zip", "data"], cwd=folder, check=True)
            if "CocoDetection" in snippet["code"]:
                load(folder, len(wanted), boxes)
            elif title == "DuckDB":
                assert str(len(wanted)) in done.stdout, done.stdout
            elif title in ("Python, S3", "pandas", "Croissant"):
                for name in wanted:
                    assert name in done.stdout, f"{title}: {name} is missing\n{done.stdout}"
            else:
                found = digests(folder / "data")
                assert found == wanted, f"{title}: {sorted(found.items() ^ wanted.items())[:4]}"
            kept.append((digests(folder), done.stdout if "S3" in title else None))
        assert kept[0] == kept[1], f"{title}: other bytes the second time"
        print(f"{title}: {len(wanted)} files, the same twice")
    assert titles[:3] == ["Command line", "curl", "Python"], titles
    over_s3(server.url, name, key, version, work / "set/images", wanted, env)
    croissant(server, version, work, wanted, boxes, env)


def duckdb_extension(home: Path) -> None:
    """Puts DuckDB's httpfs, which comes from PyPI here, where INSTALL finds it."""
    import duckdb

    found = importlib.util.find_spec("duckdb_extension_httpfs")
    assert found and found.submodule_search_locations
    (file,) = Path(next(iter(found.submodule_search_locations))).rglob("*.duckdb_extension")
    system = duckdb.connect().sql("PRAGMA platform").fetchone()[0]
    folder = home / ".duckdb/extensions" / f"v{duckdb.__version__}" / system
    folder.mkdir(parents=True)
    shutil.copy(file, folder / "httpfs.duckdb_extension")


def over_s3(url: str, name: str, key: dict, version: dict, local: Path, wanted: dict[str, str], env: dict) -> None:
    """boto3 and, where it is installed, rclone bring every file; nothing can be written."""
    import boto3
    from botocore.config import Config
    from botocore.exceptions import ClientError

    s3 = boto3.client(
        "s3",
        endpoint_url=url,
        region_name="us-east-1",
        aws_access_key_id=key["access_key_id"],
        aws_secret_access_key=key["secret_access_key"],
        config=Config(signature_version="s3v4", s3={"addressing_style": "path"}, retries={"max_attempts": 1}),
    )
    (bucket,) = [b["Name"] for b in s3.list_buckets()["Buckets"]]
    top = s3.list_objects_v2(Bucket=bucket, Delimiter="/")
    assert [p["Prefix"] for p in top["CommonPrefixes"]] == ["latest/", "v1/", "v2/"], top
    for size in (1, 5, 1000):
        for call in ("list_objects", "list_objects_v2"):
            pages = s3.get_paginator(call).paginate(Bucket=bucket, Prefix="v1/", PaginationConfig={"PageSize": size})
            keys = sorted(f["Key"] for page in pages for f in page.get("Contents", []))
            assert keys == sorted(f"v1/{n}" for n in [*wanted, "metadata.jsonl"]), (call, size, keys)
    for path, digest in wanted.items():
        found = s3.get_object(Bucket=bucket, Key=f"{version['digest']}/{path}")
        assert hashlib.sha256(found["Body"].read()).hexdigest() == digest, path
        part = s3.get_object(Bucket=bucket, Key=f"v1/{path}", Range="bytes=10-19")
        assert part["Body"].read() == (local / path).read_bytes()[10:20]
    link = s3.generate_presigned_url("get_object", Params={"Bucket": bucket, "Key": f"v1/{next(iter(wanted))}"})
    import requests

    assert hashlib.sha256(requests.get(link).content).hexdigest() == next(iter(wanted.values()))
    wrong = link[:-1] + ("0" if link[-1] != "0" else "1")
    assert requests.get(wrong).status_code == 403, requests.get(wrong).text
    for write in (
        lambda: s3.put_object(Bucket=bucket, Key="v1/new.txt", Body=b"x"),
        lambda: s3.delete_object(Bucket=bucket, Key=f"v1/{next(iter(wanted))}"),
        lambda: s3.create_bucket(Bucket="other"),
    ):
        try:
            write()
        except ClientError as e:
            assert e.response["Error"]["Code"] == "MethodNotAllowed", e
        else:
            sys.exit("something was written over S3")
    print(f"boto3: {len(wanted)} files, in pages and parts; presigned; nothing written")
    if rclone := shutil.which("rclone"):
        remote = f":s3,provider=Other,env_auth=true,region=us-east-1,endpoint='{url}':{bucket}/v1"
        # Nothing here is HTTPS, and a bundle of certificates is more than old versions of it take.
        env = {k: v for k, v in env.items() if k != "AWS_CA_BUNDLE"}
        done = subprocess.run(
            [rclone, "check", "--download", "--exclude", "metadata.jsonl", str(local), remote], env=env, capture_output=True, text=True
        )
        assert done.returncode == 0, done.stderr
        print(f"rclone {platform.system()}: every file is the same")


def croissant(server: "base.Server", version: dict, work: Path, wanted: dict[str, str], boxes: int, env: dict) -> None:
    """mlcroissant finds nothing wrong and reads pictures and boxes."""
    document = server.get(f"/api/v1/versions/{version['id']}/croissant")
    file = work / "croissant.json"
    file.write_text(json.dumps(document))
    validate = [str(Path(sys.executable).with_name("mlcroissant")), "validate", "--jsonld", str(file)]
    done = subprocess.run(validate, env=env, capture_output=True, text=True)
    assert done.returncode == 0 and "error" not in done.stderr.lower(), done.stderr
    assert "warning" not in done.stderr.lower(), done.stderr
    code = """if True:
        import json, sys, mlcroissant
        from PIL.ImageOps import exif_transpose
        data = mlcroissant.Dataset(sys.argv[1])
        rows = list(data.records("files"))
        sizes = {r["pictures/file_name"].decode(): exif_transpose(r["pictures/image"]).size for r in data.records("pictures")}
        assert all(sizes[r["files/file_name"].decode()] == (r["files/width"], r["files/height"]) for r in rows)
        print(json.dumps([len(rows), len(sizes), sum(len(r["files/bbox"]) for r in rows)]))
    """
    env = env | {"CROISSANT_BASIC_AUTH_USERNAME": "token", "CROISSANT_BASIC_AUTH_PASSWORD": server.token}
    done = subprocess.run([sys.executable, "-c", code, str(file)], env=env, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout.splitlines()[-1])
    assert found == [len(wanted), len(wanted), boxes], found
    print(f"mlcroissant: valid; {found[0]} records with {found[2]} boxes")


def load(folder: Path, pictures: int, boxes: int) -> None:
    from torchvision.datasets import CocoDetection

    dataset = CocoDetection(folder / "coco/images", folder / "coco/annotations/instances_default.json")
    assert len(dataset) == pictures, len(dataset)
    found = 0
    for picture, labels in dataset:
        for label in labels:
            x, y, w, h = label["bbox"]
            assert 0 <= x and x + w <= picture.width + 0.01 and 0 <= y and y + h <= picture.height + 0.01, label
        found += len(labels)
    assert found == boxes, (found, boxes)


if __name__ == "__main__":
    main()
