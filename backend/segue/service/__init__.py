"""The service: jobs, their queue, the workers that render them and the store that remembers; no transport in here."""
