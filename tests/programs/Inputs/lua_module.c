/* A module that Lua loads at run time: it calls back into the interpreter that opened it. */
#include <lauxlib.h>
#include <lua.h>

static int add(lua_State *L) {
  lua_pushinteger(L, luaL_checkinteger(L, 1) + luaL_checkinteger(L, 2));
  return 1;
}

static int fail(lua_State *L) { return luaL_error(L, "failed with %s", luaL_checkstring(L, 1)); }

int luaopen_lua_module(lua_State *L);
int luaopen_lua_module(lua_State *L) {
  static const luaL_Reg functions[] = {{"add", add}, {"fail", fail}, {NULL, NULL}};
  luaL_newlib(L, functions);
  return 1;
}
