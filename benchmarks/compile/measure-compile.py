# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""measure-compile.py <quant-compile> <folder> <weights>...: compiles the model of make-large-model.py in each format of
weights and prints time, memory and disk apart. Memory is sampled from /proc: RssAnon is what has no file behind it."""
import os
import resource
import shutil
import subprocess
import sys
import time

SECONDS, GIB = 60, 3  # what a Llama-2-7B-shaped model may take on two cores
program, folder, *formats = sys.argv[1:]


def read(path):
    """The numbers that /proc has of a process, or nothing when it is gone."""
    try:
        with open(path) as file:
            fields = (line.replace(":", " ").split() for line in file)
            return {field[0]: int(field[1]) for field in fields if len(field) > 1 and field[1].isdigit()}
    except OSError:
        return {}


def measure(weights):
    out = os.path.join(folder, "out")
    shutil.rmtree(out, ignore_errors=True)
    before, start = resource.getrusage(resource.RUSAGE_CHILDREN), time.time()
    process = subprocess.Popen([program, f"{folder}/model.mlir", f"--constants={folder}/model.safetensors", f"--weights={weights}",
                                "--activations=int8/32" if not weights.startswith("nf4") else "--activations=int8/64", "-o", out],
                               env={**os.environ, "TMPDIR": folder}, preexec_fn=lambda: os.sched_setaffinity(0, cores))
    anonymous, mapped, disk = 0, 0, {}
    while process.poll() is None:
        status = read(f"/proc/{process.pid}/status")
        anonymous = max(anonymous, status.get("RssAnon", 0))
        mapped = max(mapped, status.get("RssFile", 0))
        disk = read(f"/proc/{process.pid}/io") or disk
        time.sleep(0.02)
    wall = time.time() - start
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    if process.returncode:
        sys.exit(f"quant-compile ended with {process.returncode}")
    start = time.time()
    subprocess.run(["sync", "-f", out], check=True)
    sync = time.time() - start
    size = sum(os.path.getsize(os.path.join(out, name)) for name in os.listdir(out))
    print(f"{weights:10} {wall:6.1f} s (limit {SECONDS}), user {after.ru_utime - before.ru_utime:.1f} s, system "
          f"{after.ru_stime - before.ru_stime:.1f} s; anonymous memory {anonymous / 2**20:.2f} GiB (limit {GIB}), files mapped "
          f"{mapped / 2**20:.1f} GiB; artifact {size / 1e9:.2f} GB")
    print(f"{'':10} disk: {disk.get('read_bytes', 0) / 1e9:.2f} GB read, {disk.get('write_bytes', 0) / 1e9:.2f} GB written, "
          f"{sync:.1f} s more until the artifact is on it")
    shutil.rmtree(out)


cores = sorted(os.sched_getaffinity(0))[:2]
source = os.stat(f"{folder}/model.safetensors")
print(f"{source.st_size / 1e9:.2f} GB of f16 weights, {source.st_blocks * 512 / 1e9:.2f} GB on disk; processors {cores}")
for name in formats:
    measure(name)
