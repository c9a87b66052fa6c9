"""MobileSAM, exported by samexporter, finds objects by clicks in a running Limn: the same pixels as onnxruntime finds.

Usage: segment_journey.py --limn PROGRAM [--database-url URL]

Needs torch, timm, onnx, onnxruntime and, without what they depend on, samexporter and segment-anything-py. Weights are drawn by chance. Checks, for the encoder that
takes colours and the one that takes normalised numbers: clicks, clicks beside, a box, and both, on a picture that fills the encoder's square and on one
that does not. Of pixels whose sign the two may round differently there are few: each mask's IoU with onnxruntime's is at least 0.995, on the smaller
picture, which the two enlarge each in its own way, 0.97.
"""

import argparse
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy
import requests
import torch
from coco_journey import Server
from PIL import Image, ImageDraw, ImageFilter

SIDE = 1024
MEAN = numpy.array([123.675, 116.28, 103.53], dtype=numpy.float32)
DEVIATION = numpy.array([58.395, 57.12, 57.375], dtype=numpy.float32)
# Clicks as x, y in shares of the picture and whether they are on the object; a box.
ASKED = [
    ([(0.4, 0.4, True)], None),
    ([(0.4, 0.4, True), (0.1, 0.15, False)], None),
    ([(0.4, 0.4, True), (0.6, 0.5, True), (0.9, 0.9, False)], None),
    ([], (0.2, 0.1, 0.7, 0.8)),
    ([(0.3, 0.3, False)], (0.2, 0.1, 0.7, 0.8)),
]


def exported(work: Path) -> tuple[list[Path], Path]:
    """Both encoders, and the decoder."""
    from samexporter.mobile_encoder.setup_mobile_sam import setup_model

    torch.manual_seed(3)
    net = setup_model()
    for part in net.modules():
        if isinstance(part, torch.nn.BatchNorm2d):
            part.running_mean.normal_(0, 0.1)
            part.running_var.uniform_(0.7, 1.3)
            part.weight.data.uniform_(0.7, 1.3)
            part.bias.data.normal_(0, 0.1)
    torch.save(net.state_dict(), work / "sam.pt")

    def export(part: str, name: str, *more: str) -> Path:
        command = [sys.executable, "-m", f"samexporter.export_{part}", "--checkpoint", "sam.pt", "--model-type", "mobile", "--output", name, *more]
        subprocess.run(command, cwd=work, check=True, capture_output=True)
        return work / name

    encoders = [export("encoder", "colours/encoder.onnx", "--use-preprocess"), export("encoder", "numbers/encoder.onnx")]
    return encoders, export("decoder", "decoder.onnx")


def picture(width: int, height: int) -> Image.Image:
    drawn = Image.effect_noise((width, height), 40).convert("RGB").filter(ImageFilter.GaussianBlur(2))
    draw = ImageDraw.Draw(drawn)
    draw.ellipse([width * 0.2, height * 0.2, width * 0.6, height * 0.7], fill=(190, 80, 60))
    draw.rectangle([width * 0.55, height * 0.5, width * 0.9, height * 0.85], fill=(60, 120, 180))
    return drawn.filter(ImageFilter.GaussianBlur(1))


def unpacked(mask: dict | None, width: int, height: int) -> numpy.ndarray:
    whole = numpy.zeros((height, width), dtype=bool)
    if mask:
        from pycocotools import mask as coco

        window = coco.decode({"size": [mask["height"], mask["width"]], "counts": mask["counts"].encode()})
        whole[mask["y"] : mask["y"] + mask["height"], mask["x"] : mask["x"] + mask["width"]] = window
    return whole


