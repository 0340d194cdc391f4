"""The service face as values: who is let in, what a request must look like, and the description of it all. Pure.

Next in the flow: `orange.web` serves it.
"""
