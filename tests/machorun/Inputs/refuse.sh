# refuse.sh ARCH FORM DIR LD64 MACHORUN: builds the good images for refuse.py and runs it.
set -eu
arch=$1 form=$2 dir=$3 ld64=$4 machorun=$5
here=$(dirname "$0")
programs=$here/../../programs/Inputs/macho
libsystem=$here/../../macho/Inputs/libSystem.tbd
fixups=-fixup_chains
[ "$form" = chained ] || fixups=-no_fixup_chains
cd "$dir"
compile() { clang-14 -target "$arch-apple-macos11" -nostdinc -fno-stack-protector "$@"; }
compile -O2 -c "$programs/hello.c" -o hello.o
compile -O0 -fexceptions -c "$programs/unwind.c" -o unwind.o
compile -c "$programs/catch.$arch.s" -o catch.o
link() { $ld64 -arch "$arch" -platform_version macos 11.0 11.0 -adhoc_codesign $fixups "$@"; }
link hello.o "$libsystem" -o "hello.$arch.$form"
link unwind.o catch.o "$libsystem" -o "unwind.$arch.$form"
mkdir -p "$arch.$form"
exec python3 "$here/refuse.py" "$machorun" "$form" "hello.$arch.$form" "unwind.$arch.$form" "$arch.$form"
