"""The wording of the demo phone's texts is checked with file, line and fix."""

from pathlib import Path

from web.simulator.wording_check import WORDS_FILE, find_simulator_problems

BROKEN = """/** Texts. */
const en = {
  title: "Demo phone",
  hint: "Type your postal code",
};

const bn = {
  title: "ডায়াল করুন ১২৩।",
};

export const WORDS = { en, bn };
"""


def test_our_own_texts_are_sound_and_all_are_read(tmp_path: Path) -> None:
    assert list(find_simulator_problems()) == []

    (tmp_path / "words.js").write_text(
        WORDS_FILE.read_text(encoding="utf-8").replace('",\n', ' १।",\n'), encoding="utf-8"
    )
    assert len(list(find_simulator_problems(tmp_path / "words.js"))) > 240


def test_each_mistake_is_told_by_its_line(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("words.js").write_text(BROKEN, encoding="utf-8")

    assert [str(problem) for problem in find_simulator_problems(tmp_path / "words.js")] == [
        "words.js:4: en.hint: 'postal code' is another word for 'postcode'; write postcode",
        "words.js:8: bn.title: has a danda behind a digit, which reads as one more digit; end with another word, or write two lines",
    ]
