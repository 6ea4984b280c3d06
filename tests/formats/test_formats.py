# SPDX-License-Identifier: Apache-2.0
"""Every published format on a small file of its shape; the sentences for files of other shapes."""

import gzip
import json

import pytest

from vtg.formats import advice, find_format, formats, read_lengths, recognise
from vtg.utils import ConfigError, DataError

COMMON = {'qid': 1, 'query': 'a dog', 'vid': 'v', 'duration': 20, 'relevant_windows': [[2, 8]]}
BY_VIDEO = {'timestamps': [[1.5, 4], [5, 9]], 'sentences': ['a dog', ' it runs']}
NLQ = {
    'version': '2.0',
    'videos': [{'video_uid': 'U', 'clips': [{
        'clip_uid': 'C', 'video_start_sec': 630.0, 'video_end_sec': 650.0, 'clip_start_sec': 0,
        'clip_end_sec': 20.5, 'annotations': [{'annotation_uid': 'A', 'language_queries': [
            {'clip_start_sec': 2.5, 'clip_end_sec': 3.5, 'template': 'Place'},
            {'clip_start_sec': 4, 'clip_end_sec': 6.5, 'query': 'where is it ?'},
        ]}],
    }]}],
}  # fmt: skip
DIDEMO = {
    'annotation_id': 7, 'description': 'the cat jumps', 'video': 'u.mov', 'num_segments': 6,
    'times': [[1, 1], [5, 5], [5, 5], [0, 0]],
}  # fmt: skip

# Name: the file, and of each record the id, the video, the seconds and the windows.
FILES = {
    'activitynet': (
        {'v_a': {'duration': 10, **BY_VIDEO}},
        [('v_a_0', 'v_a', 10, [[1.5, 4]]), ('v_a_1', 'v_a', 10, [[5, 9]])],
    ),
    'tacos': (
        {'s1-d2.avi': {'fps': 20, 'num_frames': 300, **BY_VIDEO}},
        [('s1-d2_0', 's1-d2', 15, [[0.075, 0.2]]), ('s1-d2_1', 's1-d2', 15, [[0.25, 0.45]])],
    ),
    'charades_cd': (
        {'A': {'video_duration': 10.5, 'video_fps': -1.0, **BY_VIDEO}},
        [('A_0', 'A', 10.5, [[1.5, 4]]), ('A_1', 'A', 10.5, [[5, 9]])],
    ),
    'charades_cg': (
        {'A': {'duration': 10.5, 'news': [{'NOUN': ['x']}, {}], **BY_VIDEO}},
        [('A_0', 'A', 10.5, [[1.5, 4]]), ('A_1', 'A', 10.5, [[5, 9]])],
    ),
    'ratsg': (
        {'A': {'duration': 30.1, 'sts': [
            {'sentence': 'x', 'id': 'A-0000', 'timestamp': [1.0, 4.0], 'no_answer': False},
            {'sentence': 'y', 'id': 'B-1000', 'timestamp': [], 'no_answer': True},
        ]}},
        [('A-0000', 'A', 30.1, [[1, 4]]), ('B-1000', 'A', 30.1, [])],
    ),
    'timelens': (
        {'A': {'duration': 30.1, 'spans': [[1.0, 4.5]], 'queries': ['x']}},
        [('A_0', 'A', 30.1, [[1, 4.5]])],
    ),
    'mad': (
        {'1000': {
            'movie': '10142', 'movie_duration': 5400.2, 'timestamps': [81, 84],
            'ext_timestamps': [80.5, 85], 'sentence': 'x',
        }},
        [('1000', '10142', 5400.2, [[80.5, 85]])],
    ),
    'snag': (
        {'val': {'c': {'fps': 2, 'num_frames': 30, 'annotations': [
            {'segment': [1, 2], 'sentence': 'x'},
            {'segment': [3, 4], 'sentence': 'y', 'sentence_id': 's'},
        ]}}},
        [('c_0000', 'c', 15, [[1, 2]]), ('s', 'c', 15, [[3, 4]])],
    ),
    'ego4d_nlq': (
        NLQ, [('C_A_0', 'C', 20, [[2.5, 3.5]]), ('C_A_1', 'C', 20, [[4, 6.5]])],
    ),
    'didemo': ([DIDEMO], [(7, 'u.mov', 30, [[25, 30]])]),
    'tvgbench': (
        [{'path': 'x/v.mp4', 'question': 'q', 'start': 1, 'end': 2, 'duration': 9}],
        [(0, 'v', 9, [[1, 2]])],
    ),
    'jsonl': ([COMMON], [(1, 'v', 20, [[2, 8]])]),
}  # fmt: skip


