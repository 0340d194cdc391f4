"""The agents: one module each, listed in `registry.RUNTIMES`. What they have in common is in `base`."""
