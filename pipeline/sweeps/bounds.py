"""RichSpace's Theorem A.6 in numbers: what it needs, of an encoder's words and a model's clips."""

from dataclasses import dataclass
from pathlib import Path

import pandas as pd
import torch
from torch import Tensor

from metrics.progress import Progress
from pipeline.config.folders import replaced
from pipeline.config.generate import Method as MethodParams
from pipeline.config.params import Bounds, Params
from pipeline.methods.base import build
from pipeline.methods.context import Context, Inputs
from pipeline.richspace.theory import (
    bi_lipschitz,
    covering_bound,
    log_interpolated,
    log_sentences,
    nearest_words,
    separation_bound,
)
from pipeline.text.encoders import TextEncoder

NAME = "bounds"
COLUMNS = (
    *("encoder", "vocabulary", "width", "length", "log_sentences", "minimum_distance", "word_a", "word_b"),
    *("method", "prompts", "steps", "dimension", "largest", "smallest", "lipschitz", "typical", "nearest"),
    *("covering", "interpolated", "separation"),
)


@dataclass(frozen=True)
class _Clips:
    """sentences: (N, n, k), the words of each prompt. videos: (N, d), what they give from one noise, in [0, 1]."""

    sentences: Tensor
    videos: Tensor


def run(params: Params, target: Path) -> None:
    """Leave a table of one row as `target`, in a folder of its own, which is replaced; without richspace.bounds no row.

    encoder: of the method's model; vocabulary, width, length: V, k and n. log_sentences: ln V^n. minimum_distance:
    δ_min, between word_a and word_b. dimension: d, the numbers of a clip, whose pixels are in [0, 1]. largest,
    smallest: M and m of the clips of the first `prompts` prompts from one noise; lipschitz: the smallest L that all
    pairs of them allow. More prompts could only make M and L larger and m smaller. typical, nearest: mean distance of
    two of the clips, and of a clip from its nearest. covering: ε of Theorem A.4; interpolated: the same if every pair
    of sentences had `steps` interpolations; separation: δ_min / (2L).
    """
    wanted = params.richspace.bounds
    rows = [] if wanted is None else [_row(params, wanted)]
    with replaced(target.parent) as aside:
        pd.DataFrame(rows, columns=list(COLUMNS)).to_csv(aside / target.name, index=False)


def context_of(params: Params, wanted: Bounds, inputs: Inputs | None = None) -> Context:
    """The context of the method whose model is measured, asked for few prompts once each."""
    base = params.generate.methods[wanted.method]
    own = MethodParams.model_validate(base.model_dump() | {"limit": wanted.prompts, "seeds": 1})
    generate = params.generate.model_copy(update={"methods": {NAME: own}})
    return Context.of(params.model_copy(update={"generate": generate}), NAME, inputs)


def _row(params: Params, wanted: Bounds) -> dict[str, object]:
    context = context_of(params, wanted)
    embedded = params.embed.encoders[context.model.encoder]
    encoder = TextEncoder(embedded.kind, embedded.checkpoint)
    length = embedded.sets[context.set].length
    words = encoder.model.get_input_embeddings().weight.detach().cpu()
    nearest = nearest_words(words)
    clips = _clips(context, encoder, words, length)
    points = log_sentences(len(words), length)
    sizes = {"vocabulary": len(words), "width": words.shape[1], "length": length, "log_sentences": points}
    texts = encoder.tokenizer.convert_ids_to_tokens(list(nearest.rows))
    near = {"minimum_distance": nearest.distance, "word_a": texts[0], "word_b": texts[1]}
    asked = {"method": wanted.method, "prompts": len(clips.videos), "steps": context.k}
    about = {"encoder": context.model.encoder} | sizes | near | asked
    return about | _bounds(clips, points, nearest.distance, context.k)


def _bounds(clips: _Clips, points: float, minimum_distance: float, steps: int) -> dict[str, float]:
    norms, d = clips.videos.norm(dim=1), clips.videos.shape[1]
    largest, smallest = float(norms.max()), float(norms.min())
    lipschitz = bi_lipschitz(clips.sentences, clips.videos)
    apart = torch.cdist(clips.videos, clips.videos).fill_diagonal_(torch.inf)
    return {
        "dimension": d,
        "largest": largest,
        "smallest": smallest,
        "lipschitz": lipschitz,
        "typical": float(apart[apart.isfinite()].mean()),
        "nearest": float(apart.min(dim=1).values.mean()),
        "covering": covering_bound(largest, smallest, points, d),
        "interpolated": covering_bound(largest, smallest, log_interpolated(points, steps), d),
        "separation": separation_bound(minimum_distance, lipschitz),
    }


def _clips(context: Context, encoder: TextEncoder, words: Tensor, length: int) -> _Clips:
    """The clips of the method's prompts from one noise, that of the first: f is then a function of the words alone."""
    method = build(context)
    method.prepare()
    jobs, videos = method.jobs(), []
    embeddings = torch.stack([context.embeddings.of(job.prompt_id) for job in jobs])
    noise, unconditional = method.noise_of(jobs[:1]), context.unconditional
    with Progress(NAME, len(jobs), "clips") as work:
        for part in embeddings.split(context.generate.batch):
            clips = method.sampler.sample(part, noise.expand(len(part), *noise.shape[1:]), unconditional)
            videos.append(clips.flatten(1).double() / 255)
            work.update(len(part))
    padded = {"padding": "max_length", "truncation": True, "max_length": length, "return_tensors": "pt"}
    tokens = encoder.tokenizer([job.prompt for job in jobs], **padded)
    return _Clips(words[tokens.input_ids], torch.cat(videos))
