"""The conductor: one process a user, serving every registered project. It owns no agent and no state of its own."""
