"""Structure analysis of trajectories: each function takes frames one at a time and says its units."""

from nvnmd.pcm.analysis.compare import mean_difference
from nvnmd.pcm.analysis.coordination import Coordination, coordination_numbers, first_shell
from nvnmd.pcm.analysis.rdf import PartialRdf, partial_rdf

__all__ = ["Coordination", "PartialRdf", "coordination_numbers", "first_shell", "mean_difference", "partial_rdf"]
