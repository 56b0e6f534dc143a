# check-elf.sh FILE: what the tools of a distribution have to say about an ELF file; quiet when content.
set -e
eu-elflint --gnu-ld -q $1 || { eu-elflint --gnu-ld $1; echo "eu-elflint $1"; exit 1; }
readelf -aW $1 > $1.txt 2> $1.err
if grep -v 'no .dynamic section' $1.err; then echo "readelf $1"; exit 1; fi
llvm-readelf --all $1 > $1.txt 2> $1.err
if grep . $1.err; then echo "llvm-readelf $1"; exit 1; fi
llvm-dwarfdump --verify $1 > $1.txt || { grep -i error $1.txt; echo "dwarfdump $1"; exit 1; }