def read(name, path, **options):
    return list(find_format(name)(**options).read(path))


def write(path, content):
    path.write_text(content if isinstance(content, str) else json.dumps(content))
    return path


@pytest.mark.parametrize('name', FILES)
@pytest.mark.parametrize('packed', [False, True])
def test_a_file_of_every_format(name, packed, tmp_path):
    content, expected = FILES[name]
    path = write(tmp_path / 'a.json', content)
    if packed:
        path = tmp_path / 'a.json.gz'
        path.write_bytes(gzip.compress(json.dumps(content).encode()))
    records = read(name, path)
    found = [(r['qid'], r['vid'], r['duration'], r['relevant_windows']) for r in records]
    assert [(q, v, d, w) for q, v, d, w in found] == [
        (qid, vid, pytest.approx(duration), [pytest.approx(window) for window in windows])
        for qid, vid, duration, windows in expected
    ]
    assert recognise(path) == name
    assert f'convert_annotations.py {name} {path}' in advice(path)


@pytest.mark.parametrize('name', [name for name in FILES if name != 'jsonl'])
@pytest.mark.parametrize(
    'content', [{'a': 5}, {'a': {}}, [], [5], 'x y', '', {'a': [1]}, [{}], {'videos': [5]}]
)
def test_other_files_get_one_sentence(name, content, tmp_path):
    path = write(tmp_path / 'a.json', content)
    with pytest.raises(DataError) as error:
        found = read(name, path)
        assert found == []
        raise DataError(f'{path} is empty')
    assert str(path) in str(error.value) and '\n' not in str(error.value)


def test_wrong_entries_name_their_video(tmp_path):
    broken = {'v_a': {'duration': 10, 'timestamps': [[1, 2]], 'sentences': ['x', 'y']}}
    with pytest.raises(DataError, match="video 'v_a': there are 1 timestamps and 2 sentences"):
        read('activitynet', write(tmp_path / 'a.json', broken))
    broken['v_a'] = {'duration': 10, 'timestamps': [[1]], 'sentences': ['x']}
    with pytest.raises(DataError, match=r"video 'v_a': \[1\] is no pair of times"):
        read('activitynet', tmp_path / write(tmp_path / 'a.json', broken))
    with pytest.raises(DataError, match=r'record 1: times holds \[1, 9\], no chunks of 6'):
        read('didemo', write(tmp_path / 'a.json', [{**DIDEMO, 'times': [[1, 9]]}]))


def test_names_of_formats():
    assert find_format('Ego4D-NLQ') is formats()['ego4d_nlq']
    with pytest.raises(ConfigError, match="no annotation format 'activtynet'; did you mean activi"):
        find_format('activtynet')


def test_options(tmp_path):
    path = write(tmp_path / 'a.json', FILES['activitynet'][0])
    assert [r['qid'] for r in read('activitynet', path, first_qid=37421)] == [37421, 37422]
    path = write(tmp_path / 'b.json', NLQ)
    assert read('nlq', path, duration='clip')[0]['duration'] == 20.5
    content = {'train': {}, **FILES['snag'][0]}
    path = write(tmp_path / 'c.json', content)
    assert len(read('snag', path, split='val')) == 2
    with pytest.raises(DataError, match='split is None and the file has train, val'):
        read('snag', path)
    records = read('didemo', write(tmp_path / 'd.json', [DIDEMO]), lengths={'u.mov': 27.3}.get)
    assert records[0]['relevant_windows'] == [[25, 27.3]] and records[0]['times'] == DIDEMO['times']


def test_nlq_keeps_the_address_of_a_query(tmp_path):
    records = read('ego4d_nlq', write(tmp_path / 'a.json', NLQ))
    assert records[0]['query'] is None and records[1]['query'] == 'where is it ?'
    assert (records[1]['annotation_uid'], records[1]['query_idx']) == ('A', 1)
    assert records[1]['video_uid'] == 'U'


