"""Phase-change work: structures, melt-quench protocols, LAMMPS input and structure analysis."""
