# link-weld.sh TOP CC MAIN.o OUT: links weld from the objects of the release build.
# The names of the libraries come from the build itself.
top=$1 cc=$2 main=$3 out=$4
libs=$(sed -n 's/^Libs.private: //p' "$top/build/lib/weld.pc")
exec $cc -static -no-pie -Wl,--gc-sections "$main" "$top/build/lib/libweld.a" $libs -o "$out"
