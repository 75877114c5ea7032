"""What each table and figure of the paper, and each further question, needs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from muscall.reproduce import failures, pages, paper
from muscall.reproduce.pages import Claim, Page
from muscall.reproduce.sizes import Size
from muscall.reproduce.variants import Variant

BASE = Variant("base")
SSL = "SSL"
PRINTED, PUBLISHED = "loss weighting, Eq. 3", "loss weighting, as published"
MEAN_ONE = ("loss.weighting=content",)
"""The weights of Eq. 3 divided by their mean: as printed they diverge, and there is no score."""


@dataclass(frozen=True)
class Study:
    """A question: the trainings that answer it, one for each variant and seed, what is measured of
    them (one of MEASURES), and the page that shows it beside the paper's numbers.
    """

    name: str
    title: str
    told: str
    variants: Callable[[Size], Sequence[Variant]]
    page: Page
    measure: str = "retrieval"
    numbers: paper.Numbers = field(default_factory=dict)
    claims: Sequence[Claim] = ()


def _ssl(size: Size) -> Variant:
    # Two views of half a clip: what the paper had memory for (section 5.2).
    return Variant(SSL, (f"model.audio.window_seconds={size.seconds / 2:g}",), config="ssl")


def _baselines(size: Size) -> list[Variant]:  # noqa: ARG001
    return [
        Variant("DCASE", config="dcase", baseline=True),
        Variant("DCASE + CL", config="dcase-cl", baseline=True),
        Variant("MusCALL"),
    ]


def _ablations(size: Size) -> list[Variant]:  # noqa: ARG001
    crop, augmentation = "data.random_crop=false", "data.augment.enabled=false"
    return [
        Variant("no random crop, no augmentation", (crop, augmentation)),
        Variant("no random crop", (crop,)),
        Variant("average pooling", ("model.audio.pooling=average",)),
        Variant("no augmentation", (augmentation,)),
        BASE,
        Variant(PRINTED, MEAN_ONE, config="weighted"),
        Variant(PUBLISHED, config="weighted-published"),
    ]


DEPTH, ATTENTION, AVERAGE = "text encoder", "attention pooling", "average pooling"


def _depths_and_lengths(size: Size) -> list[Variant]:
    depths = [
        Variant(f"{n} layer{'s' * (n > 1)}", (f"model.text.layers={n}",), series=DEPTH, at=n)
        for n in size.depths
    ]
    lengths = [
        Variant(
            f"{seconds:g} s, {pooling} pooling",
            (f"model.audio.window_seconds={seconds:g}", f"model.audio.pooling={pooling}"),
            series=f"{pooling} pooling",
            at=seconds,
        )
        for pooling in ("attention", "average")
        for seconds in size.lengths
    ]
    return depths + lengths


def _batches(size: Size) -> list[Variant]:
    return [
        Variant(f"{batch} pairs", batch=batch, series="base", at=batch) for batch in size.batches
    ]


def _shares(size: Size) -> list[Variant]:
    return [
        Variant(f"{100 * share:.3g} % of the pairs", share=share, series="base", at=share)
        for share in size.shares
    ]


def _losses(size: Size) -> list[Variant]:  # noqa: ARG001
    return [
        Variant("InfoNCE"),
        Variant(PRINTED, MEAN_ONE, config="weighted"),
        Variant(PUBLISHED, config="weighted-published"),
        Variant("sigmoid", config="sigmoid"),
        Variant("hard negatives, 0.5", ("loss.hard_negative_beta=0.5",)),
        Variant("hard negatives, 1", ("loss.hard_negative_beta=1",)),
    ]


def _base(size: Size) -> list[Variant]:  # noqa: ARG001
    return [BASE]


def _base_and_ssl(size: Size) -> list[Variant]:
    return [BASE, _ssl(size)]


_STUDIES = (
    Study(
        "table1",
        "Table 1: cross-modal retrieval",
        "The paper's model beside the DCASE 2022 baseline, with the baseline's triplet loss and "
        "with ours (section 5.1).",
        _baselines,
        pages.retrieval,
        numbers=paper.TABLE_1,
        claims=(
            Claim("MusCALL is better than the baseline", "MusCALL", "DCASE"),
            Claim("also than the baseline with its loss", "MusCALL", "DCASE + CL"),
            Claim("the loss alone helps the baseline", "DCASE + CL", "DCASE"),
        ),
    ),
    Study(
        "table2",
        "Table 2: zero-shot transfer",
        "Labels that nobody trained for, each asked for as it is, in the paper's prompt and in "
        "seven prompts at once (section 5.2).",
        _base_and_ssl,
        pages.labels,
        measure="zeroshot",
        numbers=paper.TABLE_2,
    ),
    Study(
        "table3",
        "Table 3: failure analysis",
        "Sentences whose track did not come first: what came first instead, and what the two "
        "have in common (section 6.1).",
        _base,
        failures.page,
    ),
    Study(
        "table4",
        "Table 4: ablations",
        "Loss weighting, random crop, audio augmentation and attention pooling (section 6.2).",
        _ablations,
        pages.retrieval,
        numbers=paper.TABLE_4,
        claims=(
            Claim("random crop helps", "base", "no random crop"),
            Claim("augmentation helps", "base", "no augmentation"),
            Claim(
                "augmentation helps more without random crop",
                "no random crop",
                "no random crop, no augmentation",
            ),
            Claim("attention pooling helps", "base", "average pooling"),
            Claim("loss weighting changes little, Eq. 3", PRINTED, "base", equal=True),
            Claim("loss weighting changes little, as published", PUBLISHED, "base", equal=True),
        ),
    ),
    Study(
        "figure3",
        "Figure 3: depth of the text encoder, length of the audio",
        "The paper found four layers best, and longer clips better, more so with attention "
        "pooling (sections 3.4 and 6.2).",
        _depths_and_lengths,
        pages.depths_and_lengths,
    ),
    Study(
        "figure4",
        "Figure 4: the joint space",
        "Similarities of aligned and of random pairs, and both modalities by t-SNE (section 6.1).",
        _base,
        pages.joint_space,
    ),
    Study(
        "batch",
        "Batch size",
        "The base model with more or fewer pairs in a batch; each training sees as many pairs, at "
        "one learning rate. The paper's batch has 256.",
        _batches,
        pages.batches,
    ),
    Study(
        "scaling",
        "Scaling",
        "The base model on a share of the pairs, for as many steps. The paper has 200,000.",
        _shares,
        pages.scaling,
    ),
    Study(
        "losses",
        "Losses",
        "The base model with the paper's loss weighting, SigLIP's sigmoid loss (Zhai et al. 2023) "
        "and hard negatives (Robinson et al. 2021).",
        _losses,
        pages.retrieval,
    ),
    Study(
        "probes",
        "Linear probes",
        "What a logistic regression can read off the frozen audio embedding, beside zero-shot.",
        _base_and_ssl,
        pages.labels,
        measure="probe",
    ),
)
STUDIES = {study.name: study for study in _STUDIES}
