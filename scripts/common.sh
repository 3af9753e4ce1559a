# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
# Shared by scripts/demo and scripts/check: packages, configure, build. Sourced, not run.
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
build=${QTENSOR_BUILD:-$root/build}
packages=(clang-22 lld-22 llvm-22-dev libmlir-22-dev mlir-22-tools llvm-22-tools
  cmake ninja-build g++ python3 libprotobuf-dev protobuf-compiler libonnx-dev
  libflatbuffers-dev flatbuffers-compiler libclang-rt-22-dev
  libzstd-dev zlib1g-dev libedit-dev libxml2-dev qemu-user
  make qemu-system-arm qemu-system-misc gcc-arm-none-eabi gcc-riscv64-unknown-elf)

say() { printf '\n== %s\n' "$*"; }
die() { printf '%s: %s\n' "${0##*/}" "$*" >&2; exit 1; }

missing_packages() {
  local p
  for p in "${packages[@]}"; do
    dpkg-query -W -f='${db:Status-Status}' "$p" 2>/dev/null | grep -q '^installed$' || printf '%s ' "$p"
  done
}

# install_packages yes|no: with `no` only says what is missing.
install_packages() {
  command -v dpkg-query >/dev/null || die "this is not a Debian system; install LLVM/MLIR 22, clang, lld, cmake, ninja, protobuf and onnx by hand, then run cmake"
  local missing
  missing=$(missing_packages)
  [ -n "$missing" ] || { say "all Debian packages are there"; return; }
  if [ "$1" = no ]; then
    say "missing Debian packages"; printf '  apt-get install --no-install-recommends %s\n' "$missing"; exit 1
  fi
  say "installing Debian packages: $missing"
  local sudo=
  [ "$(id -u)" = 0 ] || sudo=sudo
  # shellcheck disable=SC2086
  $sudo apt-get update -q >/dev/null
  # shellcheck disable=SC2086
  DEBIAN_FRONTEND=noninteractive $sudo apt-get install -y -q --no-install-recommends $missing >"$root/.apt.log" 2>&1 ||
    { tail -20 "$root/.apt.log" >&2; die "apt-get failed; its output is in .apt.log"; }
  rm -f "$root/.apt.log"
}

configure_and_build() {
  if [ ! -f "$build/build.ninja" ]; then
    say "configuring in ${build#"$root"/}"
    cmake -S "$root" -B "$build" -G Ninja >"$build.log" 2>&1 || { tail -30 "$build.log" >&2; die "cmake failed"; }
    rm -f "$build.log"
  fi
  say "building (about ten minutes the first time on two cores, seconds when little changed)"
  if [ -t 1 ]; then
    ninja -C "$build" "$@"
  else
    ninja -C "$build" "$@" | awk '/FAILED|error:|warning:/ {print} NR % 50 == 0 {print}
      {last = $0} END {print last}'
  fi
}
