"""What the authors of the grooves wrote, without their asides.

Two kinds of text exist: a line per groove ("Add sustained strings to EasySwing1.") and a
paragraph per style file. Both mix description with advice, jokes and file names; only what
describes the sound is kept, and of that only what the rendered MIDI file does not contradict.
"""

from __future__ import annotations

import re

_SPELLING = {
    r"\bapp?reg[gi]+at": "arpeggiat",
    r"\barpegiat": "arpeggiat",
    r"\bapreggios?\b": "arpeggios",
    r"\barp and\b": "harp and",
    r"\barps?\b": "arpeggios",
    r"\bumm-pa-pa\b": "oom-pah-pah",
    r"\br[iy]th?y?mi?c\b": "rhythmic",
    r"\br(?:y|hy|yh)th?y?m\b": "rhythm",
    r"\bryhthm\b": "rhythm",
    r"\bRythmn\b": "rhythm",
    r"\bpercusion\b": "percussion",
    r"\bCalypos\b": "calypso",
    r"\bBarvarian\b": "Bavarian",
    r"\b[Ss]uffle\b": "shuffle",
    r"\bplusing\b": "pulsing",
    r"\blamentive\b": "plaintive",
    r"\bsoulfull\b": "soulful",
    r"\btecho\b": "techno",
    r"\breminicent\b": "reminiscent",
    r"\bbalad\b": "ballad",
    r"\bpickin'": "picking",
    r"\bApe?rgg?ios\b": "arpeggios",
    r"\bwith with\b": "with",
    r"\b8ths?\b": "eighth notes",
    r"\b16ths?\b": "sixteenth notes",
    r"\ba?pr?eggi?nating\b|\bapregginating\b": "arpeggiating",
    r"\ba(?:pr|r?pr)peg+ios\b|\barpeggions\b|\bapreggios\b": "arpeggios",
    r"\bstaight": "straight",
    r"\bdecending\b": "descending",
    r"\b[Mm]usicbox sounds\b": "music box",
    r"\b(?:an? )?(?:sustained|sustain) strings?(?! (?:section|arp))": "sustained strings",
    r"\ba pizzicato string\b": "pizzicato strings",
    r"\bhonky-piano\b": "honky-tonk piano",
    r"\bnothing to heavy\b": "nothing too heavy",
    r"\b[Bb]ubble gum\b": "bubblegum",
    r"\b[Bb]ossanova\b": "bossa nova",
    r"\b[Bb]e[Bb]op\b": "bebop",
    r"\b[Bb]lue[Gg]rass\b": "bluegrass",
    r"\band and\b": "and",
    r"\bnotes notes\b": "notes",
    r"\bstrings and steel$": "strings and steel drums",
    r"\bwalking bass fiddling\b": "walking bass and fiddling",
    r"\b(?:full )?walk(?= and| with|$)": "walking bass",
    r"\bwalking(?= with\b| and\b)": "walking bass",
    r"\bset or arpeggios\b": "set of arpeggios",
    r"\bDUH voices\b": "sung voices",
    r"\bChoirAahs\b": "choir",
    r"\bTremoloStrings\b": "tremolo strings",
    r"\bSteelGuitar\b": "steel guitar",
    r"\b(\d)(?:th)? note": r"\1th note",
}  # fmt: skip

