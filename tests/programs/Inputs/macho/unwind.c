/* Exceptions without C++: frames of many shapes with cleanups, and a frame that catches with a personality of its
 * own. What is printed depends on the tables that the linker wrote. */
#define NOINLINE __attribute__((noinline))
int printf(const char *, ...);
void *malloc(unsigned long);
void exit(int);

typedef struct Context Context;
typedef struct Exception {
  unsigned long class;
  void (*cleanup)(int, struct Exception *);
  unsigned long private_1, private_2;
} __attribute__((aligned(16))) Exception;
int _Unwind_RaiseException(Exception *);
int _Unwind_ForcedUnwind(Exception *, int (*)(int, int, unsigned long, Exception *, Context *, void *), void *);
int _Unwind_Backtrace(int (*)(Context *, void *), void *);
unsigned long _Unwind_GetIP(Context *), _Unwind_GetRegionStart(Context *), _Unwind_GetCFA(Context *);
void _Unwind_SetGR(Context *, int, unsigned long);
void _Unwind_SetIP(Context *, unsigned long);
typedef long Jump[48];
int _setjmp(Jump) __attribute__((returns_twice));
void _longjmp(Jump, int) __attribute__((noreturn));

static Exception exception;
static volatile int zero;

static void say(const int *n) { printf("cleanup %d\n", *n); }
#define CLEAN(n) __attribute__((cleanup(say), unused)) int guard = n

NOINLINE static int leaf(int how) {
  if (how == 1)
    _Unwind_RaiseException(&exception);
  printf("nobody catches\n");
  return how;
}

/* Many registers are live over the call, so that all are saved and must come back. */
NOINLINE static int registers(int how) {
  CLEAN(1);
  volatile int *v = &zero;
  int a = *v + 1, b = *v + 2, c = *v + 3, d = *v + 4, e = *v + 5, f = *v + 6, g = *v + 7, h = *v + 8;
  int r = leaf(how);
  return r + a * b * c * d + e * f * g * h;
}

/* A frame too large for the immediate field of a compact encoding. */
NOINLINE static int large(int how) {
  CLEAN(2);
  volatile char big[70000];
  big[how] = 1;
  return registers(how) + big[how];
}

/* The size of the frame is known at run time only. */
NOINLINE static int dynamic(int how) {
  CLEAN(3);
  volatile char *p = __builtin_alloca((unsigned long)(how + zero) * 100 + 16);
  p[0] = 1;
  return large(how) + p[0];
}

/* Nothing to clean. */
NOINLINE static int plain(int how) { return dynamic(how) * 2 + zero; }

NOINLINE static int several(int how) {
  CLEAN(4);
  int before = plain(how);
  {
    CLEAN(5);
    before += plain(how);
  }
  return before;
}

NOINLINE static int in_block(int how) {
  int r = 0;
  {
    CLEAN(6);
    r = several(how);
  }
  return r + 1;
}

/* The floating point registers that a call preserves, on arm64. */
NOINLINE static double floating(int how) {
  CLEAN(7);
  double a = zero + 1.5, b = zero + 2.5, c = zero + 3.5;
  int r = in_block(how);
  return a * b * c + r;
}

static Jump jump;
static int frames;

/* Ends a forced unwind in main by a jump. */
static int stop(int version, int actions, unsigned long class, Exception *e, Context *c, void *argument) {
  (void)class, (void)e;
  frames++;
  if (version != 1 || !(actions & 8))
    exit(3);
  if (_Unwind_GetRegionStart(c) == (unsigned long)argument || actions & 16)
    _longjmp(jump, 1);
  return 0;
}

NOINLINE static int forced(int how) {
  CLEAN(8);
  if (how == 2)
    _Unwind_ForcedUnwind(&exception, stop, (void *)0);
  return leaf(how);
}

/* assembled in catch.s: calls its argument; 42 when that was left by an exception. */
int catch_all(double (*)(int), int);
/* The personality of catch_all: its language specific data are the offset of the handler. */
extern int catch_data[];
int catch_personality(int version, int actions, unsigned long class, Exception *e, Context *c);
unsigned long _Unwind_GetLanguageSpecificData(Context *);
int catch_personality(int version, int actions, unsigned long class, Exception *e, Context *c) {
  (void)class;
  const int *data = (const int *)_Unwind_GetLanguageSpecificData(c);
  if (version != 1 || e != &exception || !data)
    exit(4);
  if (actions & 1)
    return 6;
  printf("caught in %s frame\n", actions & 4 ? "the handler's" : "another");
  _Unwind_SetGR(c, 0, 42);
  _Unwind_SetIP(c, _Unwind_GetRegionStart(c) + (unsigned long)*data);
  return 7;
}

static int trace(Context *c, void *p) {
  (void)c;
  ++*(int *)p;
  return 0;
}
NOINLINE static int depth(int n) {
  int count = 0;
  if (n)
    return depth(n - 1) + zero;
  _Unwind_Backtrace(trace, &count);
  return count;
}

int main(void) {
  printf("%d\n", catch_all(floating, 1));
  if (!_setjmp(jump))
    forced(2);
  printf("frames: %d\n", frames);
  printf("depth %d\n", depth(5) - depth(2));
  printf("%d\n", (int)floating(0));
  printf("raise: %d\n", registers(1) > 0);
  return 0;
}
