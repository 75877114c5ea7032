"""Train a small model that also learns what a published one hears.

    python examples/learn_from_teacher.py laion/larger_clap_music configs/minilm.yaml \\
        data.train=train.jsonl data.val=val.jsonl [SETTING=VALUE ...]

The teacher listens once to all of the training set, which takes longest; what it heard is kept in
`teacher.npz` of the run's folder, so a second run goes on. `muscall teach` writes the same file.
"""

import sys
from pathlib import Path

import muscall
from muscall.data.manifest import read_manifest
from muscall.evaluation.retrieval import evaluate_retrieval
from muscall.library.teaching import teach
from muscall.training import Config, train


def main(name: str, file: str, *settings: str) -> None:
    config = Config.read(file, settings)
    targets = Path(config.train.out) / "teacher.npz"
    targets.parent.mkdir(parents=True, exist_ok=True)
    teacher = muscall.load(name)
    teach(teacher, read_manifest(config.data.train), targets)
    distillation = [
        f"data.targets={targets}",
        f"model.teacher_dim={teacher.config.dim}",
        "loss.distillation_weight=1",
    ]
    pupil = muscall.load(train(Config.read(file, [*settings, *distillation])))
    rows = read_manifest(config.data.val)
    for heard, model in {"teacher": teacher, "pupil": pupil}.items():
        scores = evaluate_retrieval(model, rows).text_to_audio
        print(f"{heard:8} R@10 {scores['R@10']:5.1f}  median rank {scores['MedR']:.0f}")


if __name__ == "__main__":
    main(*sys.argv[1:])
