"""Pascal VOC boxes go into a running Limn by its command line and come out as COCO files that the field's own tools load.

Usage: coco_journey.py --limn PROGRAM [--database-url URL] [--voc FOLDER]

FOLDER holds images/ and annotations/ (Pascal VOC); without it the script draws a set of its own. Checks: pycocotools loads the
file and COCOeval of the file against itself gives AP exactly 1.0; torchvision's CocoDetection and datumaro read every box; every
original box survives within 0.01 px; two exports are byte for byte the same; the archive with pictures unpacks to a dataset.
"""

import argparse
import contextlib
import io
import json
import os
import random
import re
import shutil
import subprocess
import sys
import tempfile
import time
import xml.etree.ElementTree as ET
import zipfile
from collections import defaultdict
from pathlib import Path

from PIL import Image

PROJECT = "Peers"
TOLERANCE = 0.01


def draw_set(folder: Path, count: int = 40) -> None:
    """Pictures of noise with boxes, some rotated by EXIF, names with spaces and other scripts."""
    rng = random.Random(7)
    (folder / "images").mkdir(parents=True)
    (folder / "annotations").mkdir()
    for n in range(count):
        name = ["plain", "with space", "übergröße", "図"][n % 4] + f"-{n}.jpg"
        width, height = rng.randint(40, 400), rng.randint(40, 400)
        picture = Image.effect_noise((width, height), 60).convert("RGB")
        exif = picture.getexif()
        turned = n % 5 == 3
        if turned:
            exif[0x0112] = 6  # shown rotated by 90 degrees: the labels are in the rotated frame
        picture.save(folder / "images" / name, exif=exif)
        if turned:
            width, height = height, width
        root = ET.Element("annotation")
        ET.SubElement(root, "filename").text = name
        size = ET.SubElement(root, "size")
        for tag, value in (("width", width), ("height", height), ("depth", 3)):
            ET.SubElement(size, tag).text = str(value)
        for _ in range(rng.randint(0, 6)):
            x0, y0 = rng.uniform(0, width - 8), rng.uniform(0, height - 8)
            x1, y1 = rng.uniform(x0 + 4, width), rng.uniform(y0 + 4, height)
            thing = ET.SubElement(root, "object")
            ET.SubElement(thing, "name").text = rng.choice(["cat", "dog", "a <b>bird</b>"])
            box = ET.SubElement(thing, "bndbox")
            for tag, value in (("xmin", x0), ("ymin", y0), ("xmax", x1), ("ymax", y1)):
                ET.SubElement(box, tag).text = f"{value:.2f}"
        ET.ElementTree(root).write(folder / "annotations" / (Path(name).stem + ".xml"), encoding="utf-8")


def voc_boxes(folder: Path) -> dict[str, list[tuple[str, float, float, float, float]]]:
    """Boxes by picture name (without folder), as (category, x, y, w, h)."""
    pictures = {p.stem: p.name for p in (folder / "images").iterdir()}
    found = defaultdict(list)
    for file in sorted((folder / "annotations").glob("*.xml")):
        root = ET.parse(file).getroot()
        name = pictures.get(file.stem) or root.findtext("filename")
        for thing in root.iter("object"):
            x0, y0, x1, y1 = (float(thing.findtext(f"bndbox/{t}")) for t in ("xmin", "ymin", "xmax", "ymax"))
            found[name].append((thing.findtext("name").strip(), x0, y0, x1 - x0, y1 - y0))
    return found


