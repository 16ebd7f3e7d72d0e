"""Which languages the texts are in, by their script and, where many languages share it, by their commonest words."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence

from ..findings import Findings
from .sample import Sample, percent

MAX_ROWS = 500  # are looked at, evenly spread
CHARACTERS = 240  # of each text
LEAST_HITS = 3  # different common words, for a text to be in a language
LEAD = 1.5  # times as many as of any other language
LEAST_LETTERS = 20
MIXED_SHARE, MIXED_ROWS = 0.02, 3  # of a second language, to be told
OTHER_ANSWERS_SHARE = 0.5  # answers in another language than the prompt are what is asked for when most are
LATIN_BYTES = 1.25  # of UTF-8 for each character, at most: letters of other scripts take two or three
SHARE_OF_SCRIPT = 0.3  # of the letters; names and terms in Latin letters are common everywhere

# The commonest words of each language. Those of several count for each of them, and so decide nothing.
STOP_WORDS: Mapping[str, str] = {
    "en": "the and of to is are was were with this that it for from you your what how which have has been my he"
    " she they would not a i do in on at be me can so or as an by his her their who when where why does"
    " did if there about all just but no we",
    "de": "der die das und ist sind nicht ein eine einen mit von zu auf für ich sie wir wie was auch bei dem"
    " den des im wird werden in an es er man so",
    "fr": "le la les des et est sont une dans pour avec sur vous nous je il elle que qui pas ce cette du au aux"
    " être votre mon comment a de un en ne se",
    "es": "el la los las y es son una en por para con que se no del lo como más pero su mi está qué cómo tengo"
    " puedo a de un o me al",
    "it": "il lo la gli le e è sono una di per con che non del della dei come più ma nel alla mio questo cosa"
    " posso a un in i o si da mi al",
    "pt": "o a os as e é são uma em por para com que não do da dos das como mais mas seu meu está você posso de"
    " um no na se me ao",
    "nl": "de het een en is zijn van voor met op dat niet ik je wij hoe wat ook bij aan naar maar deze mijn"
    " wordt in te me we er als",
    "sv": "och är att det som en ett på av för med inte jag du vi hur vad den till har kan om min från i så de",
    "pl": "i jest są w na z do nie się że to jak co dla od po ale czy mój przez jestem był a o za tak mam",
    "tr": "ve bir bu için ile da de ne nasıl değil mi mı var çok daha ben sen gibi olarak ama kadar o en her",
    "id": "yang dan di ini itu untuk dengan tidak dari ke adalah saya anda pada bagaimana apa bisa akan atau sudah ada",
    "vi": "và là của có không được cho trong một các những này tôi bạn với như thế nào để đã",
}
_LANGUAGES_OF_WORD: dict[str, list[str]] = {}
for _language, _words in STOP_WORDS.items():
    for _word in _words.split():
        _LANGUAGES_OF_WORD.setdefault(_word, []).append(_language)

# The blocks of 256 code points of scripts that tell a language; Japanese is told from Chinese by its kana.
_BLOCKS: Mapping[int, str] = {
    **{0x03: "el", 0x04: "ru", 0x06: "ar", 0x09: "hi", 0x0E: "th", 0x05: "he", 0x30: "han"},
    **dict.fromkeys(range(0x34, 0xA0), "han"),
    **dict.fromkeys(range(0xAC, 0xD8), "ko"),
}
_KANA = re.compile("[\u3041-\u30fa\uff66-\uff9d]")
_CHINESE = frozenset("们們这這吗嗎您她哪没说說还還么")  # hardly used in Japanese, which may have no kana in a few words
_UKRAINIAN = frozenset("іїєґІЇЄҐ")
_PUNCTUATION = str.maketrans(dict.fromkeys('.,;:!?"()[]¿¡«»“”', " "))


def language_of(text: str) -> str | None:
    """The ISO 639-1 code of a text's language; None when it is too short, or between languages."""
    text = text[:CHARACTERS]
    if len(text.encode("utf-8", "replace")) > LATIN_BYTES * len(text):
        by_script = _by_script(text)
        if by_script is not None:
            return by_script
    hits: dict[str, int] = {}
    for word in _LANGUAGES_OF_WORD.keys() & text.lower().split():
        for language in _LANGUAGES_OF_WORD[word]:
            hits[language] = hits.get(language, 0) + 1
    ranked = sorted(hits, key=hits.__getitem__, reverse=True)
    if not ranked or hits[ranked[0]] < LEAST_HITS:
        return None
    return ranked[0] if len(ranked) == 1 or hits[ranked[0]] >= LEAD * hits[ranked[1]] else None


def _by_script(text: str) -> str | None:
    """The language of a text in a script of its own; None for Latin letters."""
    blocks = Counter([ord(c) >> 8 for c in text])
    scripts: Counter[str] = Counter()
    for block, count in blocks.items():
        if block in _BLOCKS:
            scripts[_BLOCKS[block]] += count
    if not scripts:
        return None
    script, count = scripts.most_common(1)[0]
    if count < SHARE_OF_SCRIPT * (len(text) - text.count(" ")):
        return None
    if script == "han":
        if _KANA.search(text):
            return "ja"
        return "zh" if count >= LEAST_LETTERS or not _CHINESE.isdisjoint(text) else None
    return "uk" if script == "ru" and not _UKRAINIAN.isdisjoint(text) else script


def examine_languages(sample: Sample, bodies: Sequence[str], findings: Findings) -> tuple[dict[str, float], int]:
    """Mixed languages; returns the share of each language among the rows whose language is clear, and their number."""
    step = max(1, -(-len(sample) // MAX_ROWS))
    positions = range(0, len(sample), step)
    asked = {at: language for at in positions if (language := language_of(bodies[at]))}
    answered = {at: language for at in positions if sample.answers and (language := language_of(sample.answers[at]))}
    rows = {at: language for at in positions if (language := asked.get(at) or answered.get(at))}
    counts = Counter(rows.values())
    _examine_mixed(sample, rows, counts, findings)
    both = [at for at in asked if at in answered]
    other = [at for at in both if asked[at] != answered[at]]
    if other and len(other) < OTHER_ANSWERS_SHARE * len(both):
        at = other[0]
        languages = {"found": answered[at], "prompt": asked[at]}
        sample.report(findings, "LANGUAGE-ANSWER", other, share=percent(len(other), len(both)), **languages)
    total = counts.total()
    return {language: round(count / total, 3) for language, count in counts.most_common()}, total


def _examine_mixed(sample: Sample, rows: Mapping[int, str], counts: Counter[str], findings: Findings) -> None:
    total = counts.total()
    told = [(each, count) for each, count in counts.most_common() if count >= max(MIXED_ROWS, MIXED_SHARE * total)]
    if len(told) > 1:
        main = told[0][0]
        others = {language for language, _ in told[1:]}
        names = ", ".join(f"{language} {percent(count, total):g} %" for language, count in told)
        positions = [at for at, language in rows.items() if language in others]
        sample.report(findings, "LANGUAGE-MIXED", positions, found=names, main=main, rows=total)
