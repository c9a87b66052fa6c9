"""Boxes and outlines go into a running Limn and come out in every format, which the field's own tools or their rules then read.

Usage: formats_journey.py --limn PROGRAM [--database-url URL] [--camvid FOLDER] [--panopticapi FOLDER]

FOLDER of --camvid holds train/ (pictures) and trainannot/ (a class index per pixel): they go into a semantic project and come out as PNG
masks and COCO panoptic, every pixel equal, also after another import. FOLDER of --panopticapi is a checkout of
github.com/cocodataset/panopticapi: its evaluation is then run on the panoptic export against itself.

Checks. datumaro loads YOLO, Pascal VOC, CVAT, PNG masks and COCO panoptic and finds every box or pixel. Ultralytics' `verify_image_label`
takes every YOLO file, and its `convert_coco` makes of our COCO what our YOLO export says. COCO panoptic passes what panopticapi checks before it evaluates: the ids in each PNG are
those of `segments_info`, with their areas. LabelMe's and CVAT's masks, decoded by their own rules, and Label Studio's brush
masks, decoded by its own `decode_rle`, are pycocotools' pixels of the COCO export. datumaro finds every attribute in COCO and CVAT, and
exports imported again have the same. Every export imported into a new project gives COCO
exports with the same boxes within a thousandth of a pixel, and the same pixels where the format keeps them.
"""

import argparse
import base64
import contextlib
import csv
import io
import json
import os
import shutil
import sys
import tempfile
import xml.etree.ElementTree as ET
import zipfile
from collections import Counter, defaultdict
from pathlib import Path

import numpy as np
from coco_journey import Server, draw_set
from outlines_journey import camvid_set, drawn_set, load
from PIL import Image

csv.field_size_limit(sys.maxsize)
BOXES, OUTLINES, ATTRIBUTES, RINGS, CAMVID = "Boxes", "Outlines", "Attributes", "Rings", "CamVid"
BOX_FORMATS = ["yolo", "voc", "cvat", "labelme", "csv", "jsonl", "label_studio", "coco_azureml"]
# Of these every pixel of every object comes back; of `png` every pixel of every class, of `coco_panoptic` what is seen.
PIXEL_FORMATS = ["cvat", "labelme", "csv", "jsonl", "label_studio"]


class Set:
    """A project's COCO export, as the truth."""

    def __init__(self, file: Path):
        self.coco = load(file)
        self.images = {i["file_name"]: i for i in self.coco.imgs.values()}

    def name(self, annotation: dict) -> str:
        return self.coco.cats[annotation["category_id"]]["name"]

    def boxes(self) -> dict:
        found = defaultdict(list)
        for name, image in self.images.items():
            found[stem(name)] += [(self.name(a), *a["bbox"]) for a in self.coco.imgToAnns[image["id"]]]
        return {k: sorted(v) for k, v in found.items() if v}

    def masks(self) -> dict:
        """By picture: category and pixels, lowest first."""
        return {
            stem(name): [(self.name(a), self.coco.annToMask(a).astype(bool)) for a in self.coco.imgToAnns[image["id"]]]
            for name, image in self.images.items()
        }


def stem(name: str) -> str:
    return str(Path(name).with_suffix(""))


def close(got: dict, want: dict, what: str, within: float = 1e-3) -> None:
    assert {k: len(v) for k, v in got.items() if v} == {k: len(v) for k, v in want.items()}, what
    worst = 0.0
    for name, boxes in want.items():
        for a, b in zip(sorted(got[name]), boxes):
            assert a[0] == b[0], f"{what}: {name}: {a} is not {b}"
            worst = max(worst, *(abs(p - q) for p, q in zip(a[1:], b[1:])))
    assert worst <= within, f"{what}: {worst} px off"
    print(f"{what}: {sum(map(len, want.values()))} boxes, the worst {worst:.2g} px off")


