"""torchvision's ResNets in Limn: the same logits, and how long they take beside PyTorch on the same cores.

    python tests/peers/resnet_journey.py target/release/examples/resnet

Needs torch, torchvision and safetensors. Weights are drawn by chance, with statistics that are not those of a new network. Exits with 1 when a
logit is further than 1e-4 from PyTorch's (in proportion, where logits are larger than 10).
"""

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time

import torch
import torchvision
from safetensors.torch import save_file


def timed(what, times):
    took = []
    for _ in range(times):
        began = time.perf_counter()
        what()
        took.append((time.perf_counter() - began) * 1e3)
    return statistics.median(took)


def main():
    program = sys.argv[1]
    torch.manual_seed(7)
    worst = 0.0
    print("| network | pictures | largest difference of a logit | forward, ms | PyTorch | step, ms | PyTorch |")
    print("|---|---|---|---|---|---|---|")
    for name, n, side in [("resnet18", 1, 224), ("resnet18", 16, 224), ("resnet18", 16, 128), ("resnet50", 4, 224)]:
        net = getattr(torchvision.models, name)(weights=None)
        for part in net.modules():
            if isinstance(part, torch.nn.BatchNorm2d):
                part.running_mean.normal_(0, 0.2)
                part.running_var.uniform_(0.5, 1.5)
                part.weight.data.uniform_(0.5, 1.5)
                part.bias.data.normal_(0, 0.1)
        net.eval()
        x = torch.randn(n, 3, side, side)
        with tempfile.TemporaryDirectory() as folder:
            weights, given = os.path.join(folder, "w.safetensors"), os.path.join(folder, "x")
            save_file(net.state_dict(), weights)
            x.numpy().astype("<f4").tofile(given)
            ours = json.loads(subprocess.check_output([program, weights, given, str(side)]))
        with torch.no_grad():
            theirs = net(x).flatten()
            forward = timed(lambda: net(x), 5)
        apart = (torch.tensor(ours["logits"]) - theirs).abs().max().item()
        # Weights by chance make the deepest one's logits thousands; a float has seven digits.
        worst = max(worst, apart / max(1.0, theirs.abs().max().item() / 10))
        net.train()
        optimiser = torch.optim.SGD(net.parameters(), lr=0.01)
        wanted = torch.arange(n) % 1000

        def step():
            optimiser.zero_grad()
            torch.nn.functional.cross_entropy(net(x), wanted).backward()
            optimiser.step()

        stepped = timed(step, 3) if n > 1 else float("nan")
        print(
            f"| {name} | {n} of {side} x {side} | {apart:.1e} of {theirs.abs().max().item():.1f} "
            f"| {ours['forward_ms']:.0f} | {forward:.0f} | {ours['step_ms']:.0f} | {stepped:.0f} |",
            flush=True,
        )
    sys.exit(worst > 1e-4)


if __name__ == "__main__":
    main()
