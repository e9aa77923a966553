"""Load the words of the SMS keywords from the files of `words/`, refuse files with mistakes, and index the words."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Final, NamedTuple

import regex

from core.errors import KeyPath, Problem, ValidationFailedError, display_path
from core.languages import (
    DEFAULT_LANGUAGE,
    LANGUAGE_CODES,
    LANGUAGES,
    LATIN,
    LATIN_LOCALES,
    LATIN_SUFFIX,
    LOCALE_CODES,
    language_by_script,
    language_of_locale,
)
from core.toml_source import find_line, index_key_lines, parse_toml, read_utf8
from menus.keywords import KEYWORD_NAMES
from sms.keywords.tokenizer import tokenize

WORDS_FOLDER = Path(__file__).parent / "words"
MAX_PHRASE_WORDS: Final = 4

TABLES: Final = (*KEYWORD_NAMES, "greetings", "courtesies")
LANGUAGES_TABLE, NEAR_FORM = "languages", "near"
NOT_NAMES_TABLE, MESSAGES_TABLE, REQUESTS_TABLE = "not_names", "messages", "language_requests"
SERVICE_REQUESTS_TABLE, LETTERS_TABLE = "service_requests", "latin_letters"
ALL_TABLES: Final = (
    *TABLES,
    *(NOT_NAMES_TABLE, MESSAGES_TABLE, REQUESTS_TABLE, SERVICE_REQUESTS_TABLE, LETTERS_TABLE, LANGUAGES_TABLE),
)


class WritingForm(NamedTuple):
    """A language in one script: the language's code, the name of the letters, and a pattern of a word in them."""

    language: str
    letters: str
    pattern: str


def _word_pattern(script: str) -> str:
    return "[A-Za-z]+" if script == LATIN else rf"(?:(?!\p{{Nd}})[\p{{{script}}}\u200C\u200D])+"


def _build_writing_form(locale_code: str) -> WritingForm:
    language = language_of_locale(locale_code)
    script = language.script if language.code == locale_code else LATIN
    return WritingForm(language.code, f"{script} letters", _word_pattern(script))


WRITING_FORMS: Final[Mapping[str, WritingForm]] = {code: _build_writing_form(code) for code in LOCALE_CODES}
ANY_SCRIPT: Final = WritingForm(
    "", "letters of one script", "|".join(dict.fromkeys(_word_pattern(language.script) for language in LANGUAGES))
)


class LocatedProblem(NamedTuple):
    """A mistake at a key of the file, with the word that it is about, or an empty one."""

    key_path: KeyPath
    word: str
    problem: str
    fix: str


class Word(NamedTuple):
    """A word of the file: its table, its language, and its spelling there. Some words are only suggested.

    `is_shared`: several languages write it alike; in Latin letters `language` is then the default language.
    """

    table: str
    language: str
    spelling: str
    is_suggested_only: bool = False
    is_shared: bool = False

    @property
    def told_language(self) -> str:
        """The language that the word tells of its writer; empty where it tells none."""
        return "" if self.is_shared else self.language


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """All words by their normalized form. The table of a word in `languages` is the code of the language.

    A person's name contains none of `not_names`. A sentence about our SMS contains one of `message_words`. Beside the name
    of a language, `language_requests` ask for it, and `latin_letters` for its Latin letters; around the name of a service
    `service_requests` ask for it.
    """

    words: Mapping[str, Word]
    languages: Mapping[str, Word]
    not_names: frozenset[str]
    message_words: frozenset[str]
    language_requests: frozenset[str]
    service_requests: frozenset[str]
    latin_letters: frozenset[str]

    def find_spelling(self, name: str, language: str) -> str:
        """The word of a keyword that people are told in a language: the first one in the file.

        Raises:
            StopIteration: the keyword has no word in that language.
        """
        of_keyword = (word for word in self.words.values() if (word.table, word.language) == (name, language))
        return next(word.spelling for word in of_keyword if not word.is_suggested_only)


@cache
def get_vocabulary() -> Vocabulary:
    """The words of the folder, loaded once.

    Raises:
        ValidationFailedError: a file has mistakes.
    """
    places = {code: place for place, code in enumerate(LANGUAGE_CODES)}
    return load_vocabulary(
        *sorted(WORDS_FOLDER.glob("*.toml"), key=lambda path: (places.get(path.stem, len(places)), path.stem))
    )


