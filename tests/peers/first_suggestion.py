"""How soon somebody who draws boxes gets some proposed: pictures of a folder with Pascal VOC's files are labeled over the API as they are labeled there,
twenty of them, and from the twentieth on the time is taken until the first boxes are proposed, and until those of the full training are. Says how many of the
proposed boxes lie right (half or more shared with one of their category in the files).

    python tests/peers/first_suggestion.py --limn target/release/limn --voc FOLDER [--pictures 120]
"""

import argparse
import sys
import tempfile
import time
import uuid
import xml.etree.ElementTree as ET
from pathlib import Path

import coco_journey as base
import requests

LABELS = 20


def boxes_of(file: Path) -> list[tuple[str, dict]]:
    out = []
    for thing in ET.parse(file).getroot().iter("object"):
        at = [float(thing.find("bndbox").find(side).text) for side in ("xmin", "ymin", "xmax", "ymax")]
        if at[2] > at[0] and at[3] > at[1]:
            out.append((thing.find("name").text, {"x": at[0], "y": at[1], "w": at[2] - at[0], "h": at[3] - at[1]}))
    return out


def share(a: dict, b: dict) -> float:
    w = min(a["x"] + a["w"], b["x"] + b["w"]) - max(a["x"], b["x"])
    h = min(a["y"] + a["h"], b["y"] + b["h"]) - max(a["y"], b["y"])
    return w * h / (a["w"] * a["h"] + b["w"] * b["h"] - w * h) if w > 0 and h > 0 else 0.0


class Project:
    def __init__(self, server: "base.Server", folder: Path, pictures: int) -> None:
        self.server = server
        labels = {p.stem: p for p in folder.rglob("*.xml")}
        chosen = sorted(p for p in folder.rglob("*.jp*g") if p.stem in labels)[:pictures]
        self.right = {p.name: boxes_of(labels[p.stem]) for p in chosen}
        names = sorted({name for list_ in self.right.values() for name, _ in list_})
        self.id = server.post(
            "/api/v1/projects",
            {"name": "First", "task": "detection", "categories": [{"name": n, "hotkey": i + 1} for i, n in enumerate(names)]},
        )["id"]
        self.categories = {c["name"]: c["id"] for c in server.get(f"/api/v1/projects/{self.id}/categories")}
        head = {"Authorization": f"Bearer {server.token}"}
        for p in chosen:
            url = f"{server.url}/api/v1/projects/{self.id}/items?name={p.name}"
            requests.post(url, data=p.read_bytes(), headers=head).raise_for_status()
        # Not before the twentieth: what is measured is not to begin with the tenth.
        change = {"enabled": True, "retrain": "schedule", "every": LABELS, "register": False}
        requests.patch(f"{server.url}/api/v1/projects/{self.id}/assist", json=change, headers=head).raise_for_status()

    def assist(self) -> dict:
        return self.server.get(f"/api/v1/projects/{self.id}/assist")

    def label(self, count: int) -> None:
        done = 0
        while done < count:
            for work in self.server.post(f"/api/v1/projects/{self.id}/queue/take", {"count": min(10, count - done)})["items"]:
                item = work["item"]
                drawn = [
                    {"id": str(uuid.uuid4()), "category_id": self.categories[name], "kind": "box", "rect": rect, "z": 0, "source": "human"}
                    for name, rect in self.right[item["name"]]
                ]
                revision = work["annotations"]["revision"]
                change = {"change_id": str(uuid.uuid4()), "base_revision": revision, "upserts": drawn, "removes": [], "active_ms": 9000}
                self.server.post(f"/api/v1/items/{item['id']}/submit", {"revision": revision, "change": change})
                done += 1

    def proposed(self) -> tuple[int, int]:
        """Boxes that are proposed, and those of them that lie right."""
        rows = self.server.get(f"/api/v1/projects/{self.id}/items?status=todo&limit=200")["rows"]
        boxes, right = 0, 0
        for row in rows:
            there = self.right[(row.get("item") or row)["name"]]
            for a in row["annotations"]:
                boxes += 1
                right += any(self.categories[n] == a["category_id"] and share(a["rect"], r) >= 0.5 for n, r in there)
        return boxes, right


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--limn", type=Path, required=True)
    parser.add_argument("--voc", type=Path, required=True)
    parser.add_argument("--pictures", type=int, default=120)
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        server = base.Server(args.limn.resolve(), Path(temporary), None)
        try:
            project = Project(server, args.voc, args.pictures)
            while project.assist()["items"]["seen"] < len(project.right):
                time.sleep(0.5)
            project.label(LABELS)
            began = time.perf_counter()
            seen = 0
            while True:
                now = project.assist()
                version = (now.get("model") or {}).get("version", 0)
                # The first model is there a moment before what it proposes, and so are the proposals of the one before.
                if version > seen and now["items"]["prelabeled"] > 0 and (version == 1 or now["state"] == "ready"):
                    seen = version
                    boxes, right = project.proposed()
                    after = time.perf_counter() - began
                    print(
                        f"model {version}, of {LABELS} pictures: {after:.0f} s after the last label; proposals on {now['items']['prelabeled']} pictures, "
                        f"{right} of {boxes} boxes right ({right / max(1, boxes):.0%})",
                        flush=True,
                    )
                if now["state"] == "failed":
                    sys.exit(now["message"])
                if now["state"] == "ready" and seen >= 2 or time.perf_counter() - began > 900:
                    break
                time.sleep(0.5)
        finally:
            server.stop()
    sys.exit(seen < 2)


if __name__ == "__main__":
    main()
