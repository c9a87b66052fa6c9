"""A sequence of pictures and a video file go into a running Limn; tracks come out as MOTChallenge and CVAT for video, which datumaro reads.

Usage: videos_journey.py --limn PROGRAM [--database-url URL]

Checks. The sequence has its frames in the order people count; the video made by ffmpeg has the times it was made with. datumaro loads
both exports and finds on every frame the boxes that interpolation by hand gives, with their categories, tracks and occlusion. CVAT's own keyframes are ours.
Imported again into another project by the command line both give the same MOT file to a millionth of a pixel.
"""

import argparse
import json
import subprocess
import tempfile
import urllib.request
import uuid
import zipfile
from pathlib import Path

from coco_journey import Server
from PIL import Image

FRAMES = 20
# Track: category, keyframes as frame, left, top, width, height, outside, occluded.
TRACKS = [
    ("cat", [(0, 2.5, 3, 10, 8, 0, 0), (10, 22.5, 8, 14, 8, 0, 0), (15, 22.5, 8, 14, 8, 1, 0)]),
    ("dog", [(4, 40, 30, 12, 10, 0, 0), (9, 40, 30, 12, 10, 0, 1), (12, 46, 30, 12, 10, 0, 0)]),
    ("cat", [(17, 1, 1, 5, 5, 0, 0), (18, 1, 1, 5, 5, 1, 0)]),
]


def call(server: Server, method: str, path: str, body: object = None) -> object:
    request = urllib.request.Request(server.url + path, method=method)
    request.add_header("authorization", f"Bearer {server.token}")
    if body is not None:
        request.add_header("content-type", "application/json")
        request.data = json.dumps(body).encode()
    with urllib.request.urlopen(request) as answer:
        text = answer.read()
    return json.loads(text) if text else None


def boxes() -> dict:
    """By frame: category, box, occluded; worked out by hand."""
    found = {n: [] for n in range(FRAMES)}
    for category, keys in TRACKS:
        for n in range(FRAMES):
            before = [k for k in keys if k[0] <= n]
            if not before or before[-1][5]:
                continue
            a = before[-1]
            after = [k for k in keys if k[0] > n]
            share = (n - a[0]) / (after[0][0] - a[0]) if after else 0.0
            b = after[0] if after else a
            box = tuple(p + (q - p) * share for p, q in zip(a[1:5], b[1:5]))
            found[n].append((category, *box, bool(a[6])))
    return {n: sorted(v) for n, v in found.items() if v}


def close(got: dict, want: dict, what: str) -> None:
    assert {k: len(v) for k, v in got.items() if v} == {k: len(v) for k, v in want.items()}, f"{what}: {got}"
    worst = 0.0
    for n, list_ in want.items():
        for a, b in zip(sorted(got[n]), list_):
            assert (a[0], a[5]) == (b[0], b[5]), f"{what}: frame {n}: {a} is not {b}"
            worst = max(worst, *(abs(p - q) for p, q in zip(a[1:5], b[1:5])))
    # datumaro rounds to hundredths.
    assert worst <= 0.011, f"{what}: {worst} px off"
    print(f"{what}: {sum(map(len, want.values()))} boxes on {len(want)} frames, the worst {worst:.2g} px off")


def datumaro_boxes(folder: Path, kind: str, first: int) -> dict:
    from datumaro.components.annotation import AnnotationType
    from datumaro.components.dataset import Dataset

    dataset = Dataset.import_from(str(folder), kind)
    names = [c.name for c in dataset.categories()[AnnotationType.label]]
    found = {}
    for item in dataset:
        number = item.attributes.get("frame")
        number = int("".join(c for c in item.id.rsplit("/", 1)[-1] if c.isdigit())) - first if number is None else int(number)
        for a in item.annotations:
            if a.attributes.get("outside"):
                continue
            x, y, w, h = a.get_bbox()
            occluded = a.attributes["visibility"] < 0.5 if "visibility" in a.attributes else bool(a.attributes.get("occluded"))
            found.setdefault(number, []).append((names[a.label], x, y, w, h, occluded))
    return found


