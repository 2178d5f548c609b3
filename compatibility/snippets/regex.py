"""an extension module imported relatively: fuzzy matches, properties, captures, pickling."""

import pickle

import regex

print(regex.findall(r"(?:cats){e<=1}", "cat cuts cats"), regex.findall(r"\p{Greek}+", "abc αβγ"))
print(regex.match(r"(?:(\w)(\d))+", "a1b2").captures(1), regex.split(r"(?V1)(?=b)", "abab"))
pattern = regex.compile(r"(?<n>\X)", regex.V1)
print(
    pickle.loads(pickle.dumps(pattern)).pattern,
    pattern.findall("e\u0301a"),
    regex.sub(r"(?i)straße", "x", "STRASSE"),
)
try:
    regex.compile("(a")
except regex.error as error:
    print(error)
print(regex.search(r"(?r)\d+", "a12b34").group(), regex.fullmatch(r"(?<a>.)\g<a>", "xy") is not None)
