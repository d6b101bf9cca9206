"""Median times of the reference backbones in ONNX Runtime on this machine's CPU.

Beside `cargo bench -p flukeprint --bench backbones`: one photo of 384 x 384 in evaluation, with one
thread and with two. Each trunk has no classifier and random weights. Batch norms that follow a
convolution are folded into it, by PyTorch's exporter or else by ONNX Runtime on loading. Run by
hand, with torch, torchvision, timm, onnx, onnxscript and onnxruntime from pip:

    python native/benches/onnxruntime_backbones.py [NAME]...
"""

import pathlib
import statistics
import sys
import tempfile
import time

import numpy as np
import onnxruntime
import timm
import torch
import torchvision
from torch import nn

ROUNDS = 7
THREADS = (1, 2)


def timm_trunk(name: str, **options) -> nn.Module:
    return timm.create_model(name, num_classes=0, global_pool="", **options)


def resnet(make) -> nn.Module:
    return nn.Sequential(*list(make(weights=None).children())[:-2])


def densenet121() -> nn.Module:
    return nn.Sequential(torchvision.models.densenet121(weights=None).features, nn.ReLU())


MODELS = {
    "resnet50": lambda: resnet(torchvision.models.resnet50),
    "resnet152": lambda: resnet(torchvision.models.resnet152),
    "se-resnext50": lambda: timm_trunk("seresnext50_32x4d", zero_init_last=False),
    "se-resnext50-cadene": lambda: timm_trunk("legacy_seresnext50_32x4d"),
    "vgg16-bn": lambda: torchvision.models.vgg16_bn(weights=None).features,
    "densenet121": densenet121,
    "inception-v4": lambda: timm_trunk("inception_v4"),
    "mobilenet-v2": lambda: torchvision.models.mobilenet_v2(weights=None).features,
}


def export(name: str, photo: torch.Tensor, folder: pathlib.Path) -> pathlib.Path:
    path = folder / f"{name}.onnx"
    torch.manual_seed(0)
    model = MODELS[name]().eval()
    # Unoptimised, each convolution gets a computed bias, which keeps ONNX Runtime from folding.
    torch.onnx.export(model, (photo,), path, dynamo=True, optimize=True, verbose=False)
    return path


def median_seconds(path: pathlib.Path, photo: np.ndarray, threads: int) -> float:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    inputs = {session.get_inputs()[0].name: photo}
    (map,) = session.run(None, inputs)  # the first run also lays out memory
    assert np.isfinite(map).all(), path.stem
    times = []
    for _ in range(ROUNDS):
        start = time.perf_counter()
        session.run(None, inputs)
        times.append(time.perf_counter() - start)
    return statistics.median(times)


def main(wanted: list[str]) -> None:
    unknown = set(wanted) - MODELS.keys()
    if unknown:
        sys.exit(f"no backbone {', '.join(sorted(unknown))}; there are {', '.join(MODELS)}")
    photo = torch.rand(1, 3, 384, 384, generator=torch.Generator().manual_seed(0))
    print("backbone               1 thread, ms   2 threads, ms")
    for name in wanted or MODELS:
        with tempfile.TemporaryDirectory() as folder:
            path = export(name, photo, pathlib.Path(folder))
            one, two = (median_seconds(path, photo.numpy(), threads) for threads in THREADS)
        print(f"{name:22} {one * 1e3:12.0f}   {two * 1e3:13.0f}", flush=True)


main(sys.argv[1:])
