import pytest

from playground import Playground


@pytest.fixture
def playground(tmp_path):
    return Playground(tmp_path / "play")