class Beside:
    """What onnxruntime makes of the same files."""

    def __init__(self, encoder: Path, decoder: Path):
        import onnxruntime

        self.encoder = onnxruntime.InferenceSession(str(encoder))
        self.decoder = onnxruntime.InferenceSession(str(decoder))

    def look(self, image: Image.Image) -> None:
        self.scale = SIDE / max(image.size)
        size = tuple(round(n * self.scale) for n in image.size)
        self.size = image.size
        values = numpy.asarray(image.resize(size, Image.BILINEAR), dtype=numpy.float32)
        if len(self.encoder.get_inputs()[0].shape) == 4:
            padded = numpy.zeros((1, 3, SIDE, SIDE), dtype=numpy.float32)
            padded[0, :, : size[1], : size[0]] = ((values - MEAN) / DEVIATION).transpose(2, 0, 1)
            values = padded
        self.seen = self.encoder.run(None, {"input_image": values})[0]

    def find(self, clicks: list, frame: tuple | None) -> numpy.ndarray:
        width, height = self.size
        points = [((x * width, y * height), 1.0 if on else 0.0) for x, y, on in clicks]
        if frame:
            points += [((frame[0] * width, frame[1] * height), 2.0), ((frame[2] * width, frame[3] * height), 3.0)]
        else:
            points.append(((0, 0), -1.0))
        _, scores, low = self.decoder.run(
            None,
            {
                "image_embeddings": self.seen,
                "point_coords": numpy.array([[p for p, _ in points]], dtype=numpy.float32) * numpy.float32(self.scale),
                "point_labels": numpy.array([[l for _, l in points]], dtype=numpy.float32),
                "mask_input": numpy.zeros((1, 1, SIDE // 4, SIDE // 4), dtype=numpy.float32),
                "has_mask_input": numpy.zeros(1, dtype=numpy.float32),
                "orig_im_size": numpy.array([height, width], dtype=numpy.float32),
            },
        )
        best = 0 if len(points) > 2 else 1 + int(scores[0, 1:].argmax())
        # As SAM enlarges its masks: to the square, without the rest, to the picture.
        square = torch.nn.functional.interpolate(torch.tensor(low[:, best : best + 1]), (SIDE, SIDE), mode="bilinear", align_corners=False)
        part = square[..., : round(height * self.scale), : round(width * self.scale)]
        return (torch.nn.functional.interpolate(part, (height, width), mode="bilinear", align_corners=False)[0, 0] > 0).numpy()


def main() -> None:
    args = argparse.ArgumentParser()
    args.add_argument("--limn", type=Path, required=True)
    args.add_argument("--database-url")
    args, _ = args.parse_known_args()
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder)
        encoders, decoder = exported(work)
        server = Server(args.limn, work, args.database_url)
        headers = {"Authorization": f"Bearer {server.token}"}
        project = server.post("/api/v1/projects", {"name": "Clicks", "task": "segmentation", "categories": [{"name": "thing"}]})["id"]
        pictures = {"whole.png": (picture(1024, 768), 0.995), "part.png": (picture(640, 426), 0.97)}
        for name, (image, _) in pictures.items():
            image.save(work / name)
            url = f"{server.url}/api/v1/projects/{project}/items?name={name}"
            requests.post(url, data=(work / name).read_bytes(), headers=headers).raise_for_status()
        items = {row["item"]["name"]: row["item"]["id"] for row in server.get(f"/api/v1/projects/{project}/items")["rows"]}
        failed = False
        for n, encoder in enumerate(encoders, 1):
            server.cli("model", "import", "--name", "mobile-sam", encoder, decoder)
            server.cli("assist", "settings", "--project", project, "--segmenter", f"mobile-sam/{n}")
            beside = Beside(encoder, decoder)
            for name, (image, bar) in pictures.items():
                beside.look(image)
                width, height = image.size
                began = time.time()
                worst, times = 1.0, []
                for clicks, frame in ASKED:
                    told = {"clicks": [{"at": {"x": x * width, "y": y * height}, "include": on} for x, y, on in clicks]}
                    if frame:
                        told["frame"] = {"x": frame[0] * width, "y": frame[1] * height, "w": (frame[2] - frame[0]) * width, "h": (frame[3] - frame[1]) * height}
                    ours = unpacked(server.post(f"/api/v1/items/{items[name]}/segment", told)["mask"], width, height)
                    times.append(time.time() - began)
                    began = time.time()
                    theirs = beside.find(clicks, frame)
                    began = time.time()
                    assert 0.02 < theirs.mean() < 0.98, f"the drawn weights say nothing: {theirs.mean()}"
                    worst = min(worst, (ours & theirs).sum() / (ours | theirs).sum())
                print(f"{encoder.parent.name}, {name}: worst IoU {worst:.4f}; first answer {times[0]:.1f} s, then {max(times[1:]) * 1000:.0f} ms at most")
                failed |= worst < bar
        server.stop()
        sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
