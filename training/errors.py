"""The error that every room of the project derives its own from."""


class NvnmdError(Exception):
    """A problem the user can do something about.

    The message is one sentence or a few: what was wrong, where (file, key, atom), what to try. Rooms derive their own
    error from this class and from ValueError or RuntimeError; the command line prints the message without a traceback.
    """
