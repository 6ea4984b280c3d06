# SPDX-License-Identifier: Apache-2.0
"""Videos that are encoded once give the predictions of a plain batch."""

import pytest
import torch
from systems import EVERY, SYSTEMS, small_system

from vtg.models.rehearsal import noise_batch
from vtg.models.sharing import separate_stages
from vtg.structures import Progress

# Equal padding in all batches: some released code looks at it.
CLIPS, WORDS = (14, 14), (3, 5, 2, 5, 4)
# The video of every query, not in order.
INDEX = torch.tensor([1, 0, 0, 1, 0])


def prepared(name, change=None, clips=CLIPS):
    """A system in evaluation, with weights that are nowhere zero, and its videos and texts."""
    torch.manual_seed(0)
    model = small_system(name, change=change).eval()
    with torch.no_grad():
        for parameter in model.parameters():
            parameter += 0.1 * torch.randn_like(parameter)
    model.progress = Progress(199, 200)  # all feedback acts
    model.test_cfg['saliency_dtype'] = None  # rounding would enlarge the last digit
    videos = noise_batch(model, clips, WORDS[: len(clips)])
    texts = noise_batch(model, [4] * len(WORDS), WORDS)
    return model, videos, texts


def of_video(batch):
    names = ('video', 'video_mask', 'duration', 'audio')
    return {name: batch[name] for name in names if name in batch}


def plain(model, videos, texts):
    inputs = {key: value[INDEX] for key, value in of_video(videos).items()}
    inputs |= {key: texts[key] for key in ('text', 'text_mask', 'meta')}
    with torch.no_grad():
        return model(**inputs, mode='predict')


def check_equal(found, expected, atol=1e-5):
    assert found.meta == expected.meta and found.output == expected.output
    torch.testing.assert_close(found.duration, expected.duration)
    if expected.saliency is not None:
        torch.testing.assert_close(found.saliency, expected.saliency, atol=atol, rtol=1e-4)
    for name, moments in expected.lists.items():
        ours, mask = found.lists[name], moments.mask
        assert torch.equal(ours.mask, mask)
        for one, other in ((ours.scores, moments.scores), (ours.spans, moments.spans)):
            torch.testing.assert_close(one[mask], other[mask], atol=atol, rtol=1e-4)


@pytest.mark.parametrize('name', EVERY)
def test_encoded_videos_give_the_same_predictions(name):
    model, videos, texts = prepared(name)
    expected = plain(model, videos, texts)
    encoded = model.encode(**of_video(videos))
    query = {key: texts[key] for key in ('text', 'text_mask', 'meta')}
    check_equal(model.ground(encoded, **query, video_index=INDEX), expected)
    # The same in parts of two queries, and as one batch that says who shares which video.
    model.test_cfg['max_clips'] = 2 * CLIPS[0]
    check_equal(model.ground(encoded, **query, video_index=INDEX), expected)
    with torch.no_grad():
        batch = {**of_video(videos), **query}
        check_equal(model(**batch, video_index=INDEX, mode='predict'), expected)


@pytest.mark.parametrize('name', SYSTEMS)
def test_windows_of_encoded_videos(name):
    def slide(cfg):
        cfg.update(type='SlidingGrounder', windows=dict(clips=8, overlap=4, tef=(), batch_size=3))

    model, videos, texts = prepared(name, slide, clips=(21, 13))
    encoded = model.encode(**of_video(videos))
    assert encoded.rows.tolist() == [5, 3] and len(encoded) == 2
    query = {key: texts[key] for key in ('text', 'text_mask', 'meta')}
    check_equal(
        model.ground(encoded, **query, video_index=INDEX), plain(model, videos, texts), 1e-4
    )


@pytest.mark.parametrize('name', SYSTEMS)
def test_projectors_and_embedding_run_once_in_every_system(name):
    model, videos, texts = prepared(name)
    if any('layered' in field for field in model.slots['video_projector'].provides):
        pytest.skip('its projector makes an extra of the video, which is made beside every query')
    assert {'video_projector', 'text_projector', 'embedding'} <= {*model.separate_stages}
    fusion = model.slots.get('fusion')
    reads_text = fusion is None or 'text' in fusion.requires
    joint = {'moment_head', *(['fusion'] if reads_text else [])}
    assert not joint & {*model.separate_stages}
    calls = []
    model.video_projector.register_forward_hook(lambda *args: calls.append(len(args[2]['video'])))
    model.test_cfg['max_clips'] = 1  # one query at a time
    one = {key: value[:1] for key, value in of_video(videos).items()}
    encoded = model.encode(**one)
    model.ground(encoded, texts['text'], texts['text_mask'])
    assert calls == [1, 5]  # the video, and a clip that stands in for it beside every text


def test_what_looks_at_both_stays_behind():
    """An encoder of the video alone moves in front; one behind the fusion does not."""
    model = small_system('qd_detr')
    apart, together = separate_stages(model.slots, model.stages)
    assert {*apart} | {*together} == {*model.stages}
    assert together[:2] == ('fusion', 'encoder')
    # Without a fusion nothing brings the text in, so the encoder sees the video only.
    slots = {name: component for name, component in model.slots.items() if name != 'fusion'}
    slots['encoder'].reads = ()
    apart, together = separate_stages(slots, model.stages)
    assert 'fusion' in apart and 'saliency_head' not in apart