def same_masks(got: dict, want: dict, what: str) -> None:
    for name, objects in want.items():
        left = list(got.get(name, []))
        assert len(left) == len(objects), f"{what}: {name}: {len(left)} objects, not {len(objects)}"
        for category, pixels in objects:
            n = next((n for n, (c, p) in enumerate(left) if c == category and (p == pixels).all()), None)
            assert n is not None, f"{what}: {name}: an object of {category} with {pixels.sum()} pixels is lost"
            left.pop(n)
    print(f"{what}: {sum(map(len, want.values()))} objects, every pixel equal")


def flat(objects: list, names: list[str], shape: tuple[int, int]) -> np.ndarray:
    """Numbers of categories from 1, higher objects over lower ones."""
    out = np.zeros(shape, int)
    for category, pixels in objects:
        out[pixels] = names.index(category) + 1
    return out


def datumaro_boxes(folder: Path, kind: str) -> dict:
    from datumaro.components.annotation import AnnotationType
    from datumaro.components.dataset import Dataset

    dataset = Dataset.import_from(str(folder), kind)
    labels = dataset.categories()[AnnotationType.label]
    return {
        item.id: [(labels[a.label].name, *a.get_bbox()) for a in item.annotations if a.type == AnnotationType.bbox] for item in dataset
    }


# Each object has its own `x`, by which it is told from others.
SAID = [
    {"colour": "dark red", "hidden": True, "age": 0.5, "note": "<a> & 'b'"},
    {},
    {"hidden": False, "age": 12.0},
]
DEFINED = [
    {"key": "colour", "name": "Colour of it", "type": "select", "options": ["dark red", "blue"]},
    {"key": "hidden", "name": "Hidden", "type": "checkbox"},
    {"key": "age", "name": "Age", "type": "number", "min": 0, "max": 99},
    {"key": "note", "name": "Note", "type": "text"},
]


def said_set(folder: Path, picture: Path) -> list[Path]:
    """A picture with an object for each of `SAID`, as JSONL."""
    folder.mkdir()
    width, height = Image.open(picture).size
    shapes = [
        {"category_id": 1, "kind": "box", "rect": {"x": 10 * n, "y": 1, "w": 5, "h": 5}, "attributes": said} for n, said in enumerate(SAID)
    ]
    item = {"file": picture.name, "width": width, "height": height, "annotations": shapes}
    (folder / "categories.json").write_text(json.dumps([{"id": 1, "name": "car", "attributes": DEFINED}]))
    (folder / "items.jsonl").write_text(json.dumps(item) + "\n")
    return [folder / "categories.json", folder / "items.jsonl"]


def datumaro_attributes(folder: Path, kind: str) -> list[dict]:
    from datumaro.components.dataset import Dataset

    # CVAT knows attributes by their names.
    keys = {a["name" if kind == "cvat" else "key"]: a["key"] for a in DEFINED}
    found = [a for item in Dataset.import_from(str(folder), kind) for a in item.annotations]
    found.sort(key=lambda a: a.get_bbox()[0])
    return [{keys[k]: v for k, v in a.attributes.items() if k in keys} for a in found]


def check_yolo(folder: Path, segments: bool) -> int:
    """What Ultralytics asks of every line: numbers from 0 to 1, a known class, five numbers or corners."""
    classes = sum(1 for line in (folder / "data.yaml").read_text().splitlines() if line.startswith("  "))
    lines = 0
    for file in (folder / "labels").rglob("*.txt"):
        picture = [p for p in (folder / "images" / file.relative_to(folder / "labels")).parent.glob("*") if p.stem == file.stem]
        assert len(picture) == 1, f"{file} has {len(picture)} pictures"
        for line in file.read_text().splitlines():
            numbers = [float(v) for v in line.split()]
            assert numbers[0] == int(numbers[0]) and 0 <= numbers[0] < classes and all(0 <= v <= 1 for v in numbers[1:]), line
            assert (len(numbers) >= 7 and len(numbers) % 2 == 1) if segments else len(numbers) == 5, line
            lines += 1
    return lines