# A sentence with any of these talks to the reader, jokes, compares with another groove or
# counts bars, which says nothing of how a loop of it sounds.
_ASIDE = re.compile(
    r"""\b(I|I'm|I've|I'd|me|my|you|your|you'll|you're|ya|we|we've|us|our|folks?|someone|
    use|used|uses\sthe|using|useful|useable|usable|try|tried|help|note|sorry|casio|yamaha|
    groove|grooves|song|songs|tune|tunes|piece|pieces|written|wrote|see|exemplar|example|demo|
    file|library|libaries|style\sfile|version\sof|variant|variants|variation|variations|
    converted|conversion|auto-generated|copied|ripoff|rip-off|attempt|supposed|modified|
    original|originally|same|similar|similiar|like|alternate|alternative|alternates?|another|
    boring|annoying|okay|ok|dull|silly|goofy|poor|hate|love|mystery|great|good|nice\stransition|
    sane|corny|bars?|beats?\s\d|on\s\d|sequence|pattern|patterns|tempo|tempos|bpm|chords\sper|
    remember|might|maybe|perhaps|probably|should|must|could|would|can't|don't|isn't|won't|
    instead|without|minus|no|not|removes?d?|remove|less|cut|kill|replac\w+|substitut\w+|chang\w+|
    only|skip\w*|louder|slower|faster|who|why|what|how|party|this|these|they|that|it|it's|them|
    sub-?style|section\s[AB]|main|supreme|reggae-ish|time|timing|seqlen|trying|plain\sold|
    full-meal-deal|standard\s?\.?$|wear|random\snotes|notes\sadded|push|chord\sjust|hits?|
    unshuffled|effect|stuff|noise|cheese|created|volume|let|bob's|things?|based|etc|touch|
    combines?|variety|meets?|major|has\sbeen|cool|back|yup|frauleins?|awful|wild|crazy|R\sthan\sB|
    huggers?|happyshuffle|more\srhythmic|quite\ssimple|for\svery|^for|just|backup|interesting\srhythm|light\son|set\so[fr]|turn|completely|convert|simpler|additional\spiano\snotes|lighter|native|traditional|
    style\sgives|dance\sfrom|filler|addition\sto|harmony|more\sbusy|sustained\sversion|bring|
    from\sscratch|to\sa?\s?hard|work|funky\stempos|background\smelody|straight\sahead\sgypsy|
    interest|needs?|ideas?|minstrel|music\snow|tutorial|works?|sounding\send|
    sort-of|heavenly|invited|imported|adjusted|intro|setting|mostly|quaint|finis)\b|[?:*=<>@\\/]|
    www|``|\"|''""",
    re.IGNORECASE | re.VERBOSE,
)

_GROOVE_NAME = re.compile(r"\b[A-Za-z]*[a-z][A-Z]\w*|\b[A-Za-z]{3,}\d\w*\b|\b\d+[A-Za-z]{3,}\d?\b")
_ADDED = re.compile(
    r"^(?:adds?|added|adding|includes?) (?:in )?(.+?)(?: (?:to|into) (?:the|our)?.*)?$", re.I
)
_IS_ADDED = re.compile(r"^(.+?) (?:is |are )?added(?: to .*| in)?$", re.I)
_FILLER = re.compile(
    r"(?:our|the|an?|simple|basic|standard|same|very|straight\w*|plain|normal|patterns?|version|"
    r"rhythm|groove|beat|style|set|articulated|bar|old|[A-Z]\w*|\S*\d\S*),?"
)
_NEGATIVE = re.compile(r"\b(less|not?|without|instead|chang\w+|replac\w+|minus|bars?|fill)\b", re.I)
_LISTED = re.compile(r"\d,\d|notes, \w+ notes|, ?$|^rock$|^piano voice|^sustained (?:and|with)\b")
_TAIL = re.compile(r"\s(?:pattern|version|groove|style|main|track|set|in [124])$", re.IGNORECASE)
_PROPER = (
    "R&B|Latin|European|Cuban|Spanish|Bavarian|Afro-Cuban|Broadway|Charleston|Dixieland|French|"
    "German|Dominican|Republic|Strauss|Eastern|Caribbean|Dixie|Western|Motown|African|BG"
)
_LEAD = re.compile(
    r"^(?:our|the|your|an?|very|just|some|basic|simple|main|standard|pretty|decent)\s",
    re.IGNORECASE,
)
_EMPTY = re.compile(
    r"^(?:(?:simple|basic|main|our|standard|nice|the|a|good|straight|additional) )*"
    r"(?:rhythm|groove|beat|style|set|track|version|pattern|interest|variety|sustain|notes|"
    r"strings of it|variation|noise|stuff|chords?|interval|string|melody|line|harmony)?\.?$",
    re.IGNORECASE,
)


def _spell(text: str) -> str:
    for wrong, right in _SPELLING.items():
        text = re.sub(wrong, right, text, flags=re.IGNORECASE)
    return text


def _case(phrase: str) -> str:
    """Lower case but for names, with "a" and "an" set right."""
    phrase = phrase.lower()
    for name in _PROPER.split("|"):
        phrase = re.sub(rf"\b{name}(?=\b|-)", name, phrase, flags=re.IGNORECASE)
    phrase = re.sub(r"\ban (?=[^aeiouAEIO8])", "a ", phrase)
    return re.sub(r"\ba (?=[aeioAEIO](?!uro)|8)", "an ", phrase)


