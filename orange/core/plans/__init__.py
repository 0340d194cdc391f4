"""Documents become plans: reading what stands there, deciding what is a task of it, and the plan file people edit."""
