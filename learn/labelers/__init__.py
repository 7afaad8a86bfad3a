"""What gives frames their labels: CP2K, or any ASE calculator."""

from nvnmd.learn.labelers.base import Labeler, LabelSettings, make_labeler

__all__ = ["LabelSettings", "Labeler", "make_labeler"]
