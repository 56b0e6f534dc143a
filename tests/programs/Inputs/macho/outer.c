int puts(const char *);
int inner_function(int);
extern int inner_data[];
extern _Thread_local int inner_thread;
__attribute__((weak)) int who(void) { return 2; }
int outer_who(void) { return who(); }
int *outer_pointer = &inner_data[2]; /* a bind with an addend */
int not_exported(void) { return 6; }
int outer_function(int v) { return inner_function(v) * 10 + inner_thread; }
__attribute__((constructor)) static void start(void) { puts("outer starts"); }
