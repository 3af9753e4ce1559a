# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""TFLite Micro with CMSIS-NN from checkouts, as a program of one network: its flash, its RAM and its instructions.

TFLITE_MICRO and CMSIS_NN name the checkouts; FLATBUFFERS, GEMMLOWP and RUY those that TFLite Micro's own build downloads
(default: where it puts them); TFLM_CXXFLAGS where a C++ library's headers are, if arm-none-eabi-g++ has none. Built as its
release build is: no error strings, operators of 8 bits only."""
import concurrent.futures
import os
import pathlib
import re
import subprocess

HERE = pathlib.Path(__file__).resolve().parent
KERNELS = {"CONV": "ops.AddConv2D(tflite::Register_CONV_2D_INT8());",
           "DEPTHWISE": "ops.AddDepthwiseConv2D(tflite::Register_DEPTHWISE_CONV_2D_INT8());",
           "PRODUCT": "ops.AddFullyConnected(tflite::Register_FULLY_CONNECTED_INT8());",
           "POOL": "ops.AddAveragePool2D(tflite::Register_AVERAGE_POOL_2D_INT8());",
           "SOFTMAX": "ops.AddSoftmax(tflite::Register_SOFTMAX_INT8());", "RESHAPE": "ops.AddReshape();",
           "ADD": "ops.AddAdd(tflite::Register_ADD_INT8());"}
OPS = {"ic": "CONV ADD POOL RESHAPE PRODUCT SOFTMAX", "kws": "CONV DEPTHWISE POOL RESHAPE PRODUCT SOFTMAX",
       "vww": "CONV DEPTHWISE POOL RESHAPE PRODUCT SOFTMAX", "ad": "PRODUCT"}
MICRO = "tensorflow/lite/micro"
SOURCES = ["tensorflow/compiler/mlir/lite/schema/*.cc", "tensorflow/compiler/mlir/lite/core/api/*.cc",
           "tensorflow/lite/core/c/common.cc", "tensorflow/lite/core/api/*.cc", "tensorflow/lite/kernels/kernel_util.cc",
           "tensorflow/lite/kernels/internal/*.cc", "tensorflow/lite/kernels/internal/reference/*.cc", f"{MICRO}/*.cc",
           f"{MICRO}/arena_allocator/*.cc", f"{MICRO}/memory_planner/*.cc", f"{MICRO}/tflite_bridge/*.cc",
           f"{MICRO}/cortex_m_generic/*.cc", f"{MICRO}/kernels/*_common.cc", f"{MICRO}/kernels/kernel_util.cc",
           f"{MICRO}/kernels/reshape.cc", f"{MICRO}/kernels/decompress*.cc", f"{MICRO}/kernels/cmsis_nn/*.cc"]
LEFT_OUT = re.compile(r"_test\.cc|_test_common|test_|mock_|fake_|flexbuffers|ethosu\.cc|hexdump|recording_|micro_profiler|lstm|svdf|"
                      r"detection_postprocess|circular_buffer|kernel_runner|transpose_conv|batch_matmul|maximum|mul\.cc|pad")
ARENA_BYTES = 400000  # room enough


def run(*command, **options):
    done = subprocess.run([str(c) for c in command], capture_output=True, text=True, **options)
    if done.returncode:
        raise SystemExit(f"{' '.join(map(str, command))}\n{done.stdout}{done.stderr}")
    return done.stdout


def checkout(variable, download=""):
    root = pathlib.Path(os.environ["TFLITE_MICRO"]).resolve()
    return pathlib.Path(os.environ[variable]).resolve() if variable in os.environ else \
        root / MICRO / "tools" / "make" / "downloads" / download


def build_library(folder, flags, level):
    """Everything that a network may need; the linker takes what it does."""
    root, cmsis = pathlib.Path(os.environ["TFLITE_MICRO"]).resolve(), checkout("CMSIS_NN", "cmsis_nn")
    folder.mkdir(parents=True, exist_ok=True)
    folders = (root, checkout("FLATBUFFERS", "flatbuffers") / "include", checkout("GEMMLOWP", "gemmlowp"),
               checkout("RUY", "ruy"), cmsis, cmsis / "Include", cmsis / "Source")
    common = [*flags, level, "-DNDEBUG", "-DTF_LITE_STATIC_MEMORY", "-DTF_LITE_STRIP_ERROR_STRINGS",
              "-DTF_LITE_DISABLE_X86_NEON", "-DCMSIS_NN", "-DKERNELS_OPTIMIZED_FOR_SPEED", "-ffunction-sections",
              "-fdata-sections", "-fno-unwind-tables", "-fno-asynchronous-unwind-tables", "-w",
              *(f"-I{path}" for path in folders)]
    cxx = ["arm-none-eabi-g++", *common, "-std=c++17", "-fno-rtti", "-fno-exceptions", "-fno-threadsafe-statics",
           *os.environ.get("TFLM_CXXFLAGS", "").split()]
    sources = [path for pattern in SOURCES for path in sorted(root.glob(pattern)) if not LEFT_OUT.search(path.name)]
    sources += [path for path in sorted((cmsis / "Source").rglob("*.c"))
                if not re.search(r"_f16|_f32|_flt|Bindings", str(path))]

    library = folder / "libtflm.a"
    if library.exists():  # another network of this run has made it
        return library, cxx

    def compile_source(entry):
        number, source = entry
        out = folder / f"{number}-{source.stem}.o"
        compiler = cxx if source.suffix == ".cc" else ["arm-none-eabi-gcc", *common, "-std=gnu11"]
        done = subprocess.run([*map(str, compiler), "-c", str(source), "-o", str(out)], capture_output=True, text=True)
        return out if done.returncode == 0 else None  # kernels of other libraries: the linker says if one is missed

    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        objects = [out for out in pool.map(compile_source, enumerate(sources)) if out]
    run("arm-none-eabi-ar", "rcs", library, *objects)
    return library, cxx


def sizes(program):
    """Bytes of flash and of RAM that a program takes before it runs."""
    text, data, bss = map(int, run("arm-none-eabi-size", program).splitlines()[1].split()[:3])
    return text + data, data + bss


def link(cxx, place, board, name, extra, source, objects):
    run(*cxx, f"-I{board}", *extra, "-c", source, "-o", place / f"{name}.o")
    program = place / f"{name}.elf"
    flags = [flag for flag in cxx if flag.startswith("-m")]
    run("arm-none-eabi-gcc", *flags, "-nostartfiles", "--specs=nosys.specs", "-Wl,--gc-sections", "-Wl,--defsym=end=__bss_end",
        f"-Wl,-T,{board / 'board.ld'}", place / f"{name}.o", *objects, "-lm", "-o", program)
    return program


EMPTY = """extern "C" {
#include "board.h"
int main(void) { board_input("input0.bin", 0, 0); board_output("output0", 0, 0, 1); return 0; }
}
"""
MODEL = """.section .rodata.model,"a"
.balign 16
.global network_file
network_file:
.incbin "{}"
"""


def build_programs(network, model, board, folder, flags, level):
    """The network's program, and one of the board without it."""
    library, cxx = build_library(folder.parent / f"tflm{level}", flags, level)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "model.S").write_text(MODEL.format(model))
    (folder / "empty.cpp").write_text(EMPTY)
    own = []
    for source in (board / "board.c", board / "startup.c", folder / "model.S"):
        own.append(folder / f"{source.stem}.o")
        run("arm-none-eabi-gcc", *flags, "-Os", "-ffreestanding", "-fno-builtin", "-ffunction-sections", f"-I{board}", "-c", source,
            "-o", own[-1])
    empty = link(cxx, folder, board, "empty", [], folder / "empty.cpp", own[:2])
    ops = " ".join(KERNELS[kind] for kind in OPS[network].split())
    program = link(cxx, folder, board, "tflm", [f"-DNETWORK_OPS={ops}", f"-DARENA_BYTES={ARENA_BYTES}"], HERE / "tflm.cpp",
                   [*own, library])
    return program, empty


def measure(network, model, board, folder, flags, level, counter, emulator):
    """Flash, RAM (arena, data and stack), (instructions, weighted), the hash of the output."""
    program, empty = build_programs(network, model, board, folder, flags, level)
    counts = folder / "counts"
    command = emulator.replace(" -display", f" -plugin {counter},out={counts} -display", 1).split()
    done = subprocess.run([*command, program], capture_output=True, text=True, cwd=folder)
    if done.returncode:
        raise SystemExit(f"TFLite Micro cannot run {network}: {done.stdout}{done.stderr}")
    said = dict(re.findall(r"^(arena|stack) (\d+)$", done.stdout, re.M))
    flash, ram = (a - b for a, b in zip(sizes(program), sizes(empty)))
    region = tuple(map(int, counts.read_text().split()[:2]))
    output = re.search(r"^output0: hash (\w+)", done.stdout, re.M).group(1)
    return flash, ram - ARENA_BYTES + int(said["arena"]) + int(said["stack"]), region, output
