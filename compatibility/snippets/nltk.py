"""stemmers, taggers by rules, grammars, trees; the search for data that is not there."""

import nltk
from nltk.stem import PorterStemmer, SnowballStemmer
from nltk.tokenize import RegexpTokenizer, TreebankWordTokenizer, TweetTokenizer

text = "Don't panic: the runners were running quickly, weren't they?"
words = TreebankWordTokenizer().tokenize(text)
print(words, TweetTokenizer().tokenize("so cool :-) #yes"), RegexpTokenizer(r"\w+").tokenize(text))
print(
    [PorterStemmer().stem(word) for word in words],
    SnowballStemmer("german").stem("Häuser"),
    SnowballStemmer.languages[:4],
)
grammar = nltk.CFG.fromstring("S -> N V\nN -> 'dogs' | 'cats'\nV -> 'run'")
for tree in nltk.ChartParser(grammar).parse(["dogs", "run"]):
    print(tree, tree.pformat_latex_qtree())
print(
    nltk.RegexpTagger([(r".*ing$", "VBG"), (r".*", "NN")]).tag(["running", "dog"]),
    nltk.edit_distance("kitten", "sitting"),
)
print(
    list(nltk.bigrams("abc")),
    nltk.FreqDist("banana").most_common(2),
    round(nltk.translate.bleu_score.sentence_bleu([words], words), 3),
)
try:
    nltk.data.find("corpora/nothing")
except LookupError as error:
    print([line.strip() for line in str(error).splitlines() if "Resource" in line])
