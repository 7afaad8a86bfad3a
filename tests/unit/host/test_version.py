"""The compiled module and the distribution are one version."""

import nvnmd
from nvnmd.host import _core


def test_the_compiled_module_is_of_this_version() -> None:
    assert _core.__version__ == nvnmd.__version__
