#!/bin/sh
# deps.sh [build|test|demo|bench|lint]: installs the Debian packages that weld's build, tests, demo,
# benchmarks or code checkers need. Asks for nothing, installs only what is missing, and needs no network when nothing is.
set -eu

build="gcc g++ make cmake ninja-build python3 zlib1g-dev libzstd-dev libdeflate-dev libxxhash-dev
  libssl-dev libiberty-dev libdw-dev libelf-dev libbz2-dev liblzma-dev libyaml-dev libcmocka-dev"
test="$build clang-14 llvm-14 llvm-14-tools libclang-rt-14-dev binutils nasm patchelf elfutils gdb
  python3-psutil dpkg-dev qemu-user gcc-aarch64-linux-gnu libc6-dev-arm64-cross gcc-12-multilib g++-12-multilib"
# gcc-multilib itself, which brings /usr/include/asm, conflicts with compilers for other machines.
llvm="llvm-14 llvm-14-dev libz3-dev libtinfo-dev libxml2-dev"
demo="$build $llvm binutils"
bench="$test $llvm libclang-14-dev lld-19 mold"
lint="$build clang-format-14 clang-tidy-14"

case ${1:-test} in
build) want=$build ;;
test) want=$test ;;
demo) want=$demo ;;
bench) want=$bench ;;
lint) want=$lint ;;
*) echo "usage: deps.sh [build|test|demo|bench|lint]" >&2; exit 2 ;;
esac

if ! command -v dpkg-query >/dev/null || ! command -v apt-get >/dev/null; then
  echo "deps.sh: this is not a Debian system (no dpkg, no apt-get)." >&2
  echo "Install by hand what these Debian packages hold, then run make, tools/demo.sh, tests/run quick:" >&2
  echo "$want" | tr -s ' \n' ' ' | fold -s -w 90 >&2
  echo >&2
  exit 1
fi

missing=
for p in $want; do
  case $(dpkg-query -W -f='${db:Status-Status}' "$p" 2>/dev/null) in
  installed) ;;
  *) missing="$missing $p" ;;
  esac
done
[ -n "$missing" ] || exit 0

if [ "$(id -u)" = 0 ]; then
  root=
elif command -v sudo >/dev/null; then
  root=sudo
else
  echo "deps.sh: root is needed (and there is no sudo) to install:$missing" >&2
  exit 1
fi

echo "installing:$missing"
apt="$root env DEBIAN_FRONTEND=noninteractive apt-get -y -q -o Dpkg::Use-Pty=0"
log=$(mktemp)
trap 'rm -f "$log"' EXIT
install() { $apt install --no-install-recommends $missing >"$log" 2>&1; }
# The package lists may be absent or old: refresh them only when the first try fails.
if ! install; then
  $apt update >"$log" 2>&1 || true
  install || { tail -n 20 "$log" >&2; echo "deps.sh: apt-get could not install:$missing" >&2; exit 1; }
fi
