"""The verbs, rendered by ``segue serve`` here or on another machine. Imports neither torch nor onnxruntime."""

from segue.client.candidate import Candidate, CandidateCallback
from segue.client.client import Client
from segue.errors import ServiceError

__all__ = ["Candidate", "CandidateCallback", "Client", "ServiceError"]
