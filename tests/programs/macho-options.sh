#!/bin/sh
# The small program of macho-hello.sh behaves the same whatever options lay it out, bind it or strip it; so do the
# libraries of macho-dylib.sh in a flat namespace.
. "$(dirname "$0")/macho.inc"
cat >expected <<'TEXT'
arguments 2 argument, constructors 212
of the order, 1 2 3.25 x
many: 1 2 3 4 5 6 7 8 9.5
thread variables 41 1047 0
weak import absent
data 1 0 2.5 three many
apple strings
at exit
destroyed
TEXT
printf '_thread\n_choose\n_main\n' >order
printf 'content' >content
printf '_main\n_counter\n' >exports

# Lines of options; A! for x86-64 only, C! for classic fixups only (an image with chained ones is always moved).
cat >options <<'TEXT'
-init_offsets
-init_offsets -dead_strip --icf=all
-bind_at_load
-no_data_const
-dead_strip --icf=all
-dead_strip --icf=safe -x
-order_file order
-order_file order -dead_strip
-e _main -stack_size 800000
-headerpad 4000
-headerpad_max_install_names
-no_exported_symbols
-exported_symbol _main
-exported_symbols_list exports
-unexported_symbol _*
-flat_namespace
-undefined dynamic_lookup
-no_function_starts
-no_data_in_code_info
-adhoc_codesign
-alias _main _other_main -e _other_main
-sectalign __DATA __data 4000
-sectalign __TEXT __text 1000
-sectcreate __DATA __extra content
-sectcreate __TEXT __extra content
-sectcreate __OTHER __extra content
-add_empty_section __DATA __nothing
-rename_section __DATA __data __DATA __mine
-rename_section __TEXT __cstring __TEXT __strings
-rename_section __DATA __bss __DATA __zeroes
-rename_section __TEXT __const __RODATA __const
-rename_section __DATA __data __SECRET __data -rename_section __DATA __bss __SECRET __bss
-rename_section __DATA __custom __DATA __renamed
-rename_section __DATA __custom __OTHER __renamed
-rename_section __TEXT __const __DATA __from_text
-dead_strip_dylibs
-image_base 200000000
-segprot __DATA rw rw
-S -x -dead_strip
-platform_version macos 12.0 13.0
-platform_version macos 14.0 14.0
-U _not_in_any_macos
-rpath /nowhere -rpath @loader_path
A! -pagezero_size 10000
A! -platform_version macos 10.13 10.13
TEXT
# Options of weld alone; lld 19 exports the header of a program that is not moved at a wrong address.
case $linker in
*weld*) cat >>options <<'TEXT'
A!C! -no_pie
A!C! -no_pie -image_base 40000000 -pagezero_size 40000000
A!C! -no_pie -dead_strip -x
--branch-range=1000
--branch-range=1000 -order_file order
--threads=1
TEXT
esac

failed=0
for arch in $archs; do
  compile $arch -O1 -c "$inputs/hello.c" -o hello.$arch.o
  for form in $forms; do
    program=hello.$arch.$form
    while read -r options; do
      case $options in
      A!*) [ $arch = x86_64 ] || continue ;;
      esac
      case $options in
      *C!*) [ $form = classic ] || continue ;;
      esac
      rm -f $program
      link $arch $form hello.$arch.o "$libsystem" -o $program ${options##*!} >errors 2>&1 || {
        echo "$arch $form $options: no link: $(head -n 1 errors)"
        failed=$((failed + 1))
        continue
      }
      for lazy in "" --lazy; do
        status=0
        run $arch $lazy $program argument >output 2>errors || status=$?
        if [ $status != 42 ] || ! cmp -s expected output; then
          echo "$arch $form $options $lazy: status $status: $(head -n 1 errors)"
          failed=$((failed + 1))
        fi
        [ $form = classic ] || break
      done
    done <options
  done
done
[ $failed = 0 ] || {
  echo "$failed failed"
  exit 1
}
