#!/bin/sh
# busybox: nearly everything it has, static, built through its old Kbuild, which joins objects with ld -r; then its own tests. A test
# of busybox that fails with ld.bfd as well (what it needs may not be here) counts for nothing.
. "$(dirname "$0")/common.inc"
fetch busybox busybox
make -s defconfig >/dev/null 2>&1
sed -i 's/^# CONFIG_STATIC is not set/CONFIG_STATIC=y/' .config
yes "" | make -s oldconfig >/dev/null 2>&1
make -s -j"$jobs" busybox 2>make.log || { tail -n 20 make.log; exit 1; }
linked_by_weld busybox_unstripped
failures() { (cd testsuite && ./runtest 2>&1 | grep '^FAIL' | sort) || true; }
failures >failures.weld
cp busybox_unstripped busybox.weld
rm busybox busybox_unstripped
PATH=/usr/bin:/bin make -s busybox 2>make.log
! readelf -p .comment busybox_unstripped | grep -q weld
failures >failures.bfd
comm -23 failures.weld failures.bfd >failures.new
[ ! -s failures.new ] || { echo "fails only when weld links it:"; cat failures.new; exit 1; }
[ "$(./busybox.weld uname -s)" = Linux ]
echo "$(./busybox.weld --list | wc -l) applets, $(wc -l <failures.bfd) tests fail with either linker"
