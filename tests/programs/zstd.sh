#!/bin/sh
# zstd: the program, the shared library, and its own check.
. "$(dirname "$0")/common.inc"
fetch libzstd zstd
make -j"$jobs" lib
make -j"$jobs" zstd
linked_by_weld lib/libzstd.so.1.* programs/zstd
make check