class Server:
    def __init__(self, program: Path, work: Path, database_url: str | None):
        self.program = program
        self.where = ["--data-dir", str(work / "data")] + (["--database-url", database_url] if database_url else [])
        self.log = open(work / "server.log", "wb")
        self.process = subprocess.Popen(
            [program, "serve", *self.where, "--addr", "127.0.0.1:0"], stdout=subprocess.PIPE, stderr=self.log
        )
        deadline = time.time() + 30
        while True:
            line = self.process.stdout.readline().decode()
            if match := re.search(r"Limn is ready at (http://\S+)", line):
                break
            if time.time() > deadline or self.process.poll() is not None:
                sys.exit("the server did not start: " + (work / "server.log").read_text())
        self.url = match[1].rstrip("/")
        self.admin("create-user", "--email", "peer@example.org", "--role", "admin", "--password-stdin", stdin=b"correct horse battery\n")
        self.token = self.admin("create-token", "--email", "peer@example.org", "--name", "peers").strip()

    def admin(self, command: str, *args: str, stdin: bytes = b"") -> str:
        return subprocess.run(
            [self.program, "admin", command, *self.where, *args], input=stdin, stdout=subprocess.PIPE, check=True
        ).stdout.decode()

    def cli(self, *args: object) -> str:
        env = os.environ | {"LIMN_URL": self.url, "LIMN_TOKEN": self.token}
        done = subprocess.run([self.program, *map(str, args)], env=env, capture_output=True)
        if done.returncode:
            sys.exit(f"limn {' '.join(map(str, args))}: exit {done.returncode}\n{done.stdout.decode()}{done.stderr.decode()}")
        return done.stdout.decode()

    def get(self, path: str, missing: bool = False) -> object:
        """The JSON at a path of the API; nothing where it is not there yet and that is no fault."""
        import requests

        answer = requests.get(self.url + path, headers={"Authorization": f"Bearer {self.token}"})
        if missing and answer.status_code in (404, 409):
            return None
        answer.raise_for_status()
        return answer.json()

    def post(self, path: str, body: object) -> object:
        import requests

        answer = requests.post(self.url + path, json=body, headers={"Authorization": f"Bearer {self.token}"})
        answer.raise_for_status()
        return answer.json()

    def stop(self) -> None:
        self.process.terminate()
        if self.process.wait(timeout=20) != 0:
            sys.exit("the server did not end cleanly")


def check_pycocotools(file: Path) -> None:
    from pycocotools.coco import COCO
    from pycocotools.cocoeval import COCOeval

    with contextlib.redirect_stdout(io.StringIO()) as talk:
        truth = COCO(str(file))
        truth.info()
        detections = [
            {"image_id": a["image_id"], "category_id": a["category_id"], "bbox": a["bbox"], "score": 1.0}
            for a in truth.dataset["annotations"]
        ]
        evaluation = COCOeval(truth, truth.loadRes(detections), "bbox")
        evaluation.params.maxDets = [1, 10, max(100, len(detections))]
        evaluation.evaluate()
        evaluation.accumulate()
    # All sizes, the largest number of detections an image: what COCO calls AP.
    precision = evaluation.eval["precision"][:, :, :, 0, -1]
    scores = precision[precision > -1]
    # COCOeval adds numpy's spacing to a denominator: a perfect score may read as 1 - 2e-16.
    assert scores.size and float(scores.min()) > 1 - 1e-12, f"AP is {scores.mean() if scores.size else None}\n{talk.getvalue()}"
    print(f"pycocotools: {len(truth.imgs)} images, {len(truth.anns)} annotations, COCOeval against itself AP = {scores.mean():.12f}")


def check_torchvision(file: Path, images: Path) -> None:
    from torchvision.datasets import CocoDetection

    dataset = CocoDetection(str(images), str(file))
    boxes = 0
    for (picture, target), image_id in zip(dataset, dataset.ids):
        entry = dataset.coco.imgs[image_id]
        assert picture.size == (entry["width"], entry["height"]), f"{entry['file_name']}: {picture.size} is not {entry}"
        boxes += len(target)
    print(f"torchvision CocoDetection: {len(dataset)} pictures decoded, {boxes} boxes, every size as in the file")


