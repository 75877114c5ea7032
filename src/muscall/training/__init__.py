"""Training: `train(Config.read("config.yaml"))`."""

from muscall.training.config import Config
from muscall.training.finetune import fine_tuning
from muscall.training.trainer import train

__all__ = ["Config", "fine_tuning", "train"]