def test_charades_sta(tmp_path):
    lines = ['AAA 24.3 30.4##person #1 opens.', 'BBB 8.0 7.0##x.', 'AAA 0 2##a ## b', '']
    path = write(tmp_path / 'a.txt', '\n'.join(lines))
    records = read('charades_sta', path, lengths={'AAA': 30.0, 'BBB': 9.0}.get, first_qid=5)
    # The reversed one is left out later, so the next takes its id.
    assert [(r['qid'], r['query'], r['relevant_windows']) for r in records] == [
        (5, 'person #1 opens.', [[24.3, 30.4]]),
        ('line-2', 'x.', [[8, 7]]), (6, 'a ## b', [[0, 2]]),
    ]  # fmt: skip
    assert recognise(path) == 'charades_sta'
    with pytest.raises(ConfigError, match='--lengths'):
        read('charades_sta', path)
    with pytest.raises(DataError, match=r"line 1: found 'AAA 24\.3#x'"):
        read('charades_sta', write(tmp_path / 'b.txt', 'AAA 24.3#x'), lengths=len)


def test_tables(tmp_path):
    text = (
        'clip;from;to;text;id\nv1;1;2;"a dog; it runs";7\nv1;3.5;4;"a dog; it runs";7\nv2;;;x;8\n'
    )
    path = write(tmp_path / 'a.csv', text)
    columns = {'vid': 'clip', 'start': 'from', 'end': 'to', 'query': 'text', 'qid': 'id'}
    records = read('csv', path, columns=columns, lengths={'v1': 9.0, 'v2': 5.0}.get)
    assert [(r['qid'], r['query'], r['duration'], r['relevant_windows']) for r in records] == [
        ('7', 'a dog; it runs', 9, [[1, 2], [3.5, 4]]), ('8', 'x', 5, []),
    ]  # fmt: skip
    assert recognise(path) == 'csv'
    text = 'vid\tquery\tstart\tend\tduration\nv\ta\t1\t2\t9\nv\tb\t1\tx\t9\n'
    path = write(tmp_path / 'b.tsv', text)
    with pytest.raises(DataError, match=r"line 3: start, end and duration are \['1', 'x', '9'\]"):
        read('csv', path)
    with pytest.raises(DataError, match="no column 'from' for start, but vid, query, start"):
        read('csv', path, columns={'start': 'from'})
    with pytest.raises(ConfigError, match="'begin' is no field"):
        read('csv', path, columns={'begin': 'from'})


@pytest.mark.parametrize(
    ('text', 'sentence'),
    [
        (
            'vid,query,start,end,duration,vid\nv,a,1,2,9,w\n',
            'line 1: the column .* twice',
        ),
        ('vid,query,start,end,duration\nv,a,1,2\n', 'line 2: 4 cells, but the header has 5'),
        ('vid,query,start,end,duration\nv,a dog, red,1,2,9\n', 'line 2: 6 cells'),
        (
            'vid,query,start,end,duration\nv,a,1,2,9\nv,a,3,4,8\n',
            "'a' of .*its rows have s",
        ),
        ('vid,query,start,end,duration\nv,a,1,2,9\nv,a,,,9\n', 'and some say that there is no m'),
        ('vid,query,start,end,duration\nv,"a' + 'x' * 140_000, 'line 2: field larger than'),
    ],
)
def test_tables_that_contradict_themselves(text, sentence, tmp_path):
    for line_end in ('\n', '\r'):
        path = tmp_path / 'a.csv'
        path.write_text(text.replace('\n', line_end), newline='')
        with pytest.raises(DataError, match=sentence):
            read('csv', path)


def test_lengths(tmp_path):
    path = write(tmp_path / 'a.csv', 'id,subject,length\nA,x,30.5\n')
    assert read_lengths(path) == {'A': 30.5}
    with pytest.raises(DataError, match='has the columns a, b; expected id and length'):
        read_lengths(write(path, 'a,b\n1,2\n'))
    with pytest.raises(DataError, match="line 2: the length is 'long'"):
        read_lengths(write(path, 'id,length\nA,long\n'))
    with pytest.raises(DataError, match="line 3: the video 'A' has the length 4 s, but 3 s above"):
        read_lengths(write(path, 'id,length\nA,3\nA,4\n'))


def test_what_is_unknown(tmp_path):
    for content, words in (
        ('{"a": [1,\n2]}', 'is one JSON object of an unknown format'),
        ('hello\nworld', "begins with 'hello\\nworld', which is no JSON"),
        ('{"video": ', ''),
    ):
        path = write(tmp_path / 'a.jsonl', content)
        assert words in advice(path, 'not valid JSON') and bool(advice(path, 'x')) == bool(words)
    assert recognise(tmp_path / 'none.json') is None and recognise(tmp_path) is None
