# SPDX-License-Identifier: Apache-2.0
"""What the page does, without a browser and without Gradio."""

import json
from pathlib import Path

import numpy as np
import pytest
from colours import ColourEncoder, write_colours
from media import write_audio

from vtg.search import EncodedFile, FileEncoder
from vtg.serve import Service, SimilarityModel, view
from vtg.utils import ConfigError, DataError


def similarity(longest=1.0):
    """A model on a counting encoder."""
    encoder = FileEncoder.__new__(FileEncoder)
    encoder.encoder, encoder.clip_length, encoder.longest = ColourEncoder(), 0.5, longest
    return SimilarityModel(encoder)


@pytest.fixture(scope='module')
def uploads(tmp_path_factory):
    folder = tmp_path_factory.mktemp('uploads')
    write_colours(folder / 'colours.mp4', 9.0, 'mpeg4')
    return folder


def run(service, choice, *names):
    return list(service.encode(choice, names or list(service.models)))


def test_a_video_is_encoded_once_whatever_its_name_and_the_questions(uploads):
    model = similarity()
    service = Service({'colours': model}, uploads, longest=1.0)
    choice = service.receive(str(uploads / 'colours.mp4'))
    assert run(service, choice) == [(0, 18), (18, 18)]
    (answer,) = service.answer(choice, ['colours'], ' green \n\ngreen').answers['colours']
    best = answer.moments(1)[0]
    assert answer.query == 'green' and abs(best.start - 3) <= 1 and abs(best.end - 6) <= 1
    # The same content again, under another name: the answer is about that file.
    copy = uploads / 'other name.mp4'
    copy.write_bytes((uploads / 'colours.mp4').read_bytes())
    again = service.receive(str(copy))
    assert run(service, again) == []
    found = service.answer(again, ['colours'], 'blue\nred')
    assert found.answers['colours'][0].moments(1)[0].video == copy
    assert found.answers['colours'][0].moments(1)[0].start >= 5
    assert model.encoder.encoder.encoded == [18]
    # Its files carry that name, and each answer has a folder of its own.
    texts = service.texts(found)
    assert [file.name for file in texts] == [f'other name.{kind}' for kind in ('srt', 'vtt', 'edl')]
    assert texts[0].read_text().startswith('1\n00:00:0') and 'red (' in texts[1].read_text()
    clips = service.clips(found)
    assert len(clips) == sum(len(a.moments(5)) for a in found.answers['colours'])
    assert all(clip.stat().st_size and clip.is_relative_to(uploads) for clip in clips)
    assert clips[0].parent != texts[0].parent


def test_what_is_no_video_is_one_sentence(uploads, tmp_path):
    service = Service({'colours': similarity()}, uploads, longest=0.2)
    text = uploads / 'text.mp4'
    text.write_text('no video')
    (uploads / 'empty.mp4').write_bytes(b'')
    write_audio(uploads / 'sound.mp4')
    write_colours(uploads / 'long.mp4', 15.0, 'mpeg4', fps=2)
    # A list that makes FFmpeg open another file.
    other = write_colours(tmp_path / 'private.mp4', 1.0, 'mpeg4')
    names = f'ffconcat version 1.0\nfile {other.name}\n'
    (uploads / 'list.mp4').write_text(names)
    playlist = '#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\nfile://{}\n#EXT-X-ENDLIST\n'
    (uploads / 'list.m3u8').write_text(playlist.format(other))
    for name, sentence in (
        ('text.mp4', 'cannot be decoded'), ('empty.mp4', 'is empty'),
        ('sound.mp4', 'has no video stream'), ('long.mp4', 'more than 0.2; cut it'),
        ('list.mp4', 'cannot be decoded'), ('list.m3u8', 'cannot be decoded'),
        ('gone.mp4', 'no upload that is still here'), ('../private.mp4', 'no upload that is'),
        (str(other), 'no upload that is'),
    ):  # fmt: skip
        with pytest.raises(DataError, match=sentence):
            service.receive(str(uploads / name))
    link = uploads / 'link.mp4'
    link.symlink_to(other)
    with pytest.raises(DataError, match='no upload'):
        service.receive(str(link))
    for number in (1, 0, -1, '1', True, None):
        with pytest.raises(DataError, match='no such video'):
            service.choose(number)


