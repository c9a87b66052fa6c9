"""Keypoints go into a running Limn as a COCO file and come out as one that says the same.

Usage: keypoints_journey.py --limn PROGRAM [--database-url URL]

The script draws persons with COCO's 17 keypoints, some hidden, some not labeled, on pictures of which some are rotated by EXIF.
Checks: every keypoint comes back to the last digit with its visibility; pycocotools' COCOeval of the file against itself (keypoints)
gives AP exactly 1.0; torchvision and datumaro load every person; two exports are byte for byte the same.
"""

import argparse
import contextlib
import io
import json
import random
import shutil
import tempfile
import zipfile
from pathlib import Path

from coco_journey import Server, check_torchvision
from PIL import Image
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

PROJECT = "Keypoints"
NAMES = (
    "nose left_eye right_eye left_ear right_ear left_shoulder right_shoulder left_elbow right_elbow "
    "left_wrist right_wrist left_hip right_hip left_knee right_knee left_ankle right_ankle"
).split()
SKELETON = [[16, 14], [14, 12], [17, 15], [15, 13], [12, 13], [6, 12], [7, 13], [6, 7], [6, 8], [7, 9], [8, 10], [9, 11], [2, 3], [1, 2], [1, 3], [2, 4], [3, 5], [4, 6], [5, 7]]


def draw_set(folder: Path, count: int = 24) -> dict:
    rng = random.Random(11)
    folder.mkdir(parents=True)
    given = {"images": [], "annotations": [], "categories": [{"id": 4, "name": "person", "keypoints": NAMES, "skeleton": SKELETON}]}
    for n in range(count):
        width, height = rng.randint(80, 500), rng.randint(80, 500)
        picture = Image.effect_noise((width, height), 60).convert("RGB")
        exif = picture.getexif()
        if n % 4 == 3:
            exif[0x0112] = 8
        picture.save(folder / f"pose {n}.jpg", exif=exif)
        if n % 4 == 3:
            width, height = height, width
        given["images"].append({"id": n + 7, "file_name": f"pose {n}.jpg", "width": width, "height": height})
        for _ in range(rng.randint(0, 4)):
            keypoints, xs, ys = [], [], []
            for k in range(17):
                v = 2 if k == 0 else rng.choice([0, 1, 2, 2])
                x, y = (round(rng.uniform(0, width), 3), round(rng.uniform(0, height), 3)) if v else (0, 0)
                keypoints += [x, y, v]
                if v:
                    xs.append(x)
                    ys.append(y)
            given["annotations"].append(
                {
                    "id": len(given["annotations"]) + 1,
                    "image_id": n + 7,
                    "category_id": 4,
                    "keypoints": keypoints,
                    "num_keypoints": len(xs),
                    "bbox": [min(xs), min(ys), max(max(xs) - min(xs), 1), max(max(ys) - min(ys), 1)],
                    "area": 1000,
                    "iscrowd": 0,
                }
            )
    return given


def said(file: dict) -> list:
    """Every person as (picture, keypoints)."""
    names = {i["id"]: i["file_name"] for i in file["images"]}
    return sorted((names[a["image_id"]], [float(v) for v in a["keypoints"]]) for a in file["annotations"])


def check_eval(file: Path) -> None:
    with contextlib.redirect_stdout(io.StringIO()) as talk:
        coco = COCO(str(file))
        persons = [
            {"image_id": a["image_id"], "category_id": a["category_id"], "keypoints": a["keypoints"], "score": 1.0}
            for a in coco.dataset["annotations"]
        ]
        evaluation = COCOeval(coco, coco.loadRes(persons), "keypoints")
        evaluation.evaluate()
        evaluation.accumulate()
    precision = evaluation.eval["precision"][:, :, :, 0, -1]
    scores = precision[precision > -1]
    assert scores.size and float(scores.min()) > 1 - 1e-12, f"AP is {scores.mean() if scores.size else None}\n{talk.getvalue()}"
    print(f"pycocotools: {len(coco.anns)} persons, COCOeval (keypoints) against itself AP = {scores.mean():.12f}")


def check_datumaro(file: Path, images: Path, folder: Path, count: int) -> None:
    from datumaro.components.annotation import AnnotationType
    from datumaro.components.dataset import Dataset

    (folder / "annotations").mkdir(parents=True)
    shutil.copy(file, folder / "annotations" / "person_keypoints_default.json")
    shutil.copytree(images, folder / "images" / "default")
    dataset = Dataset.import_from(str(folder), "coco_person_keypoints")
    found = sum(a.type == AnnotationType.points for item in dataset for a in item.annotations)
    assert found == count, f"datumaro: {found} of {count} persons"
    print(f"datumaro: {found} persons")


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--limn", type=Path, required=True)
    parser.add_argument("--database-url")
    args = parser.parse_args()
    work = Path(tempfile.mkdtemp(prefix="limn-keypoints-"))
    server = Server(args.limn.resolve(), work, args.database_url)
    try:
        pictures = work / "pictures"
        given = draw_set(pictures)
        file = work / "given.json"
        file.write_text(json.dumps(given))
        server.cli("projects", "create", "--name", PROJECT, "--task", "keypoints")
        server.cli("import", "--project", PROJECT, "--format", "coco", pictures, file)
        first, second = work / "one.json", work / "two.json"
        for out in (first, second):
            server.cli("export", "--project", PROJECT, "--out", out)
        assert first.read_bytes() == second.read_bytes(), "two exports differ"
        got = json.loads(first.read_text())
        assert said(got) == said(given), "keypoints came back changed"
        assert got["categories"][0]["keypoints"] == NAMES and got["categories"][0]["skeleton"] == SKELETON
        for a in got["annotations"]:
            assert a["num_keypoints"] == sum(v > 0 for v in a["keypoints"][2::3])
        print(f"keypoints: {len(got['annotations'])} persons come back to the last digit")
        check_eval(first)
        server.cli("export", "--project", PROJECT, "--with-images", "--out", work / "data.zip")
        zipfile.ZipFile(work / "data.zip").extractall(work / "data")
        check_torchvision(work / "data" / "annotations" / "instances_default.json", work / "data" / "images")
        check_datumaro(first, work / "data" / "images", work / "datumaro", len(got["annotations"]))
    finally:
        server.stop()


if __name__ == "__main__":
    main()
