/* weld_version.h: the program's name and version, in one place. The trap: build systems decide by this line what they may
 * ask of a linker, each in its own way:
 *   - autoconf and libtool look for "GNU"; libtool takes " 0." or " 1." after a blank for a GNU ld that is too old for
 *     anonymous version scripts, hence the "v";
 *   - CMake (3.29 and later) and Meson look for "LLD"; CMake wants a version after it, and knows GNU ld only by its own line;
 *   - Linux (scripts/ld-version.sh) takes lines that begin with "GNU ld", and those with the word LLD and a version from
 *     13.0.1 on; everything else is an unknown linker.
 * LLD is what weld can do at least, of options as of relocations; what Linux does differently for it is to offer its
 * link-time optimisation where clang compiles, which must be chosen. Claiming to be GNU ld would ask for a line without our name in front. */
#ifndef WELD_CORE_WELD_VERSION_H
#define WELD_CORE_WELD_VERSION_H

#ifndef WELD_VERSION
#define WELD_VERSION "0.1.0"
#endif

#define WELD_VERSION_LINE "weld v" WELD_VERSION " (compatible with GNU ld, LLD 19.1.0)"

#endif
