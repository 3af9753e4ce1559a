# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""One lit suite for the whole tree: every .mlir, .test or .c file in a folder named `test`, wherever its room is.

Every pass is run between checks of what must hold there (--verify-phases).
QTENSOR_ROUNDTRIP=1 makes quant-opt (its input), quant-compile and quant-run (the module after every phase) verify that
text and bytecode are read as they were written.
--param all=1 runs what is too long for CI (tests that say `REQUIRES: exhaustive`).
"""
import os
import platform
import shutil
import sys

sys.path.insert(0, os.path.join(config.source_root, "test"))
import room_tests

config.name = "QTensor"
config.test_format = room_tests.RoomTests(execute_external=False)
config.suffixes = [".mlir", ".test"]
config.excludes = ["Inputs", "build", ".git", "CMakeLists.txt"] + [
    name for name in os.listdir(config.source_root) if name.startswith("build")]
config.test_source_root = config.source_root
config.test_exec_root = os.path.join(config.build_root, "test", "out")

tools = os.path.join(config.build_root, "bin")
config.environment["PATH"] = os.pathsep.join([tools, config.llvm_tools_dir, os.environ.get("PATH", "")])
config.environment["LC_ALL"] = "C"
if "QTENSOR_CPU_LEVEL" in os.environ:
    config.environment["QTENSOR_CPU_LEVEL"] = os.environ["QTENSOR_CPU_LEVEL"]

config.substitutions.append(("%root", config.source_root))
config.substitutions.append(("%models", os.path.join(config.source_root, "models")))
config.substitutions.append(("%build", config.build_root))
config.substitutions.append(("%tools", tools))
config.substitutions.append(("%cc", config.c_compiler))
config.substitutions.append(("%llvm", config.llvm_tools_dir))

# Contracts around every pass, in every test that runs one. A program's name stands alone, or behind %tools/.
checks = " --verify-phases" + (" --verify-roundtrip" if os.environ.get("QTENSOR_ROUNDTRIP") else "")
for program in ("quant-opt", "quant-compile", "quant-run"):
    config.substitutions.append((r"(?<![\w%/.=-])" + program + r"(?=\s)", program + checks))

config.available_features.add("host=" + platform.machine())
for program in ("qemu-system-arm", "qemu-system-riscv32", "arm-none-eabi-gcc", "riscv64-unknown-elf-gcc"):
    if shutil.which(program):
        config.available_features.add(program)
if shutil.which("qemu-x86_64"):
    config.available_features.add("qemu-x86_64")
if lit_config.params.get("all"):
    config.available_features.add("exhaustive")
try:
    flags = next(line for line in open("/proc/cpuinfo") if line.startswith("flags")).split()
    config.available_features.update("cpu=" + flag for flag in flags[2:])
except (OSError, StopIteration):
    pass
