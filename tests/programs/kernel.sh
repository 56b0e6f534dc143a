#!/bin/sh
# Linux: a small x86-64 kernel, its modules, a static busybox, and all tools of their builds, with weld as the only linker; booted
# in QEMU to a shell that says what works. The kernel is Debian's linux-source-6.1 (KERNEL_SOURCE names another tarball).
#
#   kernel.sh             builds and boots
#   kernel.sh --boot      boots what is built
#   kernel.sh --bench [N] builds if it has not been done, then links vmlinux N times (11) with weld and with each of BENCH_LINKERS
#                         (ld.bfd, ld.lld-19), interleaved, and shows the medians
#
# DEFCONFIG=1 builds x86_64_defconfig with its modules instead, which takes an hour of one CPU.
. "$(dirname "$0")/common.inc"
inputs=$top/tests/programs/Inputs/kernel
tarball=${KERNEL_SOURCE:-/usr/src/linux-source-6.1.tar.xz}
config=tinyconfig
[ -z "${DEFCONFIG:-}" ] || config=x86_64_defconfig
out=$work/kernel/$config
boot=$work/kernel/boot

[ -e "$tarball" ] || {
  echo "$tarball is missing (Debian's package linux-source-6.1)"
  exit 77
}
command -v qemu-system-x86_64 >/dev/null || {
  echo "qemu-system-x86_64 is missing"
  exit 77
}

# The linker of the kernel's makefiles: notes each command line, for --bench and for whoever looks for a difference.
make_ld() {
  mkdir -p "$work/kernel"
  cat >"$work/kernel/ld" <<SH
#!/bin/sh
{ printf "cd '%s' && ld" "\$PWD"; printf " '%s'" "\$@"; echo; } >>"$out/ld.log"
exec "$linker_dir/ld" "\$@"
SH
  chmod +x "$work/kernel/ld"
}

kernel_make() {
  make -C "$work/sources/linux" O="$out" LD="$work/kernel/ld" -j"$jobs" "$@"
}

build_kernel() {
  need bc bison cpio flex libelf-dev libssl-dev
  make_ld
  if [ ! -e "$work/sources/linux/Makefile" ]; then
    rm -rf "$work/sources/linux"
    mkdir -p "$work/sources/linux"
    tar -xf "$tarball" -C "$work/sources/linux" --strip-components=1
  fi
  rm -rf "$out"
  mkdir -p "$out"
  kernel_make -s $config >/dev/null
  if [ $config = tinyconfig ]; then
    (cd "$out" && "$work/sources/linux/scripts/kconfig/merge_config.sh" -m .config "$inputs/linux.config" >merge.log 2>&1)
    kernel_make -s olddefconfig 2>/dev/null
    # What an option depends on changes between versions of Linux: all that we ask for must be there.
    grep '^CONFIG' "$inputs/linux.config" | while read -r line; do
      grep -qx "$line" "$out/.config" || { echo "the kernel's configuration has no $line"; exit 1; }
    done
  fi
  kernel_make -s bzImage modules
  rm -rf "$out/weld_module"
  mkdir "$out/weld_module"
  cp "$inputs/Kbuild" "$inputs/main.c" "$inputs/other.c" "$inputs/weld_module.h" "$out/weld_module"
  kernel_make -s M="$out/weld_module" modules
  linked_by_weld "$out/vmlinux" "$out/arch/x86/boot/compressed/vmlinux"
}

build_busybox() {
  fetch busybox busybox
  make -s allnoconfig >/dev/null
  # The last line that sets an option counts; oldconfig asks for the rest, and gets the defaults.
  sed '/^#/d; s/=.*//' "$inputs/busybox.config" | while read -r name; do
    sed -i "/^# $name is not set/d" .config
  done
  cat "$inputs/busybox.config" >>.config
  yes "" | make -s oldconfig >/dev/null
  make -s -j"$jobs" busybox
  linked_by_weld busybox_unstripped
  [ "$(./busybox echo works)" = works ]
}

build_initramfs() {
  root=$boot/root
  rm -rf "$boot"
  mkdir -p "$root/bin" "$root/proc" "$root/sys" "$root/dev"
  cp "$work/sources/busybox/busybox" "$root/bin"
  for name in sh $("$root/bin/busybox" --list); do
    ln -sf busybox "$root/bin/$name"
  done
  cp "$inputs/init" "$root/init"
  chmod +x "$root/init"
  cp "$out/weld_module/weld_module.ko" "$root"
  [ ! -e "$out/lib/crc16.ko" ] || cp "$out/lib/crc16.ko" "$root"
  gcc -m32 -static -O2 "$inputs/hello32.c" -o "$root/hello32" 2>"$boot/hello32.log" ||
    echo "no 32-bit program: $(tail -n 1 "$boot/hello32.log")"
  (cd "$root" && find . | cpio --quiet -o -H newc | gzip) >"$boot/initramfs.gz"
}

run_qemu() {
  timeout 300 qemu-system-x86_64 -accel tcg -cpu max -smp 2 -m 512 -nographic -monitor none -serial stdio -no-reboot -nic none \
    -kernel "$out/arch/x86/boot/bzImage" -initrd "$boot/initramfs.gz" -append "console=ttyS0 panic=-1 rdinit=/init" \
    </dev/null | tr -d '\r' >"$boot/console" || {
    tail -n 30 "$boot/console"
    echo "QEMU did not end by itself"
    exit 1
  }
  cat "$boot/console"
  status=0
  while read -r line; do
    grep -qF "weld-test: $line" "$boot/console" || { echo "the console does not say: $line"; status=1; }
  done <<LINES
shell on Linux x86_64
$(case $("$linker_dir/ld" --version) in weld*) echo "version names weld" ;; esac)
cpus 2
vdso
kallsyms
module: number five, per-CPU data 42, jump label 0 to 1, crc16 bb3d
modules loaded
init sections of modules are freed
module: bye from five
modules removed
$([ ! -e "$boot/root/hello32" ] || echo "a program of 32 bits")
the end
LINES
  [ $status = 0 ] || exit 1
}

if [ "${1:-}" = --bench ]; then
  [ -e "$out/vmlinux" ] || build_kernel
  exec /usr/bin/python3 "$top/bench/kernel.py" "$out/ld.log" "${2:-11}" "$linker_dir/ld" ${BENCH_LINKERS:-ld.bfd ld.lld-19}
fi
[ "${1:-}" = --boot ] || build_kernel
[ "${1:-}" = --boot ] || build_busybox
build_initramfs
run_qemu
