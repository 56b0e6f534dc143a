-- What Lua's libraries and its loader need of a linker: calls through tables, setjmp, libm, dlopen.
assert(math.floor(math.sin(1) * 1000) == 841 and math.type(3) == "integer" and 7 // 2 == 3)
assert(string.format("%5.2f|%q|%s", 3.14159, "a\n", {} ~= nil) == ' 3.14|"a\\\n"|true')
assert(("key=value"):match("(%w+)=(%w+)") == "key" and ("x"):rep(3, ",") == "x,x,x")
local t = {}
for i = 1, 1000 do t[#t + 1] = (i * 7919) % 1009 end
table.sort(t)
for i = 2, #t do assert(t[i - 1] <= t[i]) end
local ok, err = pcall(function() error({code = 7}) end)
assert(not ok and err.code == 7)
local co = coroutine.wrap(function(a) local b = coroutine.yield(a + 1); return b * 2 end)
assert(co(1) == 2 and co(21) == 42)
local meta = setmetatable({}, {__index = function(_, k) return k .. "!" end, __gc = function() end, __close = function() end})
assert(meta.x == "x!")
collectgarbage()
package.cpath = "./?.so"
local m = require("lua_module")
assert(m.add(20, 22) == 42)
local fine, message = pcall(m.fail, "reason")
assert(not fine and message:find("failed with reason"))
assert(load("return 1 + ...")(41) == 42 and utf8.char(228) == "ä" and os.time() > 0)
local f = assert(io.open("lua-test.tmp", "w"))
f:write("line 1\nline 2\n"); f:close()
local n = 0
for line in io.lines("lua-test.tmp") do n = n + #line end
assert(n == 12 and os.remove("lua-test.tmp"))
print("lua: all is well")