def check_ultralytics(yolo: Path, coco: Path, segments: bool) -> None:
    """Ultralytics takes the YOLO files, and its converter makes the same lines of the COCO file."""
    # Where it keeps its settings.
    os.environ.setdefault("YOLO_CONFIG_DIR", str(yolo.parent / "ultralytics"))
    (yolo.parent / "ultralytics").mkdir(exist_ok=True)
    from ultralytics.data.converter import convert_coco
    from ultralytics.data.utils import verify_image_label

    classes = sum(1 for line in (yolo / "data.yaml").read_text().splitlines() if line.startswith("  "))
    checked = 0
    for file in sorted((yolo / "labels").rglob("*.txt")):
        picture = next(p for p in (yolo / "images" / file.relative_to(yolo / "labels")).parent.glob("*") if p.stem == file.stem)
        image, lines, *_, corrupt, message = verify_image_label((str(picture), str(file), "", False, classes, 0, 0, False))
        assert image and corrupt == 0 and not message, message
        checked += len(lines)
    out = yolo.parent / f"{yolo.name}-by-ultralytics"
    with contextlib.redirect_stdout(io.StringIO()):
        convert_coco(str(coco.parent), str(out), use_segments=segments, cls91to80=False)
    made = {f.stem: f for f in (out / "labels").rglob("*.txt")}
    # It counts the classes by the ids of categories, less one.
    order = [c["id"] for c in json.loads(coco.read_text())["categories"]]
    same = 0
    for file in (yolo / "labels").rglob("*.txt"):
        ours = sorted([float(v) for v in line.split()] for line in file.read_text().splitlines())
        theirs = []
        for line in made[file.stem].read_text().splitlines() if ours else []:
            number, *rest = (float(v) for v in line.split())
            theirs.append([float(order.index(int(number) + 1)), *rest])
        theirs.sort()
        assert len(ours) == len(theirs), f"{file.name}: {len(ours)} lines, {len(theirs)} by convert_coco"
        for a, b in zip(ours, theirs):
            # It writes six digits, and a box around each outline is not asked for.
            assert len(a) == len(b) and max(abs(x - y) for x, y in zip(a, b)) < 2e-6, f"{file.name}: {a} and {b}"
            same += 1
    print(f"Ultralytics: {checked} lines taken by verify_image_label, {same} the same by convert_coco")


def check_pq(folder: Path, panopticapi: Path) -> None:
    """panopticapi's own evaluation of the export against itself."""
    sys.path.insert(0, str(panopticapi))
    from panopticapi.evaluation import pq_compute_multi_core

    data = json.loads((folder / "annotations/panoptic_default.json").read_text())
    pictures = str(folder / "annotations/panoptic_default")
    categories = {c["id"]: c for c in data["categories"]}
    # `pq_compute` divides by the number of things and of stuff, and one of them is none here.
    with contextlib.redirect_stdout(io.StringIO()):
        counted = pq_compute_multi_core([(a, a) for a in data["annotations"]], pictures, pictures, categories)
    result, _ = counted.pq_average(categories, isthing=None)
    assert result["pq"] == 1.0 and result["n"] > 0, result
    print(f"panopticapi: PQ {result['pq']} over {result['n']} categories")


def check_panoptic(folder: Path, truth: Set) -> None:
    """As `pq_compute_single_core` of panopticapi, before it counts."""
    data = json.loads((folder / "annotations/panoptic_default.json").read_text())
    names = {c["id"]: c["name"] for c in data["categories"]}
    images = {i["id"]: i["file_name"] for i in data["images"]}
    want, segments = truth.masks(), 0
    for annotation in data["annotations"]:
        rgb = np.asarray(Image.open(folder / "annotations/panoptic_default" / annotation["file_name"])).astype(np.uint32)
        ids = rgb[..., 0] + 256 * rgb[..., 1] + 256 * 256 * rgb[..., 2]
        listed = {s["id"]: s for s in annotation["segments_info"]}
        counted = dict(zip(*np.unique(ids, return_counts=True)))
        counted.pop(0, None)
        assert set(counted) == set(listed), f"{annotation['file_name']}: PNG and JSON hold other segments"
        seen = np.zeros(ids.shape, object)
        for s in listed.values():
            assert s["area"] == counted[s["id"]] and s["category_id"] in names
            ys, xs = np.nonzero(ids == s["id"])
            assert s["bbox"] == [xs.min(), ys.min(), xs.max() - xs.min() + 1, ys.max() - ys.min() + 1]
            seen[ids == s["id"]] = names[s["category_id"]]
        wanted = np.zeros(ids.shape, object)
        for category, pixels in want[stem(images[annotation["image_id"]])]:
            wanted[pixels] = category
        assert (seen == wanted).all()
        segments += len(listed)
    from datumaro.components.dataset import Dataset

    loaded = sum(len(item.annotations) for item in Dataset.import_from(str(folder), "coco_panoptic"))
    assert loaded == segments, f"datumaro sees {loaded} of {segments} segments"
    print(f"COCO panoptic: {segments} segments as panopticapi wants them, every pixel equal; datumaro loads them")


