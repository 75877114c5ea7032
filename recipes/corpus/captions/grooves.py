"""Captions for a clip, phrased from its author's words and from the facts read from its MIDI."""

from __future__ import annotations

import random
import re

from recipes.corpus.captions import article, draw, join, once
from recipes.corpus.captions.authors import groove_words, names_style, style_words
from recipes.corpus.captions.claims import agrees
from recipes.corpus.captions.facts import (
    Facts,
    called,
    character,
    density,
    heard,
    key_words,
    moods,
    tempo_word,
    uses,
)

_TEMPO_NAMES = re.compile(
    r"\b(slow|fast|mid|up-?tempo|brisk|driving|quick|slowish|lively|easy)\w*\b", re.IGNORECASE
)

_COUNTABLE = re.compile(
    r"(waltz|ballad|march|polka|tango|samba|mambo|bolero|foxtrot|quickstep|rhumba|lullaby|hymn|song|"
    r"tune|groove|loop|beat|pattern|shuffle|twist|jive|cha|bossa|nova|calypso|charleston|merengue|"
    r"spiritual|trio|combo|boogie|dance|ditty|quartet|rhythm|sound|style|dancers|heavy|track|piece|instrumental)$",
    re.IGNORECASE,
)


def counted(style: str, rng: random.Random) -> str:
    """The style as something one can count: a waltz, but a rock track."""
    head, mark, rest = style.partition(" with ")
    if _COUNTABLE.search(head):
        return style
    if head.endswith(" drums"):
        return f"{head.removesuffix('s')} track{mark}{rest}"
    nouns = ["track", "tune", "piece", "groove", "instrumental"]
    noun = rng.choice(nouns[:4] if "instrumental" in head else nouns)
    return f"{head} {noun}{mark}{rest}"


def one_of(instrument: str) -> str:
    """An instrument with its article, or without where there are several or it is a mass."""
    many = re.search(r"s$|brass|percussion|choir voices", instrument) and "bass" not in instrument
    return instrument if many or instrument.startswith("a ") else article(instrument)


def author_phrases(description: str, doc: str, facts: Facts) -> list[str]:
    """The author's phrases that the clip bears out: the groove's own first."""
    own = groove_words(description)
    return [phrase for phrase in dict.fromkeys(own + style_words(doc)) if agrees(phrase, facts)]


def _subject(phrase: str, style: str, rng: random.Random) -> str:
    """The author's phrase as what the clip is, with one "with" at most."""
    if names_style(phrase):
        return phrase
    added = phrase.removeprefix("with ").replace(" with ", " and ")
    # "Walking bass and trumpet and strings" lists three things.
    added = re.sub(r"^([\w -]+) and ([\w -]+) and ", r"\1, \2 and ", added)
    named = style if rng.random() < 0.6 else counted(style, rng)
    return f"{named}, {added}" if " with " in named else f"{named} with {added}"


