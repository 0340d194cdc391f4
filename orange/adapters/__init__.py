"""The adapters: each implements one port on one outside thing, and none knows another."""
