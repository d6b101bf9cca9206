"""The speed table of a GPU: the project's program and PyTorch by turns, the same work, one after the other.

For each backbone a training step and inference, by `flukeprint bench` on each of the devices named, and by
pytorch_step.py beside this file, in f32 (TF32 on CUDA, both) and on CUDA in bf16 (PyTorch under autocast). Prints the rows of a Markdown
table, and with --profile the kernels that a training step of ours spends its time in. Run by hand, the card
otherwise idle, with torch, torchvision and timm from pip:

    cargo build --release -p flukeprint --features cuda,wgpu
    python native/benches/gpu_table.py --devices cuda wgpu --profile > table.md

The program tunes its kernels while it warms up, for minutes where it never ran before, and keeps them under --kept, so
that a profile tells of steps and not of tuning.
"""

import argparse
import contextlib
import importlib.util
import io
import json
import pathlib
import re
import runpy
import subprocess
import sys
import tempfile
from collections import Counter

HERE = pathlib.Path(__file__).resolve().parent
PROFILED = re.compile(r"^\| ([0-9.]+)(ns|µs|ms|s) +\| (.*)$")
SECONDS = {"ns": 1e-9, "µs": 1e-6, "ms": 1e-3, "s": 1.0}


def work_of(options, backbone: str, train: bool, steps: int) -> list[str]:
    sizes = ["--size", options.size, "--batch", str(options.batch)]
    counts = ["--steps", str(steps), "--warm-up", str(options.warm_up)]
    return ["--backbone", backbone, *sizes, *counts, "--json"] + ["--train"] * train


def ours(options, device: str, work: list[str], log: pathlib.Path | None = None) -> dict | str:
    """The program's report, or why there is none; `log` gets the time of each kernel."""
    command = [str(options.program.resolve()), "bench", "--device", device, *work]
    config = f'[environment]\npath = {{ directory = "{options.kept.resolve()}" }}\n'
    if log:
        config += f'[profiling.logger]\nlevel = "basic"\nfile = "{log}"\n'
    with tempfile.TemporaryDirectory() as folder:
        pathlib.Path(folder, "cubecl.toml").write_text(config)
        try:
            done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=options.patience)
        except subprocess.TimeoutExpired:
            return f"not done after {options.patience} s"
    if done.returncode:
        # A driver that kills it leaves no word.
        return (done.stderr.strip().splitlines() or [f"ended with status {done.returncode}"])[-1]
    return json.loads(done.stdout[done.stdout.index("{") :])


def theirs(device: str, work: list[str], bf16: bool) -> dict | str:
    """PyTorch's report, in this process, so that it is loaded once."""
    import torch

    said, arguments = io.StringIO(), sys.argv
    sys.argv = ["pytorch_step.py", "--device", device, *work] + ["--bf16"] * bf16
    try:
        with contextlib.redirect_stdout(said):
            runpy.run_path(str(HERE / "pytorch_step.py"), run_name="__main__")
        return json.loads(said.getvalue())
    except SystemExit:
        return "not among the backbones of pytorch_step.py"
    except (AssertionError, RuntimeError, ValueError, KeyError) as error:
        return (str(error).splitlines() or [type(error).__name__])[0]
    finally:
        sys.argv = arguments
        if device.startswith("cuda"):
            torch.cuda.empty_cache()
            torch.cuda.reset_peak_memory_stats()


def row(work: str, who: str, report: dict | str, beside: dict | None) -> str:
    if isinstance(report, str):
        return f"| {work} | {who} | {report} | | | |"
    speed = report["images_per_second"]
    parts = ", ".join(f"{p['name']} {p['milliseconds']['median']:.1f}" for p in report["parts"])
    memory = report["memory"].get("device_reserved") or report["memory"].get("device_in_use")
    ratio = f"{speed['median'] / beside['images_per_second']['median']:.2f}" if beside else ""
    reserved = f"{memory / 2**30:.1f}" if memory else ""
    spread = f"{speed['median']:.1f} ({speed['least']:.1f} to {speed['most']:.1f})"
    return f"| {work} | {who} | {spread} | {ratio} | {parts} | {reserved} |"


