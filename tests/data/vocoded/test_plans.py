"""What fakes are made of which recordings, and where they go."""

import pytest

from crnn_hf.data.vocoded.plans import File, Original, plan, with_stems


def originals(*names: str, speaker: str = "-") -> list[Original]:
    return with_stems([Original(name, speaker, "train", dict) for name in names])


def test_files_are_named_apart() -> None:
    names = ["a/b", "a__b", "A/B", "c", "-/..", "../x"]
    stems = [original.stem for original in originals(*names)]
    assert stems[0] == "a__b"
    assert len({stem.casefold() for stem in stems}) == len(names)
    assert not any("/" in stem or stem.startswith(".") for stem in stems)


@pytest.mark.parametrize(("speaker", "real"), [("-", "train/real/x.flac"), ("ann", "train/real/ann/x.flac")])
def test_a_recording_and_its_fakes_lie_where_corpora_look_for_them(speaker: str, real: str) -> None:
    files = plan(*originals("x", speaker=speaker), ["one", "two"], per_clip=2, seed=0)
    assert files == [File(real), File("train/fake/one/x.flac", "one"), File("train/fake/two/x.flac", "two")]
    assert [file.label for file in files] == ["real", "fake", "fake"]


def test_which_vocoders_are_drawn_depends_on_seed_and_name() -> None:
    names = [str(number) for number in range(20)]

    def drawn(seed: int, recordings: list[Original]) -> dict[str, str | None]:
        return {each.name: plan(each, ["one", "two", "three"], 1, seed)[1].vocoder for each in recordings}

    first = drawn(0, originals(*names))
    assert set(first.values()) == {"one", "two", "three"}
    assert drawn(0, originals(*names[::-1])) == first
    assert drawn(1, originals(*names)) != first
