"""COCO's own sample files (boxes, masks, keypoints, captions) go through a running Limn, and the official evaluator says the same.

Usage: samples_journey.py --limn PROGRAM [--database-url URL] --coco FOLDER

FOLDER holds the result files of COCO's evaluation code (`*_fakebbox100_results.json` and its siblings). They are detections, so the
ground truth is made of them: each sample is a label, and what is evaluated against it are the same samples, moved and dropped at
random so that the figures are no round ones. Checks: COCOeval gives every figure the same to the last digit whether the ground truth is
the file that went in or the one that Limn exports; every caption comes back.
"""

import argparse
import contextlib
import io
import json
import random
import tempfile
from pathlib import Path

from coco_journey import Server
from keypoints_journey import NAMES, SKELETON
from PIL import Image
from pycocotools import mask as masks
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

KINDS = {
    "bbox": ("instances_val2014_fakebbox100_results.json", "detection"),
    "segm": ("instances_val2014_fakesegm100_results.json", "segmentation"),
    "keypoints": ("person_keypoints_val2014_fakekeypoints100_results.json", "keypoints"),
}


def bounds(sample: dict) -> list[float]:
    if "bbox" in sample:
        return sample["bbox"]
    if "segmentation" in sample:
        return [float(v) for v in masks.toBbox(sample["segmentation"])]
    xs = [x for x, v in zip(sample["keypoints"][::3], sample["keypoints"][2::3]) if v]
    ys = [y for y, v in zip(sample["keypoints"][1::3], sample["keypoints"][2::3]) if v]
    return [min(xs), min(ys), max(max(xs) - min(xs), 1), max(max(ys) - min(ys), 1)]


def usable(sample: dict, sizes: dict) -> bool:
    """Whether it marks something: some samples have masks of no pixel, or figures without a labeled point."""
    if "keypoints" in sample:
        return any(sample["keypoints"][2::3])
    if "segmentation" in sample:
        return masks.area(sample["segmentation"]) > 0
    return True


def truth_of(samples: list[dict], sizes: dict) -> dict:
    images, annotations = {}, []
    for sample in samples:
        number = sample["image_id"]
        box = bounds(sample)
        width, height = sizes.setdefault(number, [640, 640])
        if "bbox" in sample:  # a box of the samples may reach over the edge by a fraction of a pixel
            x0, y0 = max(box[0], 0), max(box[1], 0)
            box = [x0, y0, min(box[0] + box[2], width) - x0, min(box[1] + box[3], height) - y0]
        images[number] = {"id": number, "file_name": f"{number:012}.png", "width": width, "height": height}
        area = masks.area(sample["segmentation"]) if "segmentation" in sample else box[2] * box[3]
        record = {"id": len(annotations) + 1, "image_id": number, "category_id": sample["category_id"], "iscrowd": 0}
        record |= {"bbox": box, "area": float(area)}
        record |= {k: sample[k] for k in ("segmentation", "keypoints") if k in sample}
        if "keypoints" in sample:
            # A point that is not labeled has no place; COCO writes zeros.
            points = sample["keypoints"]
            triples = [[x, y, v] if v else [0, 0, 0] for x, y, v in zip(points[::3], points[1::3], points[2::3])]
            record["keypoints"] = [v for t in triples for v in t]
            record["num_keypoints"] = sum(v > 0 for v in points[2::3])
        annotations.append(record)
    categories = [{"id": n, "name": f"category {n}"} for n in sorted({s["category_id"] for s in samples})]
    for category in categories if "keypoints" in samples[0] else []:
        category |= {"keypoints": NAMES, "skeleton": SKELETON}
    return {"images": list(images.values()), "annotations": annotations, "categories": categories}


def detections(truth: dict, kind: str) -> list[dict]:
    rng = random.Random(3)
    found = []
    for a in truth["annotations"]:
        if rng.random() < 0.15:
            continue
        one = {"image_id": a["image_id"], "category_id": a["category_id"], "score": round(rng.random(), 4)}
        dx, dy = rng.gauss(0, 0.06) * a["bbox"][2], rng.gauss(0, 0.06) * a["bbox"][3]
        if kind == "bbox":
            one["bbox"] = [a["bbox"][0] + dx, a["bbox"][1] + dy, a["bbox"][2], a["bbox"][3]]
        elif kind == "segm":
            grid = masks.decode(a["segmentation"])
            grid = __import__("numpy").roll(grid, (round(dy), round(dx)), (0, 1))
            one["segmentation"] = masks.encode(__import__("numpy").asfortranarray(grid))
        else:
            one["keypoints"] = [v + (dx, dy, 0)[n % 3] for n, v in enumerate(a["keypoints"])]
        found.append(one)
    return found


