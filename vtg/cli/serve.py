# SPDX-License-Identifier: Apache-2.0
"""Show a page in the browser that finds moments in your videos."""

import argparse
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from vtg.apis.command_line import ArgumentParser, number, whole_number
from vtg.utils import ConfigError, printable
from vtg.utils.optional import require

from .find import encoders_and_index, trained_model
from .options import OFFLINE_NOTE, add_encoder, add_weights, check_weights, say

if TYPE_CHECKING:
    from vtg.search import EncodedFile
    from vtg.serve import Model

_HINT = 'Drop a video, write one sentence per line, and click on a moment to play it.'


def parse_args() -> argparse.Namespace:
    parser = ArgumentParser(
        description=__doc__,
        epilog='Uploads lie in a folder that goes with the server. Whoever reaches the address can '
        'upload, search and see the videos of the index; there is no login.',
    )
    parser.add_argument('--index', metavar='INDEX', help='offer the videos of vtg index')
    parser.add_argument(
        '--model', action='append', default=[], metavar='MODEL',
        help='a trained model, as of vtg find; several can be compared. Similarity alone is '
        'offered beside it where --encoder is given once',
    )  # fmt: skip
    add_weights(parser)
    add_encoder(parser)
    parser.add_argument('--top', type=whole_number(), default=5, help='moments per sentence (5)')
    parser.add_argument('--host', default='127.0.0.1', help='address to listen at (127.0.0.1)')
    parser.add_argument(
        '--port', type=whole_number(0, 65536), default=7860, metavar='N',
        help='port (7860); 0 takes any that is free',
    )  # fmt: skip
    parser.add_argument(
        '--max-upload', type=number(0.001), default=1000.0, metavar='MB',
        help='larger files are refused (1000)',
    )  # fmt: skip
    parser.add_threads()
    return parser.parse_args()


def main() -> int:
    """Run the command."""
    args = parse_args()
    check_weights(args)
    require('gradio', 'vtg serve')
    from vtg.serve import Service
    from vtg.serve.app import allowed_hosts, build, listen, server_of

    taken = listen(args.host, args.port)
    try:
        models, listed, offline = load(args)
        with tempfile.TemporaryDirectory(prefix='vtg-serve-') as folder:
            service = Service(models, Path(folder), listed, args.max_minutes, args.top)
            note = f'{_HINT} {OFFLINE_SENTENCE}' if offline else _HINT
            app = build(service, note, args.max_upload, allowed_hosts(args.host))
            host = f'[{args.host}]' if ':' in args.host else args.host
            say(f'http://{host}:{taken.getsockname()[1]} shows the page; Ctrl-C stops it.')
            server_of(app).run(sockets=[taken])
    finally:
        taken.close()
    return 0


OFFLINE_SENTENCE = OFFLINE_NOTE.removeprefix('note: ').partition(';')[0].capitalize() + '.'


def load(args: argparse.Namespace) -> tuple[dict[str, 'Model'], list['EncodedFile'], bool]:
    """Load models and index; tells as well whether the offline encoder is used.

    Raises:
        ConfigError: Something of it cannot be used.
    """
    from vtg.search import FileEncoder, TrainedSearcher
    from vtg.serve import SimilarityModel, TrainedModel

    configs, length, listed = encoders_and_index(args)
    models: dict[str, Model] = {}
    if len(configs) > 1 and not args.model:
        raise ConfigError('similarity alone takes one encoder; give --encoder once.')
    if len(configs) == 1:
        encoder = FileEncoder(configs[0], length, args.max_minutes)
        models[_name_of(configs[0])] = SimilarityModel(encoder)
    for name in args.model:
        search = TrainedSearcher(trained_model(name, None, configs, args.device, args.weights))
        models[_free(Path(name).name, models)] = TrainedModel(search, args.max_minutes)
    return models, listed, any(config['type'] == 'ConceptEncoder' for config in configs)


def _name_of(config: dict[str, Any]) -> str:
    kind = str(config['type']).removesuffix('Encoder').lower()
    weights = Path(str(config.get('weights', ''))).name
    return printable(f'similarity ({kind} {weights})' if weights else f'similarity ({kind})')


def _free(name: str, taken: dict[str, Any]) -> str:
    """The name, with a number behind it where another model has it already."""
    name, number_, wanted = printable(name), 1, printable(name)
    while name in taken:
        number_ += 1
        name = f'{wanted} ({number_})'
    return name
