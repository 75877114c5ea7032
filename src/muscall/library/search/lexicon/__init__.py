"""Musical words of other languages in English: a file each, written by hand.

A line is `English: words or phrases of the language`; `#` stands for a number, and what stands for no
English word has none before the colon. `[adjectives]` and `[nouns]` name what follows, `-en` an
ending that a word may have beside how it is listed, `-oes ao` one that stands for another.
"""
