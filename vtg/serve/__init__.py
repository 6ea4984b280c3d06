# SPDX-License-Identifier: Apache-2.0
"""The page of ``vtg serve``: moments of sentences in a video, in the browser."""

from .models import Model, SimilarityModel, TrainedModel
from .service import Choice, Found, Service

__all__ = ['Choice', 'Found', 'Model', 'Service', 'SimilarityModel', 'TrainedModel']