def check_png(folder: Path, truth: Set) -> None:
    from datumaro.components.annotation import AnnotationType
    from datumaro.components.dataset import Dataset

    names = [line.split(":")[0] for line in (folder / "labelmap.txt").read_text().splitlines() if not line.startswith("#")][1:]
    want = truth.masks()
    for file in (folder / "SegmentationClass").rglob("*.png"):
        picture = Image.open(file)
        assert picture.mode == "P"
        objects = want[stem(str(file.relative_to(folder / "SegmentationClass")))]
        assert (np.asarray(picture) == flat(objects, names, picture.size[::-1])).all(), file
    dataset = Dataset.import_from(str(folder), "voc_segmentation")
    labels = dataset.categories()[AnnotationType.label]
    for item in dataset:
        objects = want[item.id]
        shape = objects[0][1].shape
        seen = np.zeros(shape, int)
        for a in item.annotations:
            if a.type == AnnotationType.mask and labels[a.label].name != "background":
                seen[a.image.astype(bool)] = names.index(labels[a.label].name) + 1
        assert (seen == flat(objects, names, shape)).all(), f"datumaro: {item.id}"
    print(f"PNG masks: {len(dataset)} pictures, every pixel equal, for PIL and for datumaro")


def cvat_masks(folder: Path) -> dict:
    """Masks by CVAT's own rule: runs along the rows of the window, zeros first. Polygons by pycocotools'."""
    from pycocotools import mask as masks

    found = {}
    for image in ET.parse(folder / "annotations.xml").getroot().iter("image"):
        height, width = int(image.get("height")), int(image.get("width"))
        objects, groups = [], {}
        for shape in image:
            if shape.tag == "mask":
                left, top, w, h = (int(shape.get(k)) for k in ("left", "top", "width", "height"))
                runs = [int(n) for n in shape.get("rle").split(",")]
                pixels = np.zeros((height, width), bool)
                pixels[top : top + h, left : left + w] = np.repeat(np.arange(len(runs)) % 2 == 1, runs).reshape(h, w)
                objects.append((shape.get("label"), pixels))
                continue
            ring = [float(v) for pair in shape.get("points").split(";") for v in pair.split(",")]
            pixels = masks.decode(masks.merge(masks.frPyObjects([ring], height, width))).astype(bool)
            group = shape.get("group_id")
            if group in groups:
                groups[group] |= pixels
            else:
                objects.append((shape.get("label"), pixels))
                if group:
                    groups[group] = pixels
        found[stem(image.get("name"))] = objects
    return found


def labelme_masks(folder: Path) -> dict:
    """As `labelme2coco` groups and fills them."""
    from pycocotools import mask as masks

    found = {}
    for file in folder.rglob("*.json"):
        data = json.loads(file.read_text())
        assert (file.parent / data["imagePath"]).is_file() and data["imageData"] is None
        height, width = data["imageHeight"], data["imageWidth"]
        objects, groups = [], {}
        for shape in data["shapes"]:
            pixels = np.zeros((height, width), bool)
            if shape["shape_type"] == "mask":
                (x0, y0), (x1, y1) = shape["points"]
                inner = np.asarray(Image.open(io.BytesIO(base64.b64decode(shape["mask"])))).astype(bool)
                pixels[y0 : y1 + 1, x0 : x1 + 1] = inner
            else:
                ring = [v for p in shape["points"] for v in p]
                pixels = masks.decode(masks.merge(masks.frPyObjects([ring], height, width))).astype(bool)
            group = shape["group_id"]
            if group in groups:
                groups[group] |= pixels
            else:
                objects.append((shape["label"], pixels))
                if group is not None:
                    groups[group] = pixels
        found[stem(str(file.relative_to(folder)))] = objects
    return found


