#!/bin/sh
# JsonCpp: C++ with exceptions; its unit tests and its document tests, against the shared and the static library.
. "$(dirname "$0")/common.inc"
fetch libjsoncpp jsoncpp
for shared in ON OFF; do
  cmake -G Ninja -S . -B build-$shared -DCMAKE_BUILD_TYPE=Release -DBUILD_SHARED_LIBS=$shared -DBUILD_STATIC_LIBS=ON -DBUILD_OBJECT_LIBS=OFF \
    -DCMAKE_C_COMPILER="$work/bin/gcc" -DCMAKE_CXX_COMPILER="$work/bin/g++" -DJSONCPP_WITH_POST_BUILD_UNITTEST=OFF >cmake.log
  ninja -C build-$shared
  ctest --test-dir build-$shared --output-on-failure
  linked_by_weld build-$shared/bin/jsoncpp_test
done
linked_by_weld build-ON/lib/libjsoncpp.so
