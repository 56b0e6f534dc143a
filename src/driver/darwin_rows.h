/* darwin_rows.h: what the files of the driver for Apple's command line share. Private to src/driver/darwin*.c. */
#ifndef WELD_DRIVER_DARWIN_ROWS_H
#define WELD_DRIVER_DARWIN_ROWS_H

#include "driver/darwin.h"
#include "driver/rows.h"

extern const OptionRow darwin_rows[];
extern const u32 darwin_nrows;

typedef struct {
  u32 platform, min, sdk;
} PlatformVersion;

typedef struct {
  union {
    struct {
      DRIVER_STATE;
    };
    Driver driver;
  };
  char **values;      /* the words that are the value of the option in hand, as many as its row says */
  bool version_shown; /* -v: success without inputs */
  StrVec lib_dirs, framework_dirs; /* -L and -F as they were given */
  VEC(PlatformVersion) platforms;
  u32 sdk_version;    /* -sdk_version; 0: none */
  const char *export_option, *unexport_option, *version_option; /* the last that was given, for messages */
  Tri chained, adhoc, data_const, pie;
} Darwin;

/* One non-option argument. */
void darwin_add_input(Darwin *g, const char *name);
/* "X", "X.Y" or "X.Y.Z" as 16, 8 and 8 bits. */
bool darwin_version(const char *s, u32 *out);
/* After the last argument: directories, defaults that depend on the target, what options say together. */
void darwin_finish(Darwin *g);

#endif
