"""Whether an answer refuses, or says nothing, judged by its opening words."""

from __future__ import annotations

import re
import unicodedata

OPENING_CHARACTERS = 200
OPENING_WORD_CHARACTERS = 20
# Words that a refusal begins with: most answers are told apart by them, without the pattern.
_OPENINGS = (
    "i ",
    "i'",
    "i’",
    "sorry",
    "as an",
    "as a ",
    "my apologies",
    "unfortunately",
    "we ",
    "we'",
    "we’",
    "apologies",
)
_OPENINGS_JA = (
    "申し訳",
    "すみません",
    "すいません",
    "ごめん",
    "恐れ入り",
    "恐縮",
    "残念ながら",
    "私はai",
    "aiとして",
    "aiである",
    "お答え",
    "回答でき",
    "そのご",
    "その質問",
)
_REFUSAL = re.compile(
    r"(?:\bas an? (?:ai|artificial intelligence|(?:large )?language model)\b[^.]{0,120}"
    r"\b(?:can ?not|can['’]t|unable|not able|do not|don['’]t|not)\b"
    r"|\b(?:can ?not|can['’]t|won['’]t|will not|(?:am|['’]m|are|['’]re) (?:unable|not able|not allowed) to)"
    r" (?:help|assist|answer|comply|fulfil|provide (?:you with )?(?:any|that|this|such)|discuss|do (?:that|this)"
    r"|support (?:that|this)|(?:create|generate|write|produce) (?:that|this|such)|continue with (?:that|this)"
    r"|engage)\b)",
)
_REFUSAL_JA = re.compile(
    r"(?:お答え|回答|お手伝い|対応|ご対応|提供|お応え|協力|支援|ご案内)(?:する|を|は|に|応じる)?(?:こと)?(?:は|が)?(?:でき(?:ません|かねます)|いたしかねます|致しかねます|しかねます)"
    r"|応じ(?:る|られ|かね)(?:こと(?:は|が)でき)?(?:ません|ます)|(?:ai|人工知能)(?:言語モデル|アシスタント)?(?:である|として|なので|ですので)"
)
_NOTHING = re.compile(r"[\W_]*")
PLACEHOLDERS = frozenset(
    {
        "n/a", "#n/a", "nan", "null", "none", "todo", "tbd", "tba", "fixme", "undefined", "placeholder",
        "xxx", "[empty]", "<answer>", "[answer]", "<output>", "[output]", "your answer here", "lorem ipsum",
        "なし", "無し", "該当なし", "未定", "未入力", "未記入", "ここに回答",
    }
)  # fmt: skip


def refuses(text: str) -> bool:
    """Whether the text opens as a refusal, in English or Japanese."""
    first = text[:OPENING_WORD_CHARACTERS].lstrip().lower()
    if first.startswith(_OPENINGS):
        return _REFUSAL.search(text[:OPENING_CHARACTERS].lower()) is not None
    return first.startswith(_OPENINGS_JA) and _REFUSAL_JA.search(text[:OPENING_CHARACTERS].lower()) is not None


def says_nothing(text: str) -> bool:
    """Whether no letter, digit or emoji is in the text, or only a word that stands for a missing answer."""
    return len(text) < 40 and (
        (_NOTHING.fullmatch(text) is not None and all(unicodedata.category(char) != "So" for char in text))
        or text.strip(" \t\r\n.!。").casefold() in PLACEHOLDERS
    )