def test_a_container_that_lies_about_its_length_is_stopped(uploads, monkeypatch):
    from vtg.extraction.media import VideoInfo

    model = similarity(longest=0.1)
    promised = VideoInfo(3.0, 64, 48, 5.0)
    monkeypatch.setattr('vtg.search.encoding.probe', lambda path: promised)
    with pytest.raises(DataError, match=r'more than 0\.1'):
        list(model.steps(uploads / 'colours.mp4'))


def test_several_encoders_in_one_are_encoded_in_one_step(uploads):
    from vtg.extraction.encoders.joined import JoinedEncoder
    from vtg.search.encoding import encode_steps

    encoder = JoinedEncoder([{'type': ColourEncoder}] * 2)
    steps = encode_steps(encoder, uploads / 'colours.mp4', 0.5, 1.0)
    assert next(steps) == (0, 18)
    with pytest.raises(StopIteration) as end:
        next(steps)
    features, seconds = end.value.value
    assert features.shape == (18, 6) and seconds == 9.0
    (alone, _) = run_out(encode_steps(ColourEncoder(), uploads / 'colours.mp4', 0.5, 1.0))
    np.testing.assert_array_equal(features, np.concatenate([alone, alone], axis=1))


def run_out(steps):
    while True:
        try:
            next(steps)
        except StopIteration as end:
            return end.value


def test_sentences_are_limited(uploads):
    service = Service({'colours': similarity()}, uploads)
    choice = service.receive(str(uploads / 'colours.mp4'))
    for text, sentence in (
        ('', 'has no words'), (' \n\t', 'has no words'), ('red\n\u200b', 'has no words'),
        ('\n'.join(map(str, range(51))), 'too much at once'), ('x' * 501, 'too much at once'),
    ):  # fmt: skip
        with pytest.raises(ConfigError, match=sentence):
            service.answer(choice, ['colours'], text)
    with pytest.raises(ConfigError, match='no model is chosen'):
        run(service, choice, 'another')


def test_videos_of_an_index_and_several_models():
    rng = np.random.default_rng(0)
    rows = 0.3 + rng.normal(size=(2, 20, 3)).astype(np.float32) * 0.02
    rows[1, 5:9] = (-0.2, 0.4, -0.1)
    videos = [EncodedFile(Path(f'/v/{n}/same.mp4'), rows[n], 10.0) for n in range(2)]
    first, second = similarity(), similarity()
    service = Service({'a': first, 'b <i>': second}, Path('/nowhere'), videos, top=2)
    assert service.choose(2).files == (videos[1].path,)
    choice = service.choose(0)
    assert run(service, choice) == [] and len(choice.files) == 2
    found = service.answer(choice, ['b <i>', 'a'], 'green')
    assert list(found.answers) == ['a', 'b <i>'] and not first.encoder.encoder.encoded
    best = found.answers['a'][0].moments(1)[0]
    assert best.video == videos[1].path
    assert (best.start, best.end) == pytest.approx((2.5, 4.5), abs=0.5)
    # Names are texts, every moment knows its video, and the timelines have both models.
    shown = view.moments(found, 2)
    assert '<i>' not in shown and 'b &lt;i&gt;' in shown and 'data-place="1"' in shown
    frame = view.timelines(found, 2)
    assert 'same.mp4' in frame and '[1, 0]' in frame.replace('&quot;', '"')
    player = view.player(choice, [view.address(file) for file in choice.files])
    assert json.dumps('./gradio_api/file=/v/0/same.mp4').replace('"', '&quot;') in player


def test_texts_of_the_page_are_escaped():
    evil = '<script>alert(1)</script>\x1b'
    for made in (view.error(evil), view.note(evil)):
        assert '<script>' not in made and '\x1b' not in made and '&lt;script&gt;' in made
    assert 'value="3"' in view.progress(3, 7) and '3 of 7 clips' in view.progress(3, 7)