def check_datumaro(folder: Path, file: Path) -> None:
    from datumaro.components.dataset import Dataset

    dataset = Dataset.import_from(str(folder), "coco_instances")
    labels = sum(len(item.annotations) for item in dataset)
    entries = json.loads(file.read_text())
    assert len(dataset) == len(entries["images"]), f"datumaro sees {len(dataset)} of {len(entries['images'])} images"
    assert labels == len(entries["annotations"]), f"datumaro sees {labels} of {len(entries['annotations'])} annotations"
    print(f"datumaro: {len(dataset)} items, {labels} annotations")


def check_boxes(file: Path, wanted: dict) -> None:
    data = json.loads(file.read_text())
    names = {c["id"]: c["name"] for c in data["categories"]}
    images = {i["id"]: i for i in data["images"]}
    got = defaultdict(list)
    for a in data["annotations"]:
        got[Path(images[a["image_id"]]["file_name"]).name].append((names[a["category_id"]], *a["bbox"]))
    worst, total = 0.0, 0
    for name, boxes in wanted.items():
        left = list(got.get(name, []))
        for box in boxes:
            best = min(left, key=lambda b: (b[0] != box[0], sum(abs(p - q) for p, q in zip(b[1:], box[1:]))), default=None)
            assert best and best[0] == box[0], f"{name}: {box} is lost"
            off = max(abs(p - q) for p, q in zip(best[1:], box[1:]))
            assert off <= TOLERANCE, f"{name}: {box} came back as {best}"
            left.remove(best)
            worst, total = max(worst, off), total + 1
        assert not left, f"{name}: boxes nobody drew: {left}"
    assert total == len(data["annotations"])
    print(f"boxes: {total} of {total} came back, the worst {worst} px off")


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--limn", type=Path, required=True)
    parser.add_argument("--database-url")
    parser.add_argument("--voc", type=Path)
    args = parser.parse_args()
    work = Path(tempfile.mkdtemp(prefix="limn-peers-"))
    server = Server(args.limn.resolve(), work, args.database_url)
    try:
        voc = args.voc or work / "voc"
        if not args.voc:
            draw_set(voc)
        wanted = voc_boxes(voc)
        server.cli("projects", "create", "--name", PROJECT, "--task", "detection")
        started = time.time()
        server.cli("import", "--project", PROJECT, "--format", "voc", voc / "images", voc / "annotations")
        print(f"imported {len(list((voc / 'images').iterdir()))} pictures in {time.time() - started:.1f} s")
        first, second = work / "one.json", work / "two.json"
        server.cli("export", "--project", PROJECT, "--format", "coco", "--out", first)
        server.cli("export", "--project", PROJECT, "--format", "coco", "--out", second)
        assert first.read_bytes() == second.read_bytes(), "two exports of the same labels differ"
        check_boxes(first, wanted)
        check_pycocotools(first)
        packed, unpacked = work / "all.zip", work / "all"
        server.cli("export", "--project", PROJECT, "--format", "coco", "--out", packed, "--with-images")
        with zipfile.ZipFile(packed) as archive:
            archive.extractall(unpacked)
        file = next((unpacked / "annotations").glob("instances_*.json"))
        check_boxes(file, wanted)
        check_pycocotools(file)
        entries = json.loads(file.read_text())
        roots = [r for r in (unpacked / "images", unpacked / "images" / "default", unpacked) if (r / entries["images"][0]["file_name"]).is_file()]
        assert roots, f"no picture lies where {entries['images'][0]['file_name']} says"
        check_torchvision(file, roots[0])
        check_datumaro(unpacked, file)
        server.cli("projects", "create", "--name", "Again", "--task", "detection")
        server.cli("import", "--project", "Again", "--format", "coco", packed)
        again = work / "again.json"
        server.cli("export", "--project", "Again", "--format", "coco", "--out", again)
        check_boxes(again, wanted)
        print("all peers agree")
    finally:
        server.stop()
        shutil.rmtree(work, ignore_errors=True)


if __name__ == "__main__":
    main()
