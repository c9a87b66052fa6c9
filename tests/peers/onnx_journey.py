"""torchvision's networks as ONNX in Limn: the same descriptions as onnxruntime gives, and how long they take.

    cargo build --release -p limn-ml --example onnx
    python tests/peers/onnx_journey.py target/release/examples/onnx

Needs torch, torchvision, onnx and onnxruntime. Weights are drawn by chance, with statistics that are not those of a new network. Exits with 1 when a
number of a description is further than 1e-4 from onnxruntime's.
"""

import json
import os
import subprocess
import sys
import tempfile
import time

import numpy
import onnxruntime
import torch
import torchvision

MEAN = numpy.array([0.485, 0.456, 0.406], dtype=numpy.float32)
DEVIATION = numpy.array([0.229, 0.224, 0.225], dtype=numpy.float32)
# A description's length.
LENGTH = 4.0


class Before(torch.nn.Module):
    """A network up to its map of features."""

    def __init__(self, net):
        super().__init__()
        self.parts = torch.nn.Sequential(*list(net.children())[:-2])

    def forward(self, x):
        return self.parts(x)


class Last(torch.nn.Module):
    """A network that takes its channels last."""

    def __init__(self, net):
        super().__init__()
        self.net = net

    def forward(self, x):
        return self.net(x.permute(0, 3, 1, 2))


def by_chance(net):
    for part in net.modules():
        if isinstance(part, torch.nn.BatchNorm2d):
            part.running_mean.normal_(0, 0.2)
            part.running_var.uniform_(0.5, 1.5)
            part.weight.data.uniform_(0.5, 1.5)
            part.bias.data.normal_(0, 0.1)
    return net.eval()


def networks():
    r18 = by_chance(torchvision.models.resnet18(weights=None))
    r18.fc = torch.nn.Identity()
    yield "resnet18", r18, (1, 3, 224, 224), True
    yield "resnet18, one picture", r18, (1, 3, 224, 224), False
    yield "resnet18, map", Before(by_chance(torchvision.models.resnet18(weights=None))), (1, 3, 160, 160), True
    yield "resnet18, channels last", Last(r18), (1, 224, 224, 3), False
    mobile = by_chance(torchvision.models.mobilenet_v3_small(weights=None))
    mobile.classifier = torch.nn.Identity()
    yield "mobilenet_v3_small", mobile.eval(), (1, 3, 224, 224), True


def main():
    program = sys.argv[1]
    torch.manual_seed(7)
    worst = 0.0
    print("| network | numbers | largest difference | opened, ms | a picture, ms | onnxruntime, ms |")
    print("|---|---|---|---|---|---|")
    for name, net, shape, open_batch in networks():
        last = shape[3] == 3
        height, width = shape[1:3] if last else shape[2:]
        picture = numpy.random.default_rng(3).integers(0, 256, (height, width, 3), dtype=numpy.uint8)
        x = (picture.astype(numpy.float32) / 255 - MEAN) / DEVIATION
        x = x[None] if last else x.transpose(2, 0, 1)[None]
        with tempfile.TemporaryDirectory() as folder:
            path, given = os.path.join(folder, "net.onnx"), os.path.join(folder, "rgb")
            torch.onnx.export(
                net,
                torch.zeros(shape),
                path,
                input_names=["input"],
                output_names=["features"],
                dynamic_axes={"input": {0: "n"}, "features": {0: "n"}} if open_batch else None,
                opset_version=17,
                dynamo=False,
            )
            picture.tofile(given)
            ours = json.loads(subprocess.check_output([program, path, given, str(width), str(height)]))
            session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
            began = time.perf_counter()
            theirs = session.run(None, {"input": numpy.ascontiguousarray(x, dtype=numpy.float32)})[0]
            took = (time.perf_counter() - began) * 1e3
        theirs = theirs[0] if theirs.ndim == 2 else theirs[0].mean(axis=(1, 2))
        theirs = theirs * (LENGTH / numpy.linalg.norm(theirs))
        apart = float(numpy.abs(numpy.array(ours["features"]) - theirs).max())
        worst = max(worst, apart)
        print(
            f"| {name} | {len(theirs)} | {apart:.1e} | {ours['opened_ms']:.0f} | {ours['ms']:.0f} | {took:.0f} |",
            flush=True,
        )
    sys.exit(worst > 1e-4)


if __name__ == "__main__":
    main()
