-- Prints what must be the same on every system, so that two builds can be compared.
local function show(...) print(string.format(("%s "):rep(select("#", ...)), ...)) end

-- Strings and formats.
show(("hello"):upper(), ("a,b,,c"):gsub(",", ";"), ("x"):rep(5, "-"), #"\u{20AC}", ("abc"):byte(1, -1))
for _, f in ipairs {"%d", "%5d|", "%-5d|", "%05d", "%x", "%#x", "%o", "%c"} do show(f, string.format(f, 65)) end
for _, f in ipairs {"%f", "%.3f", "%10.2f|", "%e", "%g", "%a", "%.14g"} do
  show(f, string.format(f, 3.14159), string.format(f, -1e300), string.format(f, 1 / 3))
end
show(string.format("%q %s %10.3s|", "a\n\0b", nil, "abcdef"), tostring(1e15), tostring(2 ^ 53), 10 // 3, -7 % 3, 7 // 0.0)
show(tonumber("0x1p4"), tonumber("  12  "), tonumber("1e1"), tonumber("z", 36), tonumber("nope"), math.tointeger(3.0))
for k, v in string.gmatch("one=1, two=2", "(%w+)=(%w+)") do show(k, v) end
show(string.pack("<i4", 100):byte(1, -1))
show(string.unpack("<d", string.pack("<d", 0.1)))
for _, class in ipairs {"a", "d", "l", "s", "u", "w", "x", "p", "c", "g"} do
  local n = 0
  for c = 0, 255 do if string.char(c):match("%" .. class) then n = n + 1 end end
  show("class", class, n)
end
show("a" < "b", "Z" < "a", "a\0b" < "a\0c", ("%d"):format(3.0))

-- Tables and sorting.
local t = {}
for i = 1, 2000 do t[i] = (i * 7919) % 2003 end
table.sort(t)
show(t[1], t[1000], t[2000], #t, table.concat({1, 2, 3}, "+"), select("#", table.unpack({1, nil, 3}, 1, 3)))
table.sort(t, function(a, b) return a > b end)
show(t[1], table.remove(t), table.move({1, 2, 3}, 2, 3, 1)[1])

-- Errors: pcall is setjmp, error is longjmp, also through C functions and coroutines.
local function deep(n) if n == 0 then error({code = 42}) end return deep(n - 1) + 1 end
for _ = 1, 100 do
  local ok, e = pcall(deep, 150)
  assert(not ok and e.code == 42)
end
show(pcall(error))
show(pcall(string.rep))
show(pcall(table.sort, {3, 1, 2, 5, 4}, function(a, b) error("in a comparison", 0) end))
show(xpcall(function() local x = nil; return x.y end, function(m) return "handled: " .. m end))
show(select(2, pcall(function() return 1 + {} end)))
show(load("return 1 +"))
show(pcall(deep, 1e7) == false)
do
  local log = {}
  local ok = pcall(function()
    local a <close> = setmetatable({}, {__close = function() log[#log + 1] = "a" end})
    local b <close> = setmetatable({}, {__close = function() log[#log + 1] = "b" end})
    error("closing")
  end)
  show(ok, table.concat(log))
end

-- Coroutines.
local generator = coroutine.wrap(function() for i = 1, 3 do coroutine.yield(i, pcall(coroutine.yield, "inner")) end end)
for _ = 1, 6 do show(generator()) end
local co = coroutine.create(function() error("in a coroutine") end)
show(coroutine.resume(co))
show(coroutine.status(co), coroutine.isyieldable())
local threads = {}
for i = 1, 200 do threads[i] = coroutine.create(function(a) for k = 1, 10 do a = a + coroutine.yield(a) end return a end) end
local sum = 0
for k = 0, 10 do for i = 1, 200 do sum = sum + select(2, coroutine.resume(threads[i], i + k)) end end
show(sum)

-- Mathematics.
for _, f in ipairs {"sin", "cos", "tan", "asin", "acos", "atan", "exp", "sqrt"} do show(f, string.format("%.10f", math[f](0.5))) end
show(string.format("%.10f %.10f", math.log(10), math.log(8, 2)), math.fmod(-7, 3), math.huge, -math.huge, math.pi)
show(math.maxinteger + 1 == math.mininteger, 1 << 62, ~0, 5 // -2, math.ult(1, -1), 0x7fffffffffffffff)
math.randomseed(42)
show(math.random(1, 100), math.random(1, 100), string.format("%.6f", math.random()))

-- Files and the system.
local name = arg[1]
local f = assert(io.open(name, "w"))
show(f:write("first\n", 2, "\nthird ", 4.5, "\n0x10 rest") == f)
f:close()
for line in io.lines(name) do show(line) end
f = io.open(name)
show(f:read("l", "n", "L", "l", "n", "a"))
show(f:seek("set", 3), f:read(2), f:seek("end"), f:read("a"), f:read("l"))
f:close()
f = io.open(name, "a+b")
f:setvbuf("full", 1024)
f:write("\nappended")
f:seek("set")
show(#f:read("a"))
f:close()
show(io.open("/does/not/exist/here"))
show(pcall(io.lines, "/does/not/exist/here"))
show(io.type(f), io.type(io.stdout), os.getenv("NOT_SET_ANYWHERE"), os.getenv("SOME_VARIABLE"))
show(os.date("!%Y-%m-%d %H:%M:%S", 1000000000), os.time({year = 2001, month = 9, day = 9, hour = 12}) > 0)
show(os.date("!*t", 86400).yday, type(os.clock()), os.rename(name, name .. ".2"), os.remove(name .. ".2"))
show(os.remove(name))
local p = io.popen("echo from the shell; exit 3")
show(p:read("a"))
show(p:close())
show(os.execute("exit 5"))
show(os.setlocale(), os.setlocale("xx_YY"))
show(collectgarbage("count") > 0, #arg)
io.stderr:write("to the error stream\n")
io.stdout:write("the end\n")
os.exit(7, true)