def load_vocabulary(*paths: Path) -> Vocabulary:
    """The words of the files. A table may be in several of them, each with other languages.

    Raises:
        ValidationFailedError: with every mistake in the files.
    """
    sources = {display_path(path): read_utf8(path) for path in paths}
    tables = _join_tables([parse_toml(source, path) for path, source in sources.items()])
    found = list(_find_malformed_tables(tables)) or list(_find_clashes(tables))
    if found:
        raise ValidationFailedError(_build_problems(sources, found))
    languages = [
        Word(code, script_language(word), word) for _, code, word in _iterate_words(tables, (LANGUAGES_TABLE,))
    ]
    by_language = {normalize_phrase(it.spelling): it for it in languages}
    return Vocabulary(
        words=_index_words(tables),
        languages=by_language,
        not_names=_normalize_words(tables, NOT_NAMES_TABLE),
        message_words=_normalize_words(tables, MESSAGES_TABLE),
        language_requests=_normalize_words(tables, REQUESTS_TABLE),
        service_requests=_normalize_words(tables, SERVICE_REQUESTS_TABLE),
        latin_letters=_normalize_words(tables, LETTERS_TABLE),
    )


def _join_tables(files: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    """The tables of all files; of what two files give, the lists are joined."""
    joined: dict[str, Any] = {}
    for tables in files:
        for name, table in tables.items():
            if not isinstance(table, dict) or not isinstance(joined.get(name, {}), dict):
                joined[name] = table
                continue
            forms = joined.setdefault(name, {})
            for form, words in table.items():
                both_are_lists = isinstance(forms.get(form, []), list) and isinstance(words, list)
                forms[form] = [*forms.get(form, []), *words] if both_are_lists else words
    return joined


def _normalize_words(tables: Mapping[str, Any], name: str) -> frozenset[str]:
    return frozenset(normalize_phrase(word) for _, _, word in _iterate_words(tables, (name,)))


def normalize_phrase(phrase: str) -> str:
    """The normalized form of a phrase, in which the vocabulary is indexed."""
    return " ".join(token.key for token in tokenize(phrase))


def script_language(text: str) -> str:
    """The code of the language whose script `text` contains; the default language for Latin and all other scripts."""
    return language_by_script(text) or DEFAULT_LANGUAGE


def _index_words(tables: Mapping[str, Any]) -> Mapping[str, Word]:
    """A word that two languages write alike in Latin letters has the default language, in another script the first's."""
    words: dict[str, Word] = {}
    for name, form, written in _iterate_words(tables, TABLES):
        key = normalize_phrase(written)
        earlier = words.get(key)
        if earlier:
            language = earlier.language if script_language(written) != DEFAULT_LANGUAGE else DEFAULT_LANGUAGE
            words[key] = Word(name, language, earlier.spelling, is_suggested_only=form == NEAR_FORM, is_shared=True)
        else:
            language = WRITING_FORMS[form].language if form in WRITING_FORMS else script_language(written)
            words[key] = Word(name, language, written, is_suggested_only=form == NEAR_FORM)
    return words


def _find_clashes(tables: Mapping[str, Any]) -> Iterator[LocatedProblem]:
    """Words that have two meanings, or are listed twice."""
    for names in (TABLES, (NOT_NAMES_TABLE,), (MESSAGES_TABLE,), (LANGUAGES_TABLE,)):
        seen: dict[str, tuple[str, str, str]] = {}
        for name, form, written in _iterate_words(tables, names):
            meaning = form if name == LANGUAGES_TABLE else name
            first = seen.get(key := normalize_phrase(written))
            if first is None:
                seen[key] = (meaning, form, written)
            elif first[0] != meaning:
                yield _build_problem(name, form, written, f"means {first[0]} already", "leave it with one of them")
            elif not _may_share_words(first[1], form):
                yield _build_problem(name, form, written, f"is {first[2]!r} once more", "write it once")


def _may_share_words(form: str, other_form: str) -> bool:
    """Whether two forms may list the same word: different languages in one script.

    English words are understood in every language, so a `_Latn` form does not repeat them.
    """
    forms = {form, other_form}
    if len(forms) == 1 or not forms <= WRITING_FORMS.keys():
        return False
    if not forms <= LATIN_LOCALES:
        return WRITING_FORMS[form].letters == WRITING_FORMS[other_form].letters
    return DEFAULT_LANGUAGE not in forms or forms <= set(LANGUAGE_CODES)


def _iterate_words(tables: Mapping[str, Any], names: Iterable[str]) -> Iterator[tuple[str, str, str]]:
    """The table, the form and the spelling of each word."""
    for name in names:
        for form, words in tables[name].items():
            for written in words:
                yield name, form, written


def _find_malformed_tables(tables: Mapping[str, Any]) -> Iterator[LocatedProblem]:
    for name in tables:
        if name not in ALL_TABLES:
            yield LocatedProblem((name,), "", "no keyword is called so", f"choose from {', '.join(ALL_TABLES)}")
    for name in ALL_TABLES:
        yield from _check_table(name, tables.get(name))


def _check_table(name: str, table: Any) -> Iterator[LocatedProblem]:
    if table is None:
        yield LocatedProblem((name,), "", "this table is missing", f"write [{name}] with words in every form")
        return
    if not isinstance(table, dict):
        yield LocatedProblem((name,), "", "this is not a table", f"put it under a header such as [{name}]")
        return
    forms: Sequence[str] = {LANGUAGES_TABLE: LANGUAGE_CODES, LETTERS_TABLE: (DEFAULT_LANGUAGE,)}.get(
        name, tuple(WRITING_FORMS)
    )
    for form in forms:
        if not table.get(form):
            yield LocatedProblem((name, form), "", "there are no words", 'write at least one, such as ["…"]')
    allowed = (*forms, NEAR_FORM) if name in KEYWORD_NAMES else LOCALE_CODES
    for form, words in table.items():
        if form not in allowed:
            yield LocatedProblem((name, form), "", "no form is called so", f"choose from {', '.join(allowed)}")
        elif not isinstance(words, list) or not all(isinstance(word, str) for word in words):
            yield LocatedProblem((name, form), "", "this is not a list of words", 'write it as ["…", "…"]')
        else:
            yield from _check_words(name, form, words)


def _check_words(name: str, form: str, words: list[str]) -> Iterator[LocatedProblem]:
    _, letters, pattern = ANY_SCRIPT if name == LANGUAGES_TABLE or form == NEAR_FORM else WRITING_FORMS[form]
    max_words, count = 1, "one word"
    if name in TABLES:
        max_words, count = MAX_PHRASE_WORDS, f"one to {MAX_PHRASE_WORDS} words, one blank between them,"
    is_valid = regex.compile(f"(?:{pattern})(?: (?:{pattern})){{0,{max_words - 1}}}").fullmatch
    for word in words:
        if not is_valid(word):
            yield _build_problem(name, form, word, "cannot be used", f"write {count} in {letters}")


def _build_problem(name: str, form: str, word: str, problem: str, fix: str) -> LocatedProblem:
    return LocatedProblem((name, form), word, f"{word!r} {problem}", fix)


def _build_problems(sources: Mapping[str, str], found: list[LocatedProblem]) -> list[Problem]:
    lines = {path: index_key_lines(source) for path, source in sources.items()}
    problems: list[Problem] = []
    for it in found:
        path = _find_file(it, sources, lines)
        line = _find_line(sources[path], find_line(it.key_path, lines[path]), it.word)
        problems.append(Problem(path, line, ".".join(it.key_path), it.problem, it.fix))
    return sorted(problems)


def _find_file(it: LocatedProblem, sources: Mapping[str, str], lines: Mapping[str, Mapping[KeyPath, int]]) -> str:
    """The file that a problem is in: that of the language, else the one with the key and the word, else the first."""
    with_key = [path for path in sources if it.key_path in lines[path]]
    with_word = [path for path in with_key if it.word and f'"{it.word}"' in sources[path]]
    of_language = [path for path in sources if Path(path).stem == it.key_path[-1].removesuffix(LATIN_SUFFIX)]
    return (with_word or with_key or of_language or list(sources))[0]


def _find_line(source: str, line: int, word: str) -> int:
    """The line number, from `line` on, where the word stands in quotes; `line` itself where it does not."""
    if not word:
        return line
    below = source.split("\n")[line - 1 :]
    return next((line + offset for offset, text in enumerate(below) if f'"{word}"' in text), line)
