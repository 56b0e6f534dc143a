int puts(const char *);
int inner_data[4] = {1, 2, 3, 4};
_Thread_local int inner_thread = 11;
__attribute__((weak)) int who(void) { return 1; }
int inner_who(void) { return who(); }
int inner_function(int v) { return v + inner_data[0]; }
__attribute__((visibility("hidden"))) int not_exported(void) { return 5; }
__attribute__((constructor)) static void start(void) { puts("inner starts"); }