def decode_rle(rle: list[int]) -> np.ndarray:
    """`decode_rle` of Label Studio's converter, with positions instead of a text of bits."""
    bits = np.unpackbits(np.array(rle, np.uint8))
    at = 0

    def read(size: int) -> int:
        nonlocal at
        value = int("".join(map(str, bits[at : at + size])), 2)
        at += size
        return value

    num, word, sizes = read(32), read(5) + 1, None
    sizes = [read(4) + 1 for _ in range(4)]
    out, i = np.zeros(num, np.uint8), 0
    while i < num:
        repeats = read(1)
        j = i + 1 + read(sizes[read(2)])
        if repeats:
            out[i:j] = read(word)
            i = j
        else:
            while i < j:
                out[i] = read(word)
                i += 1
    return out


def label_studio_masks(folder: Path) -> dict:
    from pycocotools import mask as masks

    found = {}
    for task in json.loads((folder / "label-studio.json").read_text()):
        objects = []
        for r in (r for a in task["annotations"] for r in a["result"]):
            width, height, value = r["original_width"], r["original_height"], r["value"]
            if r["type"] == "brushlabels":
                pixels = decode_rle(value["rle"]).reshape(height, width, 4)[..., 3] > 0
            else:
                ring = [v * s / 100 for p in value["points"] for v, s in zip(p, (width, height))]
                pixels = masks.decode(masks.merge(masks.frPyObjects([ring], height, width))).astype(bool)
            objects.append((value[r["type"]][0], pixels))
        found[stem(task["data"]["image"].removeprefix("images/"))] = objects
    return found


