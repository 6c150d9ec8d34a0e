"""Jobs that are announced and whose audio never comes."""

from __future__ import annotations

from segue_protocol.connection_file import ConnectionFile
from segue_protocol.messages import Accepted, Busy, Failed
from tests.faults.attacks.run import main
from tests.renderers import Peer


def attack(content: ConnectionFile) -> str:
    """They take no more than the places there are, and lose these in time (60 s here); leaving frees them at once."""
    with Peer(content) as greedy, Peer(content) as honest:
        answers = [greedy.submit(f"half-{number}") for number in range(200)]
        taken = [answer.job for answer in answers if isinstance(answer, Accepted)]
        assert 0 < len(taken) < 200, "the queue has no end"
        assert all(answer.retry_after > 0.0 for answer in answers if isinstance(answer, Busy))
        finals = [greedy.final(name, 60.0) for name in taken]
        assert all(isinstance(final, Failed) and final.code == "TIMEOUT" for final in finals), finals
        assert isinstance(honest.submit("honest-again"), Accepted)
    return f"{len(taken)} half jobs were given up, {200 - len(taken)} never came in"


if __name__ == "__main__":
    main("half_jobs")
