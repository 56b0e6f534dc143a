int many_0(void), many_65280(void), many_69999(void);
int main(void) { return !(many_0() == 0 && many_65280() == 65280 && many_69999() == 69999); }
