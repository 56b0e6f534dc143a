/* shims_same.c: functions that are the same on macOS and on Linux: name, ABI, and all that is passed. */
#include <ctype.h>
#include <inttypes.h>
#include <math.h>
#include <sched.h>
#include <stdlib.h>
#include <strings.h>
#include <time.h>
#include <unistd.h>
#include <wchar.h>
#include <wctype.h>

#include "shims.h"

const Shim shims_same[] = {
    /* string.h, strings.h */
    SAME(memcpy), SAME(memmove), SAME(memset), SAME(memcmp), SAME(memchr), SAME(memmem), SAME(strlen), SAME(strnlen),
    SAME(strcmp), SAME(strncmp), SAME(strcasecmp), SAME(strncasecmp), SAME(strcpy), SAME(strncpy), SAME(strcat),
    SAME(strncat), SAME(stpcpy), SAME(stpncpy), SAME(strchr), SAME(strrchr), SAME(strstr), SAME(strcasestr),
    SAME(strspn), SAME(strcspn), SAME(strpbrk), SAME(strtok), SAME(strtok_r), SAME(strdup), SAME(strndup),
    SAME(strcoll), SAME(strxfrm), SAME(strsep), SAME(bzero), SAME(bcmp), SAME(bcopy), SAME(index), SAME(rindex),
    SAME(ffs), SAME(ffsl), SAME(ffsll),
    /* stdlib.h */
    SAME(malloc), SAME(calloc), SAME(realloc), SAME(free), SAME(aligned_alloc), SAME(posix_memalign), SAME(valloc),
    SAME(abort), SAME(exit), SAME(_exit), SAME(_Exit), SAME(atexit), SAME(getenv), SAME(setenv), SAME(unsetenv),
    SAME(putenv), SAME(system), SAME(atoi), SAME(atol), SAME(atoll), SAME(atof), SAME(strtol), SAME(strtoul),
    SAME(strtoll), SAME(strtoull), SAME(strtoimax), SAME(strtoumax), SAME(strtod), SAME(strtof), SAME(qsort),
    SAME(bsearch), SAME(rand), SAME(srand), SAME(rand_r), SAME(random), SAME(srandom), SAME(drand48), SAME(abs),
    SAME(labs), SAME(llabs), SAME(div), SAME(ldiv), SAME(lldiv), SAME(mkstemp), SAME(mkdtemp), SAME(realpath),
    SAME(arc4random), SAME(arc4random_buf), SAME(arc4random_uniform),
    /* math.h */
    SAME(sin), SAME(cos), SAME(tan), SAME(asin), SAME(acos), SAME(atan), SAME(atan2), SAME(sinh), SAME(cosh),
    SAME(tanh), SAME(asinh), SAME(acosh), SAME(atanh), SAME(exp), SAME(exp2), SAME(expm1), SAME(log), SAME(log2),
    SAME(log10), SAME(log1p), SAME(logb), SAME(pow), SAME(sqrt), SAME(cbrt), SAME(hypot), SAME(floor), SAME(ceil),
    SAME(round), SAME(trunc), SAME(rint), SAME(nearbyint), SAME(lround), SAME(llround), SAME(lrint), SAME(llrint),
    SAME(fabs), SAME(fmod), SAME(remainder), SAME(remquo), SAME(fma), SAME(fmax), SAME(fmin), SAME(fdim),
    SAME(frexp), SAME(ldexp), SAME(modf), SAME(scalbn), SAME(ilogb), SAME(copysign), SAME(nextafter), SAME(erf),
    SAME(erfc), SAME(tgamma), SAME(lgamma), SAME(nan), SAME(sinf), SAME(cosf), SAME(tanf), SAME(expf), SAME(logf),
    SAME(log2f), SAME(log10f), SAME(powf), SAME(sqrtf), SAME(floorf), SAME(ceilf), SAME(roundf), SAME(truncf),
    SAME(fabsf), SAME(fmodf), SAME(ldexpf), SAME(frexpf), SAME(atan2f), SAME(hypotf),
    /* wchar.h; wchar_t is an int on both */
    SAME(wcslen), SAME(wcscpy), SAME(wcscmp), SAME(wcsncmp), SAME(wcschr), SAME(wcscoll), SAME(wcsxfrm),
    SAME(wmemchr), SAME(wmemcmp), SAME(wmemcpy), SAME(wmemmove), SAME(wmemset), SAME(wcstol), SAME(wcstoul),
    SAME(wcstoll), SAME(wcstoull), SAME(wcstod), SAME(wcstof), SAME(btowc), SAME(wctob), SAME(towlower),
    SAME(towupper),
    /* ctype.h as functions */
    SAME(isalnum), SAME(isalpha), SAME(iscntrl), SAME(isdigit), SAME(isgraph), SAME(islower), SAME(isprint),
    SAME(ispunct), SAME(isspace), SAME(isupper), SAME(isxdigit), SAME(tolower), SAME(toupper), SAME(isblank),
    /* time.h; struct tm and struct timespec are the same */
    SAME(time), SAME(difftime), SAME(mktime), SAME(timegm), SAME(gmtime), SAME(gmtime_r), SAME(localtime),
    SAME(localtime_r), SAME(strftime), SAME(asctime), SAME(ctime), SAME(clock), SAME(nanosleep), SAME(tzset),
    /* unistd.h */
    SAME(read), SAME(write), SAME(pread), SAME(pwrite), SAME(close), SAME(lseek), SAME(dup), SAME(dup2), SAME(pipe),
    SAME(access), SAME(unlink), SAME(rmdir), SAME(link), SAME(symlink), SAME(readlink), SAME(chdir), SAME(fchdir),
    SAME(getcwd), SAME(chown), SAME(fchown), SAME(truncate), SAME(ftruncate), SAME(fsync), SAME(isatty),
    SAME(getpid), SAME(getppid), SAME(getuid), SAME(geteuid), SAME(getgid), SAME(getegid), SAME(fork), SAME(sleep),
    SAME(usleep), SAME(alarm), SAME(getpagesize), SAME(sched_yield),
    {0},
};