def export(server: Server, project: str, kind: str, to: Path) -> Path:
    file = to / f"{kind}.zip"
    server.cli("export", "--project", project, "--format", kind, "--with-images", "--out", file)
    with zipfile.ZipFile(file) as archive:
        archive.extractall(to / kind)
    return file


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--limn", type=Path, required=True)
    parser.add_argument("--database-url")
    options, _ = parser.parse_known_args()
    with tempfile.TemporaryDirectory() as name:
        work = Path(name)
        server = Server(options.limn, work, options.database_url)
        try:
            journey(server, work)
        finally:
            server.stop()


def journey(server: Server, work: Path) -> None:
    frames = work / "walk"
    frames.mkdir()
    for n in range(FRAMES):
        Image.new("RGB", (64, 48), (n * 10, 20, 200 - n * 5)).save(frames / f"{n + 1}.png")
    clip = work / "clip.mkv"
    vary = "testsrc=size=64x48:rate=10:duration=2"
    subprocess.run(
        ["ffmpeg", "-nostdin", "-v", "error", "-f", "lavfi", "-i", vary, "-vf", r"select=not(eq(mod(n\,3)\,1))", "-fps_mode", "vfr", clip],
        check=True,
    )
    names = [{"name": n} for n in ("cat", "dog")]
    project = call(server, "POST", "/api/v1/projects", {"name": "Videos", "task": "detection", "categories": names})["id"]
    server.cli("import", "--project", project, "--format", "images", "--sequence", "--rate", "10", frames)
    server.cli("import", "--project", project, "--format", "images", clip)
    items = {r["item"]["name"]: r["item"] for r in call(server, "GET", f"/api/v1/projects/{project}/items")["rows"]}
    assert set(items) == {"walk", "clip.mkv"}, items
    times = call(server, "GET", f"/api/v1/items/{items['clip.mkv']['id']}/frames")["times_us"]
    assert times == [n * 100_000 for n in range(20) if n % 3 != 1], times
    print(f"ffmpeg: {len(times)} frames at their own times")
    ids = {c["name"]: c["id"] for c in call(server, "GET", f"/api/v1/projects/{project}/categories")}
    labels = [
        {
            "id": str(uuid.UUID(int=(1 << 76 | 7 << 76) + n)),
            "category_id": ids[category],
            "kind": "track",
            "keyframes": [
                {"frame": f, "shape": {"kind": "box", "rect": {"x": x, "y": y, "w": w, "h": h}}, "outside": bool(o), "occluded": bool(q)}
                for f, x, y, w, h, o, q in keys
            ],
        }
        for n, (category, keys) in enumerate(TRACKS)
    ]
    change = {"change_id": str(uuid.uuid4()), "base_revision": 0, "upserts": labels}
    call(server, "PUT", f"/api/v1/items/{items['walk']['id']}/annotations", change)
    mot = export(server, project, "mot", work)
    cvat = export(server, project, "cvat_video", work)
    close(datumaro_boxes(work / "mot" / "walk", "mot_seq", 1), boxes(), "MOTChallenge by datumaro")
    close(datumaro_boxes(work / "cvat_video" / "walk", "cvat", 0), boxes(), "CVAT for video by datumaro")
    want = (work / "mot" / "walk" / "gt" / "gt.txt").read_text()
    for kind, file in (("mot", mot), ("cvat", cvat)):
        again = call(server, "POST", "/api/v1/projects", {"name": f"Again {kind}", "task": "detection"})["id"]
        server.cli("import", "--project", again, "--format", kind, "--sequence", "--rate", "10", file)
        to = work / f"again-{kind}"
        to.mkdir()
        export(server, again, "mot", to)
        got = (to / "mot" / "walk" / "gt" / "gt.txt").read_text()
        rows = [[[float(v) for v in line.split(",")] for line in text.split()] for text in (got, want)]
        # Tracks may be numbered in another order.
        rows = [sorted([r[:1] + r[2:] for r in side]) for side in rows]
        assert len(rows[0]) == len(rows[1]), f"{kind}: {len(rows[0])} lines, not {len(rows[1])}"
        worst = max(abs(p - q) for a, b in zip(*rows) for p, q in zip(a, b))
        assert worst < 1e-6, f"{kind}: {worst} px off"
        print(f"{kind}: {len(rows[0])} boxes the same after another import, the worst {worst:.2g} px off")


if __name__ == "__main__":
    main()
