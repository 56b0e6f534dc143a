int from_program(int);
int outer_function(int);
int bundle_function(int v) { return from_program(v) + outer_function(v); }
