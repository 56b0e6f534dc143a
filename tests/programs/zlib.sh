#!/bin/sh
# zlib: static and shared library, its example and minigzip tests.
. "$(dirname "$0")/common.inc"
fetch zlib zlib
./configure
make -j"$jobs"
make test
linked_by_weld libz.so.1.* example examplesh minigzip64
# The same from objects that were text in between.
through_text .
rm -f libz.a libz.so* example examplesh example64 minigzip minigzipsh minigzip64
make -j"$jobs"
make test
linked_by_weld libz.so.1.* example examplesh minigzip64
