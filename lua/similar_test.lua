local check = require "check"
local similar = require "similar"

return {
  ["normalise: case of ASCII and white space"] = function()
    check.equal(similar.normalise("  Old \t Mill\nROAD "), "old mill road")
    check.equal(similar.normalise(""), "")
    check.equal(similar.normalise("ÄB"), "Äb")
    check.equal(similar.normalise(nil), nil)
  end,

  -- The numbers of pg_trgm's documentation and of counting by hand: "  w", " wo", "wor", "ord", "rd ".
  ["similarity: trigrams of words, as pg_trgm counts them"] = function()
    check.equal(similar.similarity("word", "word"), 1.0)
    check.equal(similar.similarity("word", "WORD!"), 1.0)
    check.equal(similar.similarity("word", "two words"), 4 / 11)
    check.equal(similar.similarity("abc", "xyz"), 0.0)
    check.equal(similar.similarity("", "abc"), 0.0)
    check.equal(similar.similarity(nil, "abc"), 0.0)
    check.equal(similar.similarity("é", "é"), 1.0)
  end,

  ["distance: characters to change"] = function()
    check.equal(similar.distance("kitten", "sitting"), 3)
    check.equal(similar.distance("", "abc"), 3)
    check.equal(similar.distance("äöü", "äou"), 2)
    check.equal(similar.distance("same", "same"), 0)
    check.equal(similar.distance(nil, "a"), nil)
  end,

  ["distance: nil beyond the most"] = function()
    check.equal(similar.distance("kitten", "sitting", 3), 3)
    check.equal(similar.distance("kitten", "sitting", 2), nil)
    check.equal(similar.distance("a", "abcdef", 2), nil)
    check.equal(similar.distance("abc", "abc", 0), 0)
  end,
}
