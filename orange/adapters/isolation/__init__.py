"""How far an agent is kept from the rest of the machine: its command is put into what encloses it."""
