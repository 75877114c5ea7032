"""Conditions in a listener's words: years, lengths, tempi and keys."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from muscall.clock import clock
from muscall.library.names import folded
from muscall.library.search.query import Kind, Part

TEMPO_WITHIN = 0.04  # share by which a tempo may differ from the one that is named
_LENGTH_WITHIN = 0.1  # and a length from one that is "about" right

_TO_TWELVE = [
    *("one", "two", "three", "four", "five", "six"),
    *("seven", "eight", "nine", "ten", "eleven", "twelve"),
]
_WORDS = {word: float(number) for number, word in enumerate(_TO_TWELVE, 1)}
_WORDS |= {"half an": 0.5, "a": 1.0, "an": 1.0, "fifteen": 15.0, "twenty": 20.0, "thirty": 30.0}
_DECADES = {
    "fifties": 1950, "sixties": 1960, "seventies": 1970, "eighties": 1980, "nineties": 1990,
    "noughties": 2000,
}  # fmt: skip
_PARTS = {"early": (0, 3), "mid": (4, 6), "late": (7, 9), "": (0, 9)}
_SECONDS = {"s": 1.0, "m": 60.0, "h": 3600.0}

_SPOKEN = "|".join(sorted(_WORDS, key=len, reverse=True))
_NUMBER = rf"(?:\d{{1,5}}(?:\.\d{{1,3}})?|{_SPOKEN})"
_UNIT = r"(?:s|secs?|seconds?|m|mins?|minutes?|h|hours?)\b"
_TIME = rf"(?:\d+:\d\d\b(?:\s*min(?:ute)?s?\b)?|{_NUMBER}(?:\s+and\s+a\s+half)?[\s-]*{_UNIT})"
_YEAR = r"(?:1[89]|20)\d\d\b(?!\s?['\u2019]?s\b)"
_DECADE = (
    rf"(?:(?:early|mid|late)[\s-]+)?(?:(?:(?:1[89]|20)?\d0)['\u2019]?s|{'|'.join(_DECADES)})\b"
)
_AGE = rf"(?:{_YEAR}|(?:the\s+)?{_DECADE})"
_BPM = r"\s*(?:bpm|beats\s+(?:per|a)\s+minute)\b"
_TO = r"\s*(?:-|\u2013|\bto\b|\band\b|\buntil\b|\btill\b)\s*"
_ABOUT = r"(?:\b(?:around|about|approximately|roughly|circa|at)\s+|~\s*)"
_LONG = r"(?:\s+long\b)?"
_SONGS = r"(?=\s+(?:songs?|music|tracks?|tunes?|hits?|records?|albums?|classics?)\b)"
_SIGNS = {
    ">=": r"at\s+least|minimum(?:\s+of)?|(?:no|not)\s+(?:less|shorter|slower)\s+than",
    "<=": r"at\s+most|up\s+to|maximum(?:\s+of)?|(?:no|not)\s+(?:more|longer|faster)\s+than",
    ">": r"over|above|more\s+than|longer\s+than|faster\s+than",
    "<": r"under|below|less\s+than|shorter\s+than|slower\s+than",
}
_SAID = {">=": "at least", "<=": "at most", ">": "over", "<": "under"}
_BOUND = rf"\b(?P<bound>{'|'.join(_SIGNS.values())})\s+"

Meaning = tuple[str, str]
"""What a condition asks for, and the filter that says it."""
Rule = tuple[Kind, str, Callable[[re.Match[str]], Meaning]]


def take_conditions(sentence: str) -> tuple[str, list[Part]]:
    """A sentence without the conditions in it, and these.

    Example:
        >>> take_conditions("calm piano from the 90s")
        ('calm piano', [Part(kind='year', value='1990 to 1999', ...)])
    """
    return _taken(sentence, _RULES)


def take_keys(sentence: str) -> tuple[str, list[Part]]:
    """A sentence without the keys that it names as other languages do, and these.

    Example:
        >>> take_keys("Klavier in a-Moll")
        ('Klavier', [Part(kind='key', value='A minor', ...)])
    """
    return _taken(sentence, _KEYS)


def _taken(sentence: str, rules: Sequence[Rule]) -> tuple[str, list[Part]]:
    parts: list[Part] = []
    for kind, pattern, meaning in rules:
        while found := re.search(pattern, sentence, re.IGNORECASE):
            parts.append(Part(kind, *_in_order(meaning(found), found)))
            sentence = f"{sentence[: found.start()]} {sentence[found.end() :]}"
    if not parts:
        return sentence, parts
    sentence = re.sub(r"\s+(?=[,;])|\s+$", "", re.sub(r"\s+", " ", sentence))
    sentence = re.sub(r"(?:[\s,;]|\b(?:and|or|but|with|at|of|in|from)\b)+$", "", sentence)
    return re.sub(r"^(?:[\s,;]|\b(?:and|or|but)\b)+", "", sentence), parts


def _in_order(meaning: Meaning, found: re.Match[str]) -> tuple[str, str, str]:
    value, where = meaning
    return value, found[0].strip(), where


def _plain(number: float) -> str:
    """As filters write numbers: without an exponent."""
    return f"{number:.3f}".rstrip("0").rstrip(".")


def _range(column: str, first: float, last: float) -> str:
    return f"{column} >= {_plain(first)} and {column} <= {_plain(last)}"


def _years(text: str) -> tuple[int, int]:
    """The first and last year of "1994", "the 90s", "late nineties"."""
    text = text.lower().removeprefix("the").strip()
    if re.fullmatch(r"\d{4}", text):
        return int(text), int(text)
    part = next(name for name in _PARTS if text.startswith(name))
    name = text.removeprefix(part).strip(" -")
    first = _DECADES.get(name) or int(re.sub(r"\D", "", name))
    if first < 100:
        first += 1900 if first >= 30 else 2000
    return first + _PARTS[part][0], first + _PARTS[part][1]


def _in_years(found: re.Match[str]) -> Meaning:
    ages = [_years(age) for age in (found["age"], found.groupdict().get("last")) if age]
    first, last = min(age[0] for age in ages), max(age[1] for age in ages)
    if first == last:
        return str(first), f"year = {first}"
    return f"{first} to {last}", _range("year", first, last)


def _before(found: re.Match[str]) -> Meaning:
    return f"before {_years(found['age'])[0]}", f"year < {_years(found['age'])[0]}"


def _until(found: re.Match[str]) -> Meaning:
    return f"until {_years(found['age'])[1]}", f"year <= {_years(found['age'])[1]}"


def _since(found: re.Match[str]) -> Meaning:
    return f"since {_years(found['age'])[0]}", f"year >= {_years(found['age'])[0]}"


def _after(found: re.Match[str]) -> Meaning:
    return f"after {_years(found['age'])[1]}", f"year > {_years(found['age'])[1]}"


def _number(text: str) -> float:
    text = " ".join(text.lower().split())
    return _WORDS.get(text) or float(text)


def _seconds(text: str, unit: str = "") -> float:
    """Of "3:30", "five minutes", "two and a half minutes", or of a number of `unit`."""
    if clock := re.match(r"(\d+):(\d\d)", text):
        return 60.0 * int(clock[1]) + int(clock[2])
    said = re.match(rf"({_NUMBER})(\s+and\s+a\s+half)?[\s-]*([smh]?)", text, re.IGNORECASE)
    assert said is not None
    return (_number(said[1]) + (0.5 if said[2] else 0)) * _SECONDS[said[3].lower() or unit]


def _sign(found: re.Match[str]) -> str:
    bound = found["bound"]
    return next(s for s, words in _SIGNS.items() if re.fullmatch(words, bound, re.IGNORECASE))


def _bounded_length(found: re.Match[str]) -> Meaning:
    sign, seconds = _sign(found), _seconds(found["time"])
    return f"{_SAID[sign]} {clock(seconds)}", f"duration {sign} {_plain(seconds)}"


def _length_from_to(found: re.Match[str]) -> Meaning:
    last = _seconds(found["time"])
    unit = re.search(r"([smh])[a-z]*$", found["time"], re.IGNORECASE)
    first = _seconds(found["first"], unit[1].lower() if unit else "m")
    return f"{clock(first)} to {clock(last)}", _range("duration", first, last)


def _about_length(found: re.Match[str]) -> Meaning:
    seconds = _seconds(found["time"])
    within = _LENGTH_WITHIN * seconds
    return f"about {clock(seconds)}", _range("duration", seconds - within, seconds + within)


def _bounded_tempo(found: re.Match[str]) -> Meaning:
    sign, tempo = _sign(found), _number(found["bpm"])
    return f"{_SAID[sign]} {_plain(tempo)} bpm", f"bpm {sign} {_plain(tempo)}"


def _tempo_from_to(found: re.Match[str]) -> Meaning:
    first, last = _number(found["first"]), _number(found["bpm"])
    return f"{_plain(first)} to {_plain(last)} bpm", _range("bpm", first, last)


def _tempo(found: re.Match[str]) -> Meaning:
    tempo = _number(found["bpm"])
    return f"{_plain(tempo)} bpm", _range("bpm", *((1 + s * TEMPO_WITHIN) * tempo for s in (-1, 1)))


def _rating(found: re.Match[str]) -> Meaning:
    said = found.groupdict()
    stars, most = _number(found["stars"]), said.get("most")
    if most:
        return f"{_plain(stars)} to {most} stars", _range("rating", stars, _number(most))
    if said.get("bound"):
        sign = _sign(found)
    elif said.get("more") or said.get("better"):
        sign = ">="
    else:
        return f"{_plain(stars)} stars", f"rating = {_plain(stars)}"
    return f"{_SAID[sign]} {_plain(stars)} stars", f"rating {sign} {_plain(stars)}"


def _key(found: re.Match[str]) -> Meaning:
    accidental = (found["sign"] or found["word"] or "").lower()
    sign = {"": "", "sharp": "#", "\u266f": "#", "#": "#"}.get(accidental, "b")
    key = f"{found['tonic'].upper()}{sign} {'major' if 'maj' in found['mode'].lower() else 'minor'}"
    return key, f'key = "{key}"'


_TONICS = {
    **dict(zip(("do", "re", "mi", "fa", "sol", "la", "si"), "CDEFGAB", strict=True)),
    **dict(zip("ハニホヘトイロ", "CDEFGAB", strict=True)),
    "ut": "C", "h": "B", "b": "Bb",
}  # fmt: skip
_MAJOR = r"dur|majeur|mayor|maggiore|maior|長調"


def _foreign_key(found: re.Match[str]) -> Meaning:
    tonic = folded(found["tonic"])
    key = _TONICS.get(tonic, tonic.upper())
    if sign := folded(found["sign"] or ""):
        key += "#" if sign in ("is", "diese", "diesis", "sostenido", "sustenido", "嬰") else "b"
    mode = "major" if re.fullmatch(_MAJOR, found["mode"], re.IGNORECASE) else "minor"
    return (said := f"{key} {mode}"), f'key = "{said}"'


_STARS = r"(?:[0-5](?:\.\d)?|one|two|three|four|five)"
_STAR = r"[\s-]+stars?\b"
_ACCIDENTAL = r"(?:(?P<sign>[#\u266f\u266d]|b(?=\s))|[\s-]+(?P<word>sharp|flat))"
_MODE = r"[\s-]*(?P<mode>major|minor|maj|min)\b(?!\s+(?:keys?|modes?|moods?|chords?|scales?|third))"
_IN = r"\b(?:(?:in|en|em)\s+)?"
_KEYS: list[Rule] = [
    # "cis-Moll", "As-Dur"; "h" is B there, and "b" is Bb.
    ("key", rf"{_IN}(?P<tonic>[a-h])(?P<sign>is|(?<=[ae])s|es)?[\s-]*(?P<mode>dur|moll)\b",
     _foreign_key),
    ("key", rf"{_IN}(?P<tonic>do|ut|r[eé]|mi|fa|sol|la|si)"
     r"(?:[\s-]+(?P<sign>di[eè]se|b[eé]mol(?:le)?|diesis|sostenido|sustenido))?"
     r"\s+(?P<mode>majeur|mineur|mayor|menor|maggiore|minore|maior)\b",
     _foreign_key),
    ("key", r"(?P<sign>[嬰変])?(?P<tonic>[ハニホヘトイロ])(?P<mode>[長短]調)の?", _foreign_key),
]  # fmt: skip
_RULES: list[Rule] = [
    ("year", rf"\b(?:between|from)\s+(?P<age>{_AGE}){_TO}(?P<last>{_AGE})", _in_years),
    ("year", rf"\b(?P<age>{_YEAR})\s*(?:-|\u2013|\bto\b)\s*(?P<last>{_YEAR})", _in_years),
    ("year", rf"\b(?:from\s+)?before\s+(?P<age>{_AGE})", _before),
    ("year", rf"\b(?:until|till|up\s+to)\s+(?P<age>{_AGE})", _until),
    ("year", rf"\b(?:since\s+(?P<age>{_AGE}))", _since),
    ("year", rf"\bfrom\s+(?P<age>{_AGE})\s+on(?:wards?)?\b", _since),
    ("year", rf"\b(?:after|newer\s+than|later\s+than)\s+(?P<age>{_AGE})", _after),
    ("year", rf"\b(?:released|recorded|made|from|in|of)\s+(?:(?:in|the\s+year)\s+)*(?P<age>{_AGE})",
     _in_years),
    ("year", rf"\b(?P<age>{_AGE}){_SONGS}", _in_years),
    ("length", rf"\b(?:between|from)\s+(?P<first>{_TIME}|{_NUMBER}){_TO}(?P<time>{_TIME}){_LONG}",
     _length_from_to),
    ("length", rf"\b(?P<first>\d{{1,5}}(?::\d\d)?)\s*[-\u2013]\s*(?P<time>{_TIME}){_LONG}",
     _length_from_to),
    ("length", rf"{_BOUND}(?P<time>{_TIME}){_LONG}", _bounded_length),
    ("length", rf"{_ABOUT}(?P<time>{_TIME}){_LONG}", _about_length),
    ("tempo", rf"(?:\b(?:between|from)\s+)?\b(?P<first>{_NUMBER}){_TO}(?P<bpm>{_NUMBER}){_BPM}",
     _tempo_from_to),
    ("tempo", rf"{_BOUND}(?P<bpm>{_NUMBER}){_BPM}", _bounded_tempo),
    ("tempo", rf"{_ABOUT}?\b(?P<bpm>{_NUMBER}){_BPM}", _tempo),
    ("rating", r"\b(?:rated\s+)?(?:between|from)\s+"
     rf"(?P<stars>{_STARS}){_TO}(?P<most>{_STARS}){_STAR}", _rating),
    ("rating", rf"(?:\brated\s+)?{_BOUND}(?P<stars>{_STARS}){_STAR}", _rating),
    ("rating", rf"\b(?:rated\s+)?(?P<stars>{_STARS})(?:(?P<more>\+){_STAR}|"
     rf"{_STAR}(?:\s+(?P<better>or|and)\s+(?:more|better|higher|up)\b))", _rating),
    ("rating", rf"\brated\s+(?P<stars>{_STARS}){_STAR}", _rating),
    ("rating", rf"\b(?P<stars>{_STARS}){_STAR}(?:(?=\s*(?:[,;]|$))|{_SONGS})", _rating),
    ("key", rf"\bin\s+(?:the\s+key\s+of\s+)?(?P<tonic>[a-g]){_ACCIDENTAL}?{_MODE}", _key),
    ("key", rf"\b(?P<tonic>[b-g]){_ACCIDENTAL}?{_MODE}", _key),
]  # fmt: skip
