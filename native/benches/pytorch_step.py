"""Images a second of the project's network in PyTorch, as `flukeprint bench` measures burn.

The same net: a backbone of torchvision or timm, four stripes, GeM 3.74, heads of 512 values with a
classifier each, a total classifier on detached features, ring loss, AdamW behind a clipped joint norm;
for inference batch norms folded into convolutions. One random batch stays on the device. Run by hand,
with torch, torchvision and timm from pip:

    python native/benches/pytorch_step.py --device cuda --backbone vgg16-bn --size 384 --batch 20 --train

On CUDA f32 may use TF32, as burn does; --bf16 runs under autocast besides. On a CPU OMP_NUM_THREADS is
to be what RAYON_NUM_THREADS is for burn.
"""

import argparse
import json
import platform
import resource
import time

import timm
import torch
import torchvision
from torch import nn
from torch.fx.experimental.optimization import fuse
from torch.nn import functional as F

HEADS, WIDTH, GEM_P, RING = 4, 512, 3.74, 0.01
BLOCKS = 5


def timm_trunk(name: str, **options) -> nn.Module:
    return timm.create_model(name, num_classes=0, global_pool="", **options)


def resnet(make) -> nn.Module:
    return nn.Sequential(*list(make(weights=None).children())[:-2])


def densenet121() -> nn.Module:
    return nn.Sequential(torchvision.models.densenet121(weights=None).features, nn.ReLU())


BACKBONES = {
    "resnet50": lambda: resnet(torchvision.models.resnet50),
    "resnet152": lambda: resnet(torchvision.models.resnet152),
    "se-resnext50": lambda: timm_trunk("seresnext50_32x4d", zero_init_last=False),
    "se-resnext50-cadene": lambda: timm_trunk("legacy_seresnext50_32x4d"),
    "vgg16-bn": lambda: torchvision.models.vgg16_bn(weights=None).features,
    "densenet121": densenet121,
    "inception-v4": lambda: timm_trunk("inception_v4"),
    "mobilenet-v2": lambda: torchvision.models.mobilenet_v2(weights=None).features,
}


class Head(nn.Sequential):
    def __init__(self, channels: int):
        norm, linear = nn.BatchNorm1d(channels), nn.Linear(channels, WIDTH)
        super().__init__(norm, nn.Dropout(0.3), linear, nn.CELU(), nn.BatchNorm1d(WIDTH))


