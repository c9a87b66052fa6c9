"""torchvision's MobileNets and vision transformers in Limn: the same descriptions and logits, and how long they take beside PyTorch on the same cores.

    python tests/peers/backbone_journey.py target/release/examples/backbone

Needs torch, torchvision and safetensors. Weights are drawn by chance, with statistics that are not those of a new network. Exits with 1 when a
number is further than 1e-4 from PyTorch's (in proportion, where numbers are larger than 10).
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

NETWORKS = [
    ("mobilenet_v3_small", {}, 8, 224),
    ("mobilenet_v3_small", {}, 8, 160),
    ("mobilenet_v3_large", {}, 8, 224),
    ("vit_b_16", {}, 2, 224),
    ("vit_b_16", {"image_size": 384}, 1, 384),
    ("vit_b_32", {"num_classes": 7}, 4, 224),
]


def by_chance(net):
    for part in net.modules():
        if isinstance(part, torch.nn.BatchNorm2d):
            part.running_mean.normal_(0, 0.2)
            part.running_var.uniform_(0.5, 1.5)
        if isinstance(part, (torch.nn.BatchNorm2d, torch.nn.LayerNorm)):
            part.weight.data.uniform_(0.5, 1.5)
            part.bias.data.normal_(0, 0.1)
        if isinstance(part, torch.nn.Linear):
            part.weight.data.normal_(0, part.in_features**-0.5)
            part.bias.data.normal_(0, 0.1)
        if isinstance(part, torch.nn.MultiheadAttention):
            part.in_proj_bias.data.normal_(0, 0.1)
    if hasattr(net, "class_token"):
        net.class_token.data.normal_(0, 0.5)
        net.encoder.pos_embedding.data.normal_(0, 0.5)
    return net.eval()


def described(net, x):
    """What the last layer is given; of a MobileNet, the last two."""
    if hasattr(net, "features"):
        return net.avgpool(net.features(x)).flatten(1)
    head, net.heads = net.heads, torch.nn.Identity()
    out = net(x)
    net.heads = head
    return out


def older(state):
    """As the parts of vision transformers were called before torchvision 0.14."""
    return {k.replace(".mlp.0.", ".mlp.linear_1.").replace(".mlp.3.", ".mlp.linear_2."): v for k, v in state.items()}


def main():
    program = sys.argv[1]
    torch.manual_seed(7)
    worst = 0.0
    print("| network | pictures | largest difference | forward, ms | PyTorch |")
    print("|---|---|---|---|---|")
    for name, how, n, side in NETWORKS:
        net = by_chance(getattr(torchvision.models, name)(weights=None, **how))
        x = torch.randn(n, 3, side, side)
        with torch.no_grad():
            wanted = {"features": described(net, x).flatten(), "logits": net(x).flatten()}
            took = []
            for _ in range(5):
                began = time.perf_counter()
                net(x)
                took.append((time.perf_counter() - began) * 1e3)
        with tempfile.TemporaryDirectory() as folder:
            given = os.path.join(folder, "x")
            x.numpy().astype("<f4").tofile(given)
            files = [os.path.join(folder, "w.safetensors"), os.path.join(folder, "w.pth")]
            save_file(net.state_dict(), files[0])
            torch.save(older(net.state_dict()), files[1])
            for file in files:
                ours = json.loads(subprocess.check_output([program, file, given, str(side)]))
                off = {}
                for what, theirs in wanted.items():
                    found = torch.tensor(ours[what])
                    assert found.shape == theirs.shape, (name, what, found.shape, theirs.shape)
                    off[what] = (found - theirs).abs().max().item()
                    worst = max(worst, off[what] / max(1.0, theirs.abs().max().item() / 10))
        print(
            f"| {name} | {n} of {side} x {side} | {off['features']:.1e}, {off['logits']:.1e} of {wanted['logits'].abs().max().item():.1f} "
            f"| {ours['ms']:.0f} | {statistics.median(took):.0f} |",
            flush=True,
        )
    sys.exit(worst > 1e-4)


if __name__ == "__main__":
    main()
