"""its tree builders by name, entity tables, broken markup."""
# /// script
# dependencies = ["beautifulsoup4", "lxml", "html5lib"]
# ///

import pickle

from bs4 import BeautifulSoup
from bs4.diagnose import lxml_trace

HTML = "<p class=a>one<b>two<p>three &eacute; <a href='/x'>link</a>"
for builder in ("html.parser", "lxml", "html5lib"):
    soup = BeautifulSoup(HTML, builder)
    print(builder, soup.select_one("a[href]")["href"], [p.get_text(strip=True) for p in soup.find_all("p")], soup)
print(BeautifulSoup("<a>\xe9</a>".encode("latin-1"), "html.parser").original_encoding)
print(pickle.loads(pickle.dumps(soup)).p["class"], BeautifulSoup("<x/>", "xml").prettify())
print(callable(lxml_trace), soup.p.prettify(formatter="html"))
try:
    BeautifulSoup("", "nothing")
except ValueError as error:
    print(str(error).split(":")[0])