def table(options) -> None:
    print("| | | photos a second | of PyTorch's f32 | milliseconds | GiB reserved |")
    print("| --- | --- | --- | --- | --- | --- |", flush=True)
    torch_device = next((d for d in options.devices if d.startswith("cuda")), "cpu")
    for backbone in options.backbones:
        for train in (True, False):
            name = f"{backbone}, {'training' if train else 'inference'}"
            work = work_of(options, backbone, train, options.steps)
            reports = [(f"burn, {device}, f32", ours(options, device, work)) for device in options.devices]
            half = [*work, "--precision", "bf16"]
            cards = [device for device in options.devices if device.startswith("cuda")]
            reports += [(f"burn, {device}, bf16", ours(options, device, half)) for device in cards]
            plain = theirs(torch_device, work, False)
            beside = plain if isinstance(plain, dict) else None
            reports += [("PyTorch, f32", plain), ("PyTorch, bf16", theirs(torch_device, work, True))]
            for who, report in reports:
                print(row(name, who, report, beside), flush=True)


def profile(options, device: str, backbone: str) -> None:
    """The kernels of a training step, timed one by one, which takes longer than the step itself."""
    with tempfile.TemporaryDirectory() as folder:
        log = pathlib.Path(folder, "kernels.log")
        report = ours(options, device, work_of(options, backbone, True, options.profiled), log)
        lines = log.read_text().splitlines() if log.exists() else []
    print(f"\n{backbone}, training, {device}: kernels", "" if isinstance(report, dict) else report)
    seconds, launches = Counter(), Counter()
    for number, unit, kernel in filter(None, (m and m.groups() for m in map(PROFILED.match, lines))):
        kernel = re.sub(r"_[0-9a-f]{8}$", "", kernel.strip()) if options.families else kernel.strip()
        seconds[kernel] += float(number) * SECONDS[unit]
        launches[kernel] += 1
    total = sum(seconds.values()) or 1.0
    print("| kernel | launches | share of the time |\n| --- | --- | --- |")
    for kernel, spent in seconds.most_common(options.kernels):
        name = kernel.replace(" | ", " ")[-120:]
        print(f"| {name} | {launches[kernel]} | {spent / total:.1%} |")
    sys.stdout.flush()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--program", type=pathlib.Path, default=pathlib.Path("target/release/flukeprint"))
    parser.add_argument("--devices", nargs="+", default=["cuda"], help="of the program: cuda, wgpu, cpu")
    names = ["resnet50", "vgg16-bn", "se-resnext50"]
    parser.add_argument("--backbones", nargs="+", default=names)
    parser.add_argument("--size", default="384")
    parser.add_argument("--batch", type=int, default=20)
    parser.add_argument("--steps", type=int, default=20)
    parser.add_argument("--warm-up", type=int, default=5)
    parser.add_argument("--patience", type=float, default=1800, help="seconds for one run of the program")
    kept = HERE.parents[1] / "target" / "environment"
    parser.add_argument("--kept", type=pathlib.Path, default=kept, help="folder of the program's kernels")
    parser.add_argument("--profile", action="store_true", help="tell the kernels of a training step too")
    parser.add_argument("--profiled", type=int, default=3, help="steps of the profile")
    parser.add_argument("--kernels", type=int, default=20, help="kernels to name")
    parser.add_argument("--families", action="store_true", help="kernels of one name, whatever their form, as one")
    options = parser.parse_args()
    missing = [name for name in ("torch", "torchvision", "timm") if not importlib.util.find_spec(name)]
    if missing:
        parser.error(f"PyTorch's side needs {' and '.join(missing)}: pip install torch torchvision timm")
    if not options.program.exists():
        parser.error(f"{options.program} is not there: build it as above, or say where it is by --program")
    table(options)
    if options.profile:
        for device in options.devices:
            for backbone in options.backbones:
                profile(options, device, backbone)


main()
