/* weld_version.h: the program's name and version, in one place. The trap: configure scripts read
 * this line. They look for "GNU"; libtool takes " 0." or " 1." after a blank for a GNU ld that is too
 * old for anonymous version scripts, hence the "v". */
#ifndef WELD_CORE_WELD_VERSION_H
#define WELD_CORE_WELD_VERSION_H

#ifndef WELD_VERSION
#define WELD_VERSION "0.1.0"
#endif

#define WELD_VERSION_LINE "weld v" WELD_VERSION " (compatible with GNU linkers)"

#endif
