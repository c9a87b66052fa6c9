"""Outlines go into a running Limn as a COCO file and come out as one that says the same, pixel by pixel.

Usage: outlines_journey.py --limn PROGRAM [--database-url URL] [--camvid FOLDER]

Without FOLDER the script draws a set of its own: polygons of one and of several parts, masks with holes, compressed and not, on
pictures of which some are rotated by EXIF. FOLDER holds train/ (pictures) and trainannot/ (a class index per pixel): every class of
a picture becomes a mask, and the classes put together from the export must be the original, every pixel.

Checks, with pycocotools: each mask comes back with equal pixels, each polygon with equal corners; `area` is what pycocotools counts;
COCOeval of the file against itself (segm) gives AP exactly 1.0; two exports are byte for byte the same; the export imported into
another project gives the same annotations. torchvision and datumaro load every annotation.
"""

import argparse
import contextlib
import io
import json
import random
import tempfile
import zipfile
from pathlib import Path

import numpy as np
from coco_journey import Server, check_torchvision
from PIL import Image
from pycocotools import mask as masks
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

PROJECT, AGAIN = "Outlines", "Outlines again"


def rle(pixels: np.ndarray) -> dict:
    """COCO's compressed run lengths of a picture of booleans."""
    encoded = masks.encode(np.asfortranarray(pixels.astype(np.uint8)))
    return {"size": [int(n) for n in encoded["size"]], "counts": encoded["counts"].decode()}


def runs(pixels: np.ndarray) -> dict:
    """Run lengths that are not compressed."""
    flat = pixels.astype(np.uint8).flatten(order="F")
    edges = np.flatnonzero(np.diff(flat)) + 1
    ends = np.concatenate(([0], edges, [flat.size]))
    counts = [int(n) for n in np.diff(ends)]
    return {"size": [int(n) for n in pixels.shape], "counts": [0, *counts] if flat[0] else counts}


def blob(rng: random.Random, width: int, height: int, x0: float, x1: float) -> list[float]:
    """A star-shaped polygon between two columns; its sides never cross."""
    cx, cy = (x0 + x1) / 2, height / 2 + rng.uniform(-0.1, 0.1) * height
    corners, n = [], rng.randint(3, 24)
    for i in range(n):
        angle, far = 2 * np.pi * (i + rng.uniform(0, 0.6)) / n, rng.uniform(0.4, 1)
        corners += [
            round(float(cx + np.cos(angle) * far * 0.49 * (x1 - x0)), 2),
            round(float(cy + np.sin(angle) * far * 0.38 * height), 2),
        ]
    return corners


def drawn_set(folder: Path, count: int = 24) -> dict:
    rng, noise = random.Random(11), np.random.default_rng(11)
    folder.mkdir(parents=True)
    data = {"images": [], "annotations": [], "categories": [{"id": 3, "name": "leaf"}, {"id": 9, "name": "ring"}]}
    for n in range(count):
        width, height = rng.randint(48, 400), rng.randint(48, 300)
        shown = (width, height)
        picture = Image.effect_noise(shown if n % 6 != 5 else (height, width), 60).convert("RGB")
        exif = picture.getexif()
        if n % 6 == 5:
            exif[0x0112] = 6
        name = f"picture {n}.jpg"
        picture.save(folder / name, exif=exif)
        data["images"].append({"id": n + 40, "file_name": name, "width": width, "height": height})
        shapes: list = [
            [blob(rng, width, height, 0, width)],
            [blob(rng, width, height, 0, width / 2 - 1), blob(rng, width, height, width / 2 + 1, width)],
        ]
        yy, xx = np.mgrid[:height, :width]
        away = np.hypot(xx - width / 2, yy - height / 2)
        ring = (away < height * 0.45) & (away > height * rng.uniform(0.1, 0.3))
        shapes += [rle(ring), runs(ring & (noise.random((height, width)) < 0.7))]
        for shape in shapes:
            data["annotations"].append(
                {"id": len(data["annotations"]), "image_id": n + 40, "category_id": rng.choice([3, 9]), "segmentation": shape, "iscrowd": 0}
            )
    return data


def camvid_set(folder: Path, pictures: Path) -> dict:
    data = {"images": [], "annotations": [], "categories": [{"id": n + 1, "name": f"class {n}"} for n in range(12)]}
    pictures.mkdir(parents=True)
    for n, file in enumerate(sorted((folder / "train").glob("*.png"))):
        (pictures / file.name).write_bytes(file.read_bytes())
        classes = np.asarray(Image.open(folder / "trainannot" / file.name))
        height, width = classes.shape
        data["images"].append({"id": n + 1, "file_name": file.name, "width": width, "height": height})
        for value in np.unique(classes):
            shape = rle(classes == value)
            data["annotations"].append(
                {"id": len(data["annotations"]) + 1, "image_id": n + 1, "category_id": int(value) + 1, "segmentation": shape, "iscrowd": 0}
            )
    return data


def check_camvid(coco: COCO, folder: Path) -> None:
    pixels = 0
    for image in coco.imgs.values():
        classes = np.full((image["height"], image["width"]), 255, np.uint8)
        for a in coco.imgToAnns[image["id"]]:
            classes[coco.annToMask(a) > 0] = int(coco.cats[a["category_id"]]["name"].removeprefix("class "))
        truth = np.asarray(Image.open(folder / "trainannot" / Path(image["file_name"]).name))
        assert (classes == truth).all(), f"{image['file_name']}: {(classes != truth).sum()} pixels differ"
        pixels += truth.size
    print(f"CamVid: {len(coco.imgs)} frames put together from the export, {pixels} of {pixels} pixels equal")


