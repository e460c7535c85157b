"""AWS on one loopback port: a landing zone to talk to when there is no account at hand.

``python -m sandbox --port N`` serves it alone; `sandbox.server.Sandbox` runs it inside a test.
"""
