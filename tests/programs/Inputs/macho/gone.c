int gone_function(void) { return 1; }