def pixels_of(shape: list | dict, height: int, width: int) -> np.ndarray:
    if isinstance(shape, list):
        return masks.decode(masks.merge(masks.frPyObjects(shape, height, width)))
    if isinstance(shape["counts"], list):
        return masks.decode(masks.frPyObjects(shape, height, width))
    return masks.decode(shape)


def check_same(given: dict, coco: COCO) -> None:
    images = {Path(i["file_name"]).name: i for i in coco.imgs.values()}
    names = {c["id"]: c["name"] for c in given["categories"]}
    corners = same = 0
    for image in given["images"]:
        got = list(coco.imgToAnns[images[image["file_name"]]["id"]])
        for a in (a for a in given["annotations"] if a["image_id"] == image["id"]):
            want = pixels_of(a["segmentation"], image["height"], image["width"])
            found = next(
                (g for g in got if coco.cats[g["category_id"]]["name"] == names[a["category_id"]] and (coco.annToMask(g) == want).all()), None
            )
            assert found, f"{image['file_name']}: annotation {a['id']} is not in the export"
            got.remove(found)
            same += 1
            if isinstance(a["segmentation"], list):
                assert sorted(found["segmentation"]) == sorted(a["segmentation"]), f"{found['segmentation']} is not {a['segmentation']}"
                corners += sum(len(p) // 2 for p in a["segmentation"])
            area = int(masks.area(coco.annToRLE(found)))
            assert found["area"] == area, f"annotation {found['id']}: area {found['area']}, pycocotools says {area}"
        assert not got, f"{image['file_name']}: {len(got)} annotations nobody gave"
    print(f"outlines: {same} of {len(given['annotations'])} come back with equal pixels, {corners} corners to the last digit, every area pycocotools'")


def check_eval(coco: COCO) -> None:
    with contextlib.redirect_stdout(io.StringIO()) as talk:
        detections = [
            {"image_id": a["image_id"], "category_id": a["category_id"], "segmentation": coco.annToRLE(a), "score": 1.0}
            for a in coco.dataset["annotations"]
        ]
        evaluation = COCOeval(coco, coco.loadRes(detections), "segm")
        evaluation.params.maxDets = [1, 10, max(100, len(detections))]
        evaluation.evaluate()
        evaluation.accumulate()
    precision = evaluation.eval["precision"][:, :, :, 0, -1]
    scores = precision[precision > -1]
    assert scores.size and float(scores.min()) > 1 - 1e-12, f"AP is {scores.mean() if scores.size else None}\n{talk.getvalue()}"
    print(f"pycocotools: {len(coco.anns)} outlines, COCOeval (segm) against itself AP = {scores.mean():.12f}")


def check_datumaro(folder: Path, coco: COCO) -> None:
    from datumaro.components.dataset import Dataset

    # A polygon of several parts is several of its annotations, and a mask comes with its box: one group each.
    dataset = Dataset.import_from(str(folder), "coco_instances")
    groups = {(item.id, a.group) for item in dataset for a in item.annotations}
    assert len(dataset) == len(coco.imgs) and len(groups) == len(coco.anns), f"datumaro: {len(dataset)} items, {len(groups)} objects"
    print(f"datumaro: {len(dataset)} items, {len(groups)} objects")


def load(file: Path) -> COCO:
    with contextlib.redirect_stdout(io.StringIO()):
        return COCO(str(file))


def outlines(coco: COCO) -> list:
    """What the annotations say, without the ids of the file."""
    names = {i["id"]: i["file_name"] for i in coco.imgs.values()}
    said = [
        (names[a["image_id"]], coco.cats[a["category_id"]]["name"], json.dumps(a["segmentation"]), a["area"], a["bbox"])
        for a in coco.dataset["annotations"]
    ]
    return sorted(said, key=str)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--limn", type=Path, required=True)
    parser.add_argument("--database-url")
    parser.add_argument("--camvid", type=Path)
    args = parser.parse_args()
    work = Path(tempfile.mkdtemp(prefix="limn-outlines-"))
    server = Server(args.limn.resolve(), work, args.database_url)
    try:
        pictures = work / "pictures"
        given = camvid_set(args.camvid, pictures) if args.camvid else drawn_set(pictures)
        file = work / "given.json"
        file.write_text(json.dumps(given))
        for project in (PROJECT, AGAIN):
            server.cli("projects", "create", "--name", project, "--task", "segmentation")
        server.cli("import", "--project", PROJECT, "--format", "coco", pictures, file)
        first, second, third = (work / f"{n}.json" for n in ("one", "two", "three"))
        for out in (first, second):
            server.cli("export", "--project", PROJECT, "--out", out)
        assert first.read_bytes() == second.read_bytes(), "two exports differ"
        coco = load(first)
        check_same(given, coco)
        check_eval(coco)
        if args.camvid:
            check_camvid(coco, args.camvid)
        archive = work / "data"
        server.cli("export", "--project", PROJECT, "--with-images", "--out", work / "data.zip")
        zipfile.ZipFile(work / "data.zip").extractall(archive)
        check_torchvision(archive / "annotations" / "instances_default.json", archive / "images")
        check_datumaro(archive, coco)
        server.cli("import", "--project", AGAIN, "--format", "coco", work / "data.zip")
        server.cli("export", "--project", AGAIN, "--out", third)
        assert outlines(load(third)) == outlines(load(first)), "the export imported again says something else"
        print("imported again: the same annotations")
    finally:
        server.stop()


if __name__ == "__main__":
    main()
