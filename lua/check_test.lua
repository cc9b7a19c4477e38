local check = require "check"

return {
  ["equal: values, not texts that look alike"] = function()
    check.equal(1, 1)
    check.equal(nil, nil)
    check.error(function() check.equal(1, "1") end, 'expected: "1"\ngot:      1')
    check.error(function() check.equal(1, 1.0) end, "expected: 1.0")
    check.error(function() check.equal({}, {}) end, "not equal")
  end,

  ["same: tables all the way down; each difference has its place"] = function()
    check.same({ 1, { a = "x" } }, { 1, { a = "x" } })
    check.error(function() check.same({ a = { b = 1 }, c = 2 }, { a = { b = 3 } }) end,
      ".a.b: expected 3, got 1\n.c: not expected, got 2\nexpected: { a = { b = 3 } }\ngot:      { a = { b = 1 }, c = 2 }")
    check.error(function() check.same({ 1 }, { 1, 2 }) end, "[2]: expected 2, got nil")
    check.error(function() check.same(nil, {}) end, "expected {}, got nil")
  end,

  ["truthy"] = function()
    check.truthy(0)
    check.error(function() check.truthy(nil) end, "got: nil")
    check.error(function() check.truthy(false, "because") end, "because")
  end,

  ["error: an error must come, and say what it should"] = function()
    check.error(function() error("this is wrong") end, "is wrong")
    check.error(function() check.error(function() end) end, "no error was raised")
    check.error(function() check.error(function() error("a") end, "b") end, "another error")
  end,
}
