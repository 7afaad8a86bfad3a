"""Words and files that the LAMMPS input, the run folder and the log reader agree on."""

STOP_FILE = "stop"
RESTART_FOLDER = "restart"
STAGE_MARK = "nvnmd stage"
SESSION_MARK = "nvnmd session"
EARLY_MARK = "nvnmd ended early"
GUARD_EVERY = 10
"""Steps between two looks at the stop file, the temperature and the condition that ends a stage."""