def figures(truth: dict, found: list[dict], kind: str) -> list[float]:
    with contextlib.redirect_stdout(io.StringIO()):
        coco = COCO()
        coco.dataset = json.loads(json.dumps(truth))
        coco.createIndex()
        evaluation = COCOeval(coco, coco.loadRes([dict(f) for f in found]), kind)
        evaluation.evaluate()
        evaluation.accumulate()
        evaluation.summarize()
    return [float(v) for v in evaluation.stats]


def matched(exported: dict, given: dict) -> dict:
    """The exported file under the ids of the given one: images by file name, categories by name."""
    image = {i["file_name"]: i["id"] for i in given["images"]}
    category = {c["name"]: c["id"] for c in given["categories"]}
    images = {i["id"]: image[i["file_name"]] for i in exported["images"]}
    categories = {c["id"]: category[c["name"]] for c in exported["categories"]}
    annotations = [
        a | {"image_id": images[a["image_id"]], "category_id": categories[a["category_id"]]} for a in exported["annotations"]
    ]
    return given | {"annotations": annotations}


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--limn", type=Path, required=True)
    parser.add_argument("--database-url")
    parser.add_argument("--coco", type=Path, required=True)
    args = parser.parse_args()
    work = Path(tempfile.mkdtemp(prefix="limn-samples-"))
    read = lambda name: json.loads((args.coco / name).read_text())
    sizes = {s["image_id"]: s["segmentation"]["size"][::-1] for s in read(KINDS["segm"][0])}
    server = Server(args.limn.resolve(), work, args.database_url)
    try:
        for kind, (name, task) in KINDS.items():
            samples = [s for s in read(name) if usable(s, sizes)]
            own = {k: list(v) for k, v in sizes.items()}
            for s in samples if kind == "keypoints" else []:
                size = own.setdefault(s["image_id"], [0, 0])
                x, y, w, h = bounds(s)
                own[s["image_id"]] = [max(size[0], int(x + w) + 2), max(size[1], int(y + h) + 2)]
            given = truth_of(samples, own)
            pictures = work / kind
            pictures.mkdir()
            for i in given["images"]:
                Image.new("L", (i["width"], i["height"]), i["id"] % 256).save(pictures / i["file_name"])
            file, out = work / f"{kind}.json", work / f"{kind}-out.json"
            file.write_text(json.dumps(given))
            server.cli("projects", "create", "--name", kind, "--task", task)
            server.cli("import", "--project", kind, "--format", "coco", pictures, file)
            server.cli("export", "--project", kind, "--out", out)
            exported = json.loads(out.read_text())
            assert len(exported["annotations"]) == len(given["annotations"]), (
                f"{kind}: {len(exported['annotations'])} of {len(given['annotations'])}"
            )
            found = detections(given, kind)
            was, now = figures(given, found, kind), figures(matched(exported, given), found, kind)
            assert was == now, f"{kind}: {was}\n{now}"
            assert 0.05 < was[0] < 0.95, f"the figures say nothing: {was}"
            print(f"{kind}: {len(found)} detections against {len(given['annotations'])} samples, all {len(was)} figures equal, AP {was[0]:.6f}")

        captions = read("captions_val2014_fakecap_results.json")[:200]
        pictures = work / "captions"
        pictures.mkdir()
        images = [{"id": c["image_id"], "file_name": f"{c['image_id']}.png", "width": 8, "height": 8} for c in captions]
        for i in images:
            Image.new("L", (8, 8), i["id"] % 256).save(pictures / i["file_name"])
        annotations = [c | {"id": n} for n, c in enumerate(captions, 1)]
        file = work / "captions.json"
        file.write_text(json.dumps({"images": images, "annotations": annotations}))
        server.cli("projects", "create", "--name", "captions", "--task", "classification")
        server.cli("import", "--project", "captions", "--format", "coco", pictures, file)
        server.cli("export", "--project", "captions", "--format", "coco_captions", "--out", work / "captions.zip")
        import zipfile

        exported = work / "captions-out.json"
        exported.write_bytes(zipfile.ZipFile(work / "captions.zip").read("annotations/captions_default.json"))
        with contextlib.redirect_stdout(io.StringIO()):
            coco = COCO(str(exported))
        names = {i["id"]: i["file_name"] for i in coco.dataset["images"]}
        back = sorted((names[a["image_id"]], a["caption"]) for a in coco.dataset["annotations"])
        assert back == sorted((f"{c['image_id']}.png", c["caption"].strip()) for c in captions), "captions came back changed"
        print(f"captions: {len(back)} come back")
    finally:
        server.stop()


if __name__ == "__main__":
    main()
