/* gnu_rows.h: what the files of the GNU driver share: the rows of gnu.def, and the state of one parse. Private to src/driver/gnu*.c and help.c. */
#ifndef WELD_DRIVER_GNU_ROWS_H
#define WELD_DRIVER_GNU_ROWS_H

#include "driver/rows.h"

extern const OptionRow gnu_rows[];   /* every option but the keywords of -z */
extern const OptionRow gnu_z_rows[]; /* the keywords of -z */
extern const u32 gnu_nrows, gnu_nz_rows;
/* Of script/emulation.def: what -m names, and the format that each writes. */
extern const char *const gnu_emulations[], *const gnu_formats[];
extern const u32 gnu_nemulations;

/* The version and the emulations, as -V prints them. In the arena. */
const char *gnu_version_text(Arena *a);

/* What governs the inputs that follow; --push-state saves it. */
typedef struct {
  bool as_needed, whole_archive, bstatic, binary;
} InputState;

typedef struct {
  union {
    struct {
      DRIVER_STATE;
    };
    Driver driver;
  };
  InputState state;
  VEC(InputState) saved;
  u32 group, groups;  /* the open group, 0: none; how many there were */
  /* Settled after the last argument: they depend on -L, --sysroot or -o. */
  StrVec version_scripts, dynamic_lists, export_lists;
  bool version_shown; /* -v: success without inputs */
  const char *default_script; /* -dT */
  bool wants_format, wants_sysroot; /* --print-output-format, --print-sysroot: what the whole line says */
} Gnu;

/* Adds a linker script to the inputs. */
Input *gnu_add_script(Gnu *g, const char *name);
/* Takes one non-option argument. */
void gnu_add_input(Gnu *g, const char *name);
/* After the last argument: directories, scripts, and what options say together. */
void gnu_finish(Gnu *g);
#endif