class Network(nn.Module):
    """Photos to the heads' features and the total classifier's logits, or to the sum of the losses."""

    def __init__(self, backbone: str, individuals: int):
        super().__init__()
        self.backbone = BACKBONES[backbone]()
        with torch.no_grad():
            channels = self.backbone.eval()(torch.zeros(1, 3, 96, 96)).shape[1]
        self.train()
        self.heads = nn.ModuleList(Head(channels) for _ in range(HEADS))
        self.classifiers = nn.ModuleList(nn.Linear(WIDTH, individuals) for _ in range(HEADS))
        self.total = nn.Linear(HEADS * WIDTH, individuals)
        self.radii = nn.Parameter(torch.full((HEADS,), 1.5))
        self.dropout = nn.Dropout(0.5)

    def features(self, photos: torch.Tensor) -> list[torch.Tensor]:
        map = self.backbone(photos)
        assert map.shape[3] >= HEADS, "the input is too narrow for four stripes"
        edges = [i * map.shape[3] // HEADS for i in range(HEADS + 1)]
        stripes = [map[..., a:b] for a, b in zip(edges, edges[1:])]
        pooled = [s.clamp(min=1e-6).pow(GEM_P).mean((2, 3)).pow(1 / GEM_P) for s in stripes]
        return [head(x) for head, x in zip(self.heads, pooled)]

    def forward(self, photos: torch.Tensor):
        joint = torch.cat(self.features(photos), 1)
        return joint, self.total(joint)

    def loss(self, photos: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
        features = self.features(photos)
        joint = torch.cat(features, 1).detach()
        loss = F.cross_entropy(self.total(self.dropout(joint)), labels)
        for feature, classifier, radius in zip(features, self.classifiers, self.radii):
            norms = (feature.square().sum(1) + 1e-12).sqrt()
            loss = loss + F.cross_entropy(classifier(self.dropout(feature)), labels)
            loss = loss + RING * (norms - radius).square().mean()
        return loss


def steps_of(options, device):
    """One step of the work; it calls `after` with the name of each part."""
    torch.manual_seed(0)
    network = Network(options.backbone, options.individuals)
    shape = (options.batch, 3, *options.size)
    photos = torch.rand(shape, device=device)
    labels = torch.arange(options.batch, device=device) % options.individuals
    autocast = torch.autocast(device.type, torch.bfloat16, enabled=options.bf16)
    if not options.train:
        network.eval()
        network.backbone = fuse(network.backbone)
        network.to(device)

        def step(after):
            with torch.inference_mode(), autocast:
                network(photos)
            after("forward")

        return step

    network.to(device)
    parameters = list(network.parameters())
    optimizer = torch.optim.AdamW(parameters, lr=1e-5, betas=(0.9, 0.99), eps=1e-5, weight_decay=0.01)

    def step(after):
        optimizer.zero_grad()
        with autocast:
            loss = network.loss(photos, labels)
        after("forward")
        loss.backward()
        after("backward")
        nn.utils.clip_grad_norm_(parameters, 0.1)
        optimizer.step()
        after("optimizer")

    return step


def spread(values: list[float]) -> dict[str, float]:
    values = sorted(values)
    return {"median": values[len(values) // 2], "least": values[0], "most": values[-1]}


def measure(step, options, wait) -> dict:
    in_block = -(-options.steps // BLOCKS)
    blocks = -(-options.steps // in_block)
    for _ in range(options.warm_up):
        step(lambda part: None)
    wait()
    seconds = []
    for _ in range(blocks):
        begun = time.perf_counter()
        for _ in range(in_block):
            step(lambda part: None)
        wait()
        seconds.append((time.perf_counter() - begun) / in_block)

    parts: dict[str, list[float]] = {}

    def after(part):
        nonlocal begun
        wait()
        parts.setdefault(part, []).append((time.perf_counter() - begun) * 1e3)
        begun = time.perf_counter()

    for _ in range(options.steps):
        begun = time.perf_counter()
        step(after)
    return {
        "steps": blocks * in_block,
        "images_per_second": spread([options.batch / s for s in seconds]),
        "milliseconds": spread([s * 1e3 for s in seconds]),
        "parts": [{"name": name, "milliseconds": spread(ms)} for name, ms in parts.items()],
    }


def print_table(report: dict) -> None:
    print(f"PyTorch {torch.__version__} on {report['device']}, {report['precision']}")
    height, width = report["input"]
    print(
        f"{report['backbone']}, {report['mode']}, {height} x {width}, "
        f"batch {report['batch']}, {report['steps']} steps"
    )
    rows = [("images per second", report["images_per_second"]), ("step, ms", report["milliseconds"])]
    rows += [(f"{part['name']}, ms", part["milliseconds"]) for part in report["parts"]]
    for name, s in rows:
        print(f"  {name:<30}{s['median']:>10.2f}   ({s['least']:.2f} to {s['most']:.2f})")
    for name, bytes in report["memory"].items():
        print(f"  {name.replace('_', ' ') + ' memory, MiB':<30}{bytes / 2**20:>10.0f}")


def size(text: str) -> tuple[int, int]:
    height, _, width = text.partition("x")
    return int(height), int(width or height)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--device", default="cpu", help="cpu, cuda, cuda:1")
    parser.add_argument("--backbone", default="resnet50", choices=BACKBONES)
    parser.add_argument("--size", type=size, default=(384, 384), help="side, or HEIGHTxWIDTH")
    parser.add_argument("--batch", type=int, default=20)
    parser.add_argument("--individuals", type=int, default=5004)
    parser.add_argument("--train", action="store_true")
    parser.add_argument("--bf16", action="store_true", help="autocast to bfloat16")
    parser.add_argument("--steps", type=int, default=20)
    parser.add_argument("--warm-up", type=int, default=5)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()

    device = torch.device(options.device)
    on_gpu = device.type == "cuda"
    torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = True
    torch.backends.cudnn.benchmark = True  # burn tunes itself too
    wait = (lambda: torch.cuda.synchronize(device)) if on_gpu else (lambda: None)
    threads = f"{platform.machine()}, {torch.get_num_threads()} threads"
    report = {
        "device": torch.cuda.get_device_name(device) if on_gpu else threads,
        "precision": "bf16 autocast" if options.bf16 else "TF32" if on_gpu else "f32",
        "backbone": options.backbone,
        "mode": "training" if options.train else "inference",
        "input": options.size,
        "batch": options.batch,
    }
    report |= measure(steps_of(options, device), options, wait)
    memory = {"process": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024}
    if on_gpu:
        memory["device_in_use"] = torch.cuda.max_memory_allocated(device)
        memory["device_reserved"] = torch.cuda.max_memory_reserved(device)
    report["memory"] = memory
    print(json.dumps(report, indent=2)) if options.json else print_table(report)


main()
