"""What brings software out: pipelines, builds, deployments, queues and the news of all of them.

It is kept apart from the landing zone, record by record: there may be ten thousand pipelines of it, and each is moved
by one agenda of due times rather than by a timer of its own.
"""