def _sentences(text: str) -> list[str]:
    text = re.sub(r"\([^)]*\)?", " ", text)
    text = re.sub(r"\.\.\.+", ". ", text)
    parts = re.split(r"(?<=[.!?])\s+|\s-{2,3}\s?|;\s", " ".join(text.split()))
    return [part.strip(" .,!-'") for part in parts if part.strip(" .,!-'")]


def _addition(sentence: str) -> str | None:
    """What a sentence says a groove adds to its simpler sister, if it says that."""
    match = _ADDED.match(sentence) or _IS_ADDED.match(sentence)
    if match:
        return match.group(1)
    before, found, after = sentence.partition(" with ")
    plain = all(_FILLER.fullmatch(word) for word in before.split())
    # "Same 6/8 blues, but with a walking bass": only what follows is about the sound.
    if found and (plain or (_ASIDE.search(before) and not _NEGATIVE.search(before))):
        return re.sub(r"^(?:added|additional|an additional|extra|with) ", "", after)
    return None


def groove_words(description: str) -> list[str]:
    """Phrases of a groove's own line: "with ..." for what it adds, otherwise a noun phrase."""
    found = []
    listed = re.sub(r"^'?Main [A-D]\b(?: \d+ bars?)?[\s'-]*", "", description)
    for sentence in _sentences(_spell(listed)):
        added = _addition(sentence)
        phrase = added or sentence
        phrase = re.sub(r"\s(?:to|in|into)\s(?:the\s)?(?:mix|music|basic\w*)$", "", phrase)
        phrase = _TAIL.sub("", phrase)
        phrase = re.sub(r"\s(?:every|on)\s\d+(?:th|nd|rd)?\sbars?$", "", phrase)
        if _ASIDE.search(phrase) or _GROOVE_NAME.search(phrase) or _EMPTY.match(phrase):
            continue
        phrase = re.sub(r"^the ", "", phrase) if added else phrase
        while not added and _LEAD.match(phrase):
            phrase = _LEAD.sub("", phrase, count=1)
        phrase = re.sub(r"^bit of", "a bit of", phrase)
        if not 5 <= len(phrase) <= 90 or _EMPTY.match(phrase):
            continue
        if (not added and " " not in phrase) or _LISTED.search(phrase):
            continue
        found.append(_case(f"with {phrase}" if added else phrase))
    return found


def style_words(doc: str) -> list[str]:
    """Sentences of a style file's paragraph that describe how it sounds."""
    found = []
    text = re.sub(r"^[\w&+ -]{2,24}\(\d+\)\.?|^\d+ ?[Bb]eat \w*\d?\s?\(\d+\)\.?", "", doc)
    for sentence in _sentences(_spell(text)):
        sentence = re.sub(r"^(?:This is|It's|It is)\s(?:an?\s)?", "", sentence)
        sentence = _TAIL.sub("", sentence)
        if _ASIDE.search(sentence) or _GROOVE_NAME.search(sentence) or _EMPTY.match(sentence):
            continue
        while _LEAD.match(sentence):
            sentence = _LEAD.sub("", sentence, count=1)
        sentence = re.sub(
            r"^(?:bit (?:of )?(?:an? )?|standard, )", "", sentence, flags=re.IGNORECASE
        )
        sentence = sentence.strip(" ,")
        if 8 <= len(sentence) <= 110 and len(sentence.split()) >= 2:
            found.append(_case(sentence))
    return found


_STYLE_NOUN = re.compile(
    r"\b(ballads?|beat|jazz|swing|country|rhythm|polka|march|tango|hymn|blues|twist|rock|pop|bebop|"
    r"dance|bolero|samba|dixie|strut|listening|techno|60s|calypso|latin|waltz|funk|soul|r&b|zydeco|"
    r"fusion|quartet|gypsy|backup|bluegrass|foxtrot|metal|bubblegum|salsa|electronic|charleston|"
    r"dixieland|broadway|ditty|style)\b(?! guitar| organ)",
    re.IGNORECASE,
)


def names_style(phrase: str) -> bool:
    """Whether a phrase names a style, rather than what is played."""
    head = phrase.partition(" with ")[0]
    return not phrase.startswith("with ") and _STYLE_NOUN.search(head) is not None
