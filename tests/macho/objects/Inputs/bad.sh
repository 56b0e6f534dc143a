#!/bin/sh
# bad.sh WELD OUT SED TEXT: object.yaml, changed by the sed script, must be refused with one line of an error that has TEXT.
weld=$1 out=$2
rm -f "$out.yaml"
sed "$3" "$(dirname "$0")/object.yaml" | yaml2obj -o "$out.o" || exit 2
"$weld" -core -o "$out.yaml" "$out.o" >"$out.txt" 2>&1
status=$?
cat "$out.txt"
[ $status = 1 ] || { echo "exit status $status, expected 1"; exit 1; }
[ ! -e "$out.yaml" ] || { echo "an output was left behind"; exit 1; }
grep -qF -- "$4" "$out.txt" || { echo "expected: $4"; exit 1; }
grep -q "^weld: error: $out.o: offset 0x" "$out.txt" && [ "$(wc -l <"$out.txt")" = 1 ] || { echo "expected one line that names file and offset"; exit 1; }