class Journey:
    def __init__(self, server: Server, work: Path, panopticapi: Path | None):
        self.server, self.work, self.panopticapi = server, work, panopticapi

    def export(self, project: str, kind: str) -> Path:
        packed, folder = self.work / f"{project}-{kind}.zip", self.work / f"{project}-{kind}"
        self.server.cli("export", "--project", project, "--format", kind, "--with-images", "--out", packed)
        again = self.work / "again.zip"
        self.server.cli("export", "--project", project, "--format", kind, "--with-images", "--out", again)
        assert packed.read_bytes() == again.read_bytes(), f"two exports as {kind} differ"
        with zipfile.ZipFile(packed) as archive:
            archive.extractall(folder)
        return folder

    def around(self, project: str, kind: str, task: str) -> Set:
        """The export imported into a new project, as COCO."""
        name = f"{project} {kind}"
        self.server.cli("projects", "create", "--name", name, "--task", task)
        into = "coco" if kind == "coco_azureml" else kind
        self.server.cli("import", "--project", name, "--format", into, self.work / f"{project}-{kind}.zip")
        file = self.work / f"{name}.json"
        self.server.cli("export", "--project", name, "--out", file)
        return Set(file)

    def boxes(self) -> None:
        draw_set(self.work / "voc")
        self.server.cli("projects", "create", "--name", BOXES, "--task", "detection")
        self.server.cli("import", "--project", BOXES, "--format", "voc", self.work / "voc/images", self.work / "voc/annotations")
        self.server.cli("export", "--project", BOXES, "--out", self.work / "boxes.json")
        want = Set(self.work / "boxes.json").boxes()
        for kind in BOX_FORMATS:
            folder = self.export(BOXES, kind)
            if kind == "yolo":
                assert check_yolo(folder, segments=False) == sum(map(len, want.values()))
                (self.work / "boxes").mkdir()
                shutil.copy(self.work / "boxes.json", self.work / "boxes/all.json")
                check_ultralytics(folder, self.work / "boxes/all.json", segments=False)
            if kind in ("yolo", "voc", "cvat"):
                known = {"yolo": "yolo", "voc": "voc_detection", "cvat": "cvat"}[kind]
                # datumaro rounds some to a hundredth.
                close(datumaro_boxes(folder, known), want, f"datumaro, {kind}", 0.02)
            close(self.around(BOXES, kind, "detection").boxes(), want, f"{kind}, imported again")

    def attributes(self) -> None:
        picture = min((self.work / "voc/images").iterdir())
        self.server.cli("projects", "create", "--name", ATTRIBUTES, "--task", "detection")
        files = said_set(self.work / "said", picture)
        self.server.cli("import", "--project", ATTRIBUTES, "--format", "jsonl", picture, *files)
        for kind in ("coco", "cvat"):
            got = datumaro_attributes(self.export(ATTRIBUTES, kind), kind)
            assert got == SAID, f"datumaro, {kind}: {got}"
        print(f"datumaro, COCO and CVAT: {sum(map(len, SAID))} attributes equal")
        # These bring the definitions along.
        for kind in ("jsonl", "cvat"):
            self.export(ATTRIBUTES, kind)
            coco = self.around(ATTRIBUTES, kind, "detection").coco
            got = [a.get("attributes", {}) for a in sorted(coco.anns.values(), key=lambda a: a["bbox"][0])]
            # Keys of a project that learns them from CVAT are made from the names.
            want = [{("colour_of_it" if k == "colour" and kind == "cvat" else k): v for k, v in said.items()} for said in SAID]
            assert got == want, f"{kind}, imported again: {got}"
        print("JSONL and CVAT, imported again: the same attributes")

    def polygons(self) -> None:
        """Outlines of one ring: what Ultralytics has a form for."""
        given = drawn_set(self.work / "rings")
        ring = lambda a: isinstance(a["segmentation"], list) and len(a["segmentation"]) == 1
        given["annotations"] = [a for a in given["annotations"] if ring(a)]
        (self.work / "rings.json").write_text(json.dumps(given))
        self.server.cli("projects", "create", "--name", RINGS, "--task", "segmentation")
        self.server.cli("import", "--project", RINGS, "--format", "coco", self.work / "rings", self.work / "rings.json")
        (self.work / "ring").mkdir()
        self.server.cli("export", "--project", RINGS, "--out", self.work / "ring/all.json")
        check_ultralytics(self.export(RINGS, "yolo"), self.work / "ring/all.json", segments=True)

    def camvid(self, folder: Path) -> None:
        given = camvid_set(folder, self.work / "camvid")
        (self.work / "camvid.json").write_text(json.dumps(given))
        self.server.cli("projects", "create", "--name", CAMVID, "--task", "semantic")
        self.server.cli("import", "--project", CAMVID, "--format", "coco", self.work / "camvid", self.work / "camvid.json")
        truth = {f.stem: np.asarray(Image.open(f)) for f in sorted((folder / "trainannot").glob("*.png"))}
        number = lambda name: int(name.removeprefix("class "))

        def panoptic(project: str) -> None:
            out = self.export(project, "coco_panoptic")
            data = json.loads((out / "annotations/panoptic_default.json").read_text())
            names, images = ({e["id"]: e for e in data[k]} for k in ("categories", "images"))
            for annotation in data["annotations"]:
                rgb = np.asarray(Image.open(out / "annotations/panoptic_default" / annotation["file_name"])).astype(np.uint32)
                ids = rgb[..., 0] + 256 * rgb[..., 1] + 65536 * rgb[..., 2]
                seen = np.full(ids.shape, 255, np.uint8)
                for s in annotation["segments_info"]:
                    seen[ids == s["id"]] = number(names[s["category_id"]]["name"])
                assert (seen == truth[Path(images[annotation["image_id"]]["file_name"]).stem]).all()
            assert len(data["annotations"]) == len(truth)
            if self.panopticapi:
                check_pq(out, self.panopticapi)

        def png(project: str) -> None:
            out = self.export(project, "png")
            table = [line.split(":")[0] for line in (out / "labelmap.txt").read_text().splitlines() if not line.startswith("#")]
            classes = np.array([255 if name == "background" else number(name) for name in table], np.uint8)
            files = list((out / "SegmentationClass").rglob("*.png"))
            assert len(files) == len(truth)
            for file in files:
                assert (classes[np.asarray(Image.open(file))] == truth[file.stem]).all(), file

        pixels = sum(t.size for t in truth.values())
        for kind, check in [("coco_panoptic", panoptic), ("png", png)]:
            check(CAMVID)
            self.around(CAMVID, kind, "semantic")
            check(f"{CAMVID} {kind}")
            print(f"CamVid as {kind}: {len(truth)} frames, {pixels} of {pixels} pixels equal, also when imported again")

    def outlines(self) -> None:
        given = drawn_set(self.work / "pictures")
        (self.work / "given.json").write_text(json.dumps(given))
        self.server.cli("projects", "create", "--name", OUTLINES, "--task", "segmentation")
        self.server.cli("import", "--project", OUTLINES, "--format", "coco", self.work / "pictures", self.work / "given.json")
        self.server.cli("export", "--project", OUTLINES, "--out", self.work / "outlines.json")
        truth = Set(self.work / "outlines.json")
        want = truth.masks()
        for kind, own in [("cvat", cvat_masks), ("labelme", labelme_masks), ("label_studio", label_studio_masks)]:
            same_masks(own(self.export(OUTLINES, kind)), want, f"{kind}, by its own rules")
        for kind in PIXEL_FORMATS:
            self.export(OUTLINES, kind)
            same_masks(self.around(OUTLINES, kind, "segmentation").masks(), want, f"{kind}, imported again")
        folder = self.export(OUTLINES, "coco_panoptic")
        check_panoptic(folder, truth)
        if self.panopticapi:
            check_pq(folder, self.panopticapi)
        check_png(self.export(OUTLINES, "png"), truth)
        for kind in ("coco_panoptic", "png"):
            names = sorted({c for objects in want.values() for c, _ in objects})
            for name, objects in self.around(OUTLINES, kind, "segmentation").masks().items():
                shape = objects[0][1].shape
                assert (flat(objects, names, shape) == flat(want[name], names, shape)).all(), f"{kind}: {name}"
            print(f"{kind}, imported again: every pixel equal")
        lines = check_yolo(self.export(OUTLINES, "yolo"), segments=True)
        assert lines == sum(map(len, want.values()))
        self.export(OUTLINES, "coco_azureml")
        for kind in ("yolo", "coco_azureml"):
            got = self.around(OUTLINES, kind, "segmentation").masks()
            count = {k: Counter(c for c, _ in v) for k, v in got.items()}
            assert count == {k: Counter(c for c, _ in v) for k, v in want.items()}, kind
            # What has no holes keeps its pixels but for those whose middle lies on the border.
            for name, objects in want.items():
                for (_, a), (_, b) in zip(objects[:2], got[name][:2]):
                    assert (a ^ b).sum() <= 0.02 * a.sum() + 4, f"{kind}: {name}"
            print(f"{kind}, imported again: {lines} outlines")


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--limn", type=Path, required=True)
    parser.add_argument("--database-url")
    parser.add_argument("--camvid", type=Path)
    parser.add_argument("--panopticapi", type=Path)
    args = parser.parse_args()
    work = Path(tempfile.mkdtemp(prefix="limn-formats-"))
    server = Server(args.limn.resolve(), work, args.database_url)
    try:
        journey = Journey(server, work, args.panopticapi)
        if args.camvid:
            journey.camvid(args.camvid.resolve())
        else:
            journey.boxes()
            journey.polygons()
            journey.attributes()
            journey.outlines()
        print("all peers agree")
    finally:
        server.stop()
        shutil.rmtree(work, ignore_errors=True)


if __name__ == "__main__":
    main()