class Phrasing:
    """Draws captions for one clip."""

    def __init__(self, facts: Facts, authors: list[str], rng: random.Random) -> None:
        self.facts, self.authors, self.rng = facts, authors, rng
        self.loop = not facts["programs"]

    def style(self) -> str:
        style = str(self.rng.choice(self.facts["style"]))
        if not self.loop or re.search(r"drum|percussion", style):
            return style
        return f"{style} {self.rng.choice(['drum beat', 'drum loop', 'drum pattern', 'drums'])}"

    def one(self, subject: str, lead: str = "") -> str:
        """The subject as one thing, with an article and perhaps adjectives."""
        return article(f"{lead} {counted(subject, self.rng)}".strip())

    def tempo(self, style: str) -> str:
        """A tempo word, or nothing where the style's name already has one."""
        return "" if _TEMPO_NAMES.search(style) else tempo_word(self.facts["bpm"], self.rng)

    def bpm(self) -> str:
        shown = self.facts["bpm"]
        forms = [f"{shown} bpm", f"{shown} BPM", f"around {round(shown / 5) * 5} bpm"]
        return self.rng.choice(forms)

    def adjectives(self, style: str, most: int) -> str:
        """Up to `most` true adjectives, never two of a kind."""
        kinds = [moods(self.facts), character(self.facts), density(self.facts)]
        tempo = self.tempo(style)
        if tempo:
            kinds.append([tempo])
        words = [self.rng.choice(kind) for kind in kinds if kind]
        words = [word for word in words if word not in style]
        chosen = self.rng.sample(words, min(most, len(words)))
        return ", ".join(chosen)

    def instruments(self, most: int) -> str:
        return join(heard(self.facts, self.rng, most)) if not self.loop else self.pieces()

    def pieces(self) -> str:
        struck = [p for p in self.facts["percussion"] if p != "percussion"] or ["percussion"]
        return join(struck[: self.rng.randint(2, 4)])

    def from_author(self) -> str:
        """The author's words and the style's name alone."""
        style = self.style()
        phrase = self.authors[0]
        if names_style(phrase):
            second = self.authors[1] if len(self.authors) > 1 else style
            forms = [phrase, self.one(phrase)]
            if second.lower() not in phrase.lower() and not second.startswith("with "):
                forms += [f"{phrase}, {second}", f"{style}: {phrase}"]
            return self.rng.choice(forms)
        subject = _subject(phrase, style, self.rng)
        return self.rng.choice([subject, self.one(subject)])

    def from_author_and_facts(self) -> str:
        """The author's words with tempo, key or mood."""
        style = self.style()
        phrase = self.rng.choice(self.authors[:2])
        subject = _subject(phrase, style, self.rng)
        lead = self.adjectives(subject, self.rng.randint(1, 2))
        full = f"{lead} {subject}".strip()
        key = key_words(self.facts)
        forms = [full, f"{full}, {self.bpm()}", f"{self.one(subject, lead)} at {self.bpm()}"]
        if key:
            forms += [f"{full} in {key}", f"{self.one(subject, lead)}, in {key} at {self.bpm()}"]
        if names_style(phrase):
            forms.append(f"{full} with {self.instruments(3)}" if " with " not in full else full)
        return self.rng.choice(forms)

    def from_facts(self, form: int) -> str:
        """One of several plain forms, from style, instruments, tempo, key and mood."""
        style, key = self.style(), key_words(self.facts)
        lead = self.adjectives(style, 2)
        played = self.instruments(self.rng.randint(2, 4))
        few = self.instruments(self.rng.randint(1, 2))
        tempo = self.tempo(style)
        in_key = f" in {key}" if key else ""
        metre = self.facts["metre"]
        odd = metre and metre != "4/4" and not re.search(r"\d/\d|six|three|five", style)
        shown = f" in {metre}" if odd and self.rng.random() < 0.6 else ""
        music = self.rng.choice(
            ["drums", "percussion", "drum track"]
            if self.loop
            else ["music", "instrumental", "track"]
        )
        instrumental = style if self.loop else counted(f"instrumental {style}", self.rng)
        backing = "" if self.loop else self.rng.choice(["groove", "backing", "rhythm"])
        forms = [
            f"{tempo} {style} with {played}",
            f"{self.one(style, lead)} with {played}{in_key}",
            f"{style}, {self.bpm()}, {few}",
            f"{lead} {style}{shown}, {self.bpm()}",
            f"{played}, {lead or tempo or style}",
            f"{instrumental} featuring {played} at {self.bpm()}{shown}",
            f"{lead or tempo} {music} with {few}",
            f"{few} playing {lead} {style}{in_key}" if not self.loop else f"{style} of {played}",
            f"{lead} {style} {backing}, {few}",
            f"{style}{in_key}{shown}, {tempo or self.bpm()}, {played}",
        ]
        forms += self._as_asked(style, lead) + self._led(style, lead)
        return once(re.sub(r"\s+,", ",", " ".join(forms[form].split())).strip(" ,"))

    def _as_asked(self, style: str, lead: str) -> list[str]:
        """Forms that a listener types; empty where the facts do not bear one out."""
        feels = moods(self.facts)
        feel = self.rng.choice(feels) if feels else ""
        one = "drums" if self.loop else one_of(called(self.facts["instruments"][0], self.rng))
        pace = tempo_word(self.facts["bpm"], self.rng)
        use = self.rng.choice(uses(self.facts) or [""])
        some = self.rng.choice(["something", "a piece that is", "music that is"])
        return [
            f"{some} {pace} and {feel} with {one}" if feel and feel != pace else "",
            f"{feel or pace} {self.facts['bpm']} bpm {style}",
            f"{lead or pace} {style} {use}" if use else "",
            f"{self.rng.choice(['music', 'something'])} {use} with {one}" if use else "",
            f"{feel} {style}" if feel and feel not in style else "",
            ""
            if self.loop
            else f"{pace} {self.rng.choice(['tune', 'piece'])} with {one}, no singing",
        ]

    def _led(self, style: str, lead: str) -> list[str]:
        """Forms about the instrument that plays the tune, where one does."""
        if not self.facts.get("lead"):
            return [""] * 5
        tune = called(self.facts["lead"], self.rng)
        feels = moods(self.facts)
        feel = self.rng.choice(feels) if feels else self.tempo(style)
        carries = self.rng.choice(["plays the tune", "takes the lead", "carries the melody"])
        return [
            f"{style} with {article(tune)} melody",
            f"{feel} {tune} over {article(counted(style, self.rng))}",
            f"{one_of(tune)} {carries}, {lead or style}",
            f"{feel} {tune} {self.rng.choice(['solo', 'melody', 'tune'])}, {style}",
            f"{self.one(style, lead)} led by {one_of(tune)}, {self.bpm()}",
        ]


FORMS = 21


def captions(
    facts: Facts, description: str, doc: str, rng: random.Random
) -> tuple[list[str], list[str]]:
    """4 to 6 captions and, beside each, its kind: `author`, `author+facts` or `facts`."""
    phrasing = Phrasing(facts, author_phrases(description, doc, facts), rng)
    kinds = ["author"] + ["author+facts"] * rng.randint(1, 2) if phrasing.authors else []
    kinds += ["facts"] * (rng.randint(4, 6) - len(kinds))
    forms = iter(rng.sample(range(FORMS), FORMS))

    def write(kind: str) -> str:
        if kind == "facts":
            return phrasing.from_facts(next(forms))
        return phrasing.from_author() if kind == "author" else phrasing.from_author_and_facts()

    return draw(kinds, write, rng)
